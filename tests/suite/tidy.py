# SPDX-License-Identifier: BSD-3-Clause
"""clang-tidy over what was changed last. A file costs about six seconds of a CPU and all of them twenty minutes, so a run looks
at the ten newest: whatever is committed is seen while it is new. Without a history, as in an unpacked archive, those are the ten
that were written last.
"""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, dropwhile
from pathlib import Path

from suite.headers import flags
from suite.shell import ROOT, Shell

ROOMS = ("common", "control")
MOST = 10


def git(*words: str) -> list[str]:
    """Whoever owns the folder: root's git refuses another's otherwise."""
    command = ["git", "-c", f"safe.directory={ROOT}", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()


def newest() -> list[Path]:
    """What is not committed comes first."""
    only = ("--", *(f"{room}/*.cpp" for room in ROOMS))
    names = chain(
        git("diff", "--name-only", "HEAD", *only),
        git("ls-files", "--others", "--exclude-standard", *only),
        git("log", "-100", "--format=", "--name-only", *only),
    )
    files = [path for path in (ROOT / name for name in dict.fromkeys(names)) if path.is_file()]
    if not files:
        written = (path for room in ROOMS for path in (ROOT / room).rglob("*.cpp"))
        files = sorted(written, key=lambda path: path.stat().st_mtime, reverse=True)
    return files[:MOST]


def check(folder: Path, shell: Shell) -> list[str]:
    """The files in which it finds something; the shell's log says what."""
    files = newest()
    # Of warnings the compilers speak.
    options = [word for word in dropwhile(lambda word: not word.startswith("-"), flags(folder)) if not word.startswith("-W")]

    def passes(file: Path) -> bool:
        return shell("clang-tidy-16", "--quiet", f"--config-file={ROOT / '.clang-tidy'}", file, "--", *options,
                     folder=folder, quiet=True)  # fmt: skip

    with ThreadPoolExecutor(2) as pool:
        held = pool.map(passes, files)
        return [str(file.relative_to(ROOT)) for file, holds in zip(files, held, strict=True) if not holds]
