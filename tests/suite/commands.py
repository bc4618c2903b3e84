# SPDX-License-Identifier: BSD-3-Clause
"""How a build folder calls its compiler, to ask the compiler something else."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

WITH_VALUE = ("-o", "-c", "-MF", "-MQ")


def entries(folder: Path) -> list[dict[str, str]]:
    return json.loads((folder / "compile_commands.json").read_text())


def without_output(command: str) -> Iterator[str]:
    """Its words but for what names the source and makes an object."""
    words = iter(shlex.split(command))
    for word in words:
        if word in WITH_VALUE:
            next(words)
        elif word != "-MD":
            yield word


def flags(folder: Path) -> list[str]:
    """Those of control, which may include everything; nothing is instrumented."""
    command = next(entry["command"] for entry in entries(folder) if entry["output"].startswith("control/libcontrol.a.p/"))
    return [word for word in without_output(command) if not word.startswith("-fsanitize")]
