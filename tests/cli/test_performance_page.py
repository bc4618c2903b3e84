# SPDX-License-Identifier: BSD-3-Clause
"""doc/performance.md tells of each program of scripts/bench, in its order."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_program_is_told() -> None:
    programs = re.search(r"^programs=\((.*)\)$", (ROOT / "scripts" / "bench").read_text(), re.MULTILINE)
    table = (ROOT / "doc" / "performance.md").read_text().split("| program | measures |")[1].split("\n\n")[0]
    assert programs and re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == programs[1].split()
