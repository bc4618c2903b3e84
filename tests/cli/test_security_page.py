# SPDX-License-Identifier: BSD-3-Clause
"""SECURITY.md says which capabilities each unit has: those that its file gives it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "scripts" / "packaging" / "systemd"


def test_users_and_capabilities_are_those_of_the_units() -> None:
    rows = re.findall(r"^\| (sekisho-[\w-]+) \| (\w+).*? \| (.+) \|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    told = {unit: (user, set(capabilities.split()) - {"none"}) for unit, user, capabilities in rows}
    assert sorted(told) == sorted(unit.stem for unit in UNITS.glob("*.service"))
    for unit, (user, capabilities) in told.items():
        text = (UNITS / f"{unit}.service").read_text()
        bounding = re.search(r"^CapabilityBoundingSet=(.*)$", text, re.MULTILINE)
        named = re.search(r"^User=(.*)$", text, re.MULTILINE)
        assert bounding and capabilities == set(bounding[1].split()), unit
        assert user == (named[1] if named else "root"), unit
