# SPDX-License-Identifier: BSD-3-Clause
"""Whether every header compiles on its own. All of them take six minutes of a CPU: a run looks at those that changed last and at
whatever includes one of these, for a header stops compiling when one that it includes no longer includes what it needs.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from suite.commands import flags
from suite.newest import newest
from suite.shell import ROOT, Shell

ROOMS = ("common", "control", "dataplane")
MOST = 10


def all_headers() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.hpp"))


def reached(changed: set[Path], headers: list[Path]) -> list[Path]:
    """`changed`, and the headers that include one of them, at whatever distance."""
    includes = {
        header: {ROOT / name for name in re.findall(r'^#include "([^"]+)"', header.read_text(), re.MULTILINE)} for header in headers
    }
    reach = set(changed)
    while grown := {header for header in headers if header not in reach and includes[header] & reach}:
        reach |= grown
    return [header for header in headers if header in reach]


def check(folder: Path, shell: Shell, every: bool) -> list[str]:
    """The headers that do not; the shell's log says why. The build has made those that are generated."""
    headers = all_headers()
    if not every:
        headers = reached(set(newest(MOST, ".hpp", ROOMS)), headers)
    shell.say(f"{len(headers)} headers")
    compiler = [*flags(folder), "-fsyntax-only", "-x", "c++", "/dev/null", "-include"]

    def compiles(header: Path) -> bool:
        return shell(*compiler, header, folder=folder, quiet=True)

    with ThreadPoolExecutor(2) as pool:
        held = pool.map(compiles, headers)
        return [str(header.relative_to(ROOT)) for header, holds in zip(headers, held, strict=True) if not holds]
