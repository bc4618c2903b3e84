# SPDX-License-Identifier: BSD-3-Clause
"""doc/troubleshooting.md has each reason for which packets are dropped, with the sentence that the programs print, and a cure."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "doc" / "troubleshooting.md"
DATAPLANE = ROOT / "dataplane" / "decide" / "drop_reason.hpp"
STEERING = ROOT / "control" / "serve" / "reasons.cpp"


def told() -> list[tuple[str, str]]:
    table = PAGE.read_text().split("## Each drop reason")[1]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", table, re.MULTILINE)
    assert all(cure.strip() for _, _, cure in rows)
    return [(name, meaning) for name, meaning, _ in rows]


def test_every_reason_is_told_as_the_programs_say_it() -> None:
    in_dataplane = re.findall(r'REASON\((\w+), +"(.*)"\)', DATAPLANE.read_text())
    in_steering = re.findall(r'\{"(\w+)",\s+"(.*?)"\}', STEERING.read_text())
    assert len(in_dataplane) > 30 and len(in_steering) > 10
    assert told() == in_dataplane + in_steering
