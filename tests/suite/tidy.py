# SPDX-License-Identifier: BSD-3-Clause
"""clang-tidy over what was changed last: a file costs about six seconds of a CPU, and all of them twenty minutes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import dropwhile
from pathlib import Path

from suite.commands import flags
from suite.newest import newest
from suite.shell import ROOT, Shell

MOST = 10


def check(folder: Path, shell: Shell) -> list[str]:
    """The files in which it finds something; the shell's log says what."""
    files = newest(MOST, ".cpp", ("common", "control"))
    # Of warnings the compilers speak.
    options = [word for word in dropwhile(lambda word: not word.startswith("-"), flags(folder)) if not word.startswith("-W")]

    def passes(file: Path) -> bool:
        return shell("clang-tidy-16", "--quiet", f"--config-file={ROOT / '.clang-tidy'}", file, "--", *options,
                     folder=folder, quiet=True)  # fmt: skip

    with ThreadPoolExecutor(2) as pool:
        held = pool.map(passes, files)
        return [str(file.relative_to(ROOT)) for file, holds in zip(files, held, strict=True) if not holds]
