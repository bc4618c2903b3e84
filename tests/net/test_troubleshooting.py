# SPDX-License-Identifier: BSD-3-Clause
"""doc/troubleshooting.md: each symptom is made in the tutorial's network, and cured, as the page says."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.appliance import BUILD, ROOT
from lab.page import Shell, agrees, steps

PAGE = ROOT / "doc" / "troubleshooting.md"
TUTORIAL = ROOT / "doc" / "tutorial.md"
PROGRAMS = [BUILD.resolve() / "control", BUILD.resolve() / "dataplane"]


def test_each_symptom_is_seen_and_cured(tmp_path: Path) -> None:
    with Shell(tmp_path, PROGRAMS) as shell:
        begin = TUTORIAL.read_text().split("## 3. ")[0]
        for step in steps(begin):
            shell.run(step.command)
        for step in steps(PAGE.read_text()):
            printed = shell.run(step.command)
            if not agrees(step.expected, printed):
                said, says = "\n".join(printed), "\n".join(step.expected)
                pytest.fail(f"{PAGE.name}:{step.line}: {step.command}prints\n{said}\nand the page says\n{says}")
