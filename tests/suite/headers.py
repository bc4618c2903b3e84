# SPDX-License-Identifier: BSD-3-Clause
"""Whether every header compiles on its own."""

from __future__ import annotations

import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from suite.shell import ROOT, Shell

WITH_VALUE = ("-o", "-c", "-MF", "-MQ")


def flags(folder: Path) -> list[str]:
    """How the build in `folder` calls its compiler for control, which may include everything, but for what makes an object."""
    entries = json.loads((folder / "compile_commands.json").read_text())
    command = next(entry["command"] for entry in entries if entry["output"].startswith("control/libcontrol.a.p/"))
    words = iter(shlex.split(command))
    kept = []
    for word in words:
        if word in WITH_VALUE:
            next(words)
        elif word != "-MD" and not word.startswith("-fsanitize"):
            kept.append(word)
    return kept


def check(folder: Path, shell: Shell) -> list[str]:
    """The headers that do not; the shell's log says why. The build has made those that are generated."""
    headers = sorted(path for room in ("common", "control", "dataplane") for path in (ROOT / room).rglob("*.hpp"))
    compiler = [*flags(folder), "-fsyntax-only", "-x", "c++", "/dev/null", "-include"]

    def compiles(header: Path) -> bool:
        return shell(*compiler, header, folder=folder, quiet=True)

    with ThreadPoolExecutor(2) as pool:
        held = pool.map(compiles, headers)
        return [str(header.relative_to(ROOT)) for header, holds in zip(headers, held, strict=True) if not holds]
