# SPDX-License-Identifier: BSD-3-Clause
"""The files that changed last: to look at all of them takes many minutes, and whatever is committed is seen while it is new. Without a
history, as in an unpacked archive, those are the files that were written last.
"""

from __future__ import annotations

import subprocess
from itertools import chain
from pathlib import Path

from suite.shell import ROOT


def git(*words: str) -> list[str]:
    """Whoever owns the folder: root's git refuses another's otherwise."""
    command = ["git", "-c", f"safe.directory={ROOT}", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()


def newest(most: int, suffix: str, rooms: tuple[str, ...]) -> list[Path]:
    """What is not committed comes first."""
    only = ("--", *(f"{room}/*{suffix}" for room in rooms))
    names = chain(
        git("diff", "--name-only", "HEAD", *only),
        git("ls-files", "--others", "--exclude-standard", *only),
        git("log", "-100", "--format=", "--name-only", *only),
    )
    files = [path for path in (ROOT / name for name in dict.fromkeys(names)) if path.is_file()]
    if not files:
        written = (path for room in rooms for path in (ROOT / room).rglob(f"*{suffix}"))
        files = sorted(written, key=lambda path: path.stat().st_mtime, reverse=True)
    return files[:most]
