# SPDX-License-Identifier: BSD-3-Clause
"""Pages that go on from the tutorial's network, as it is after its second stage: what they show is what is printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.appliance import BUILD, ROOT
from lab.page import Shell, follow

TUTORIAL = ROOT / "doc" / "tutorial.md"
PROGRAMS = [BUILD.resolve() / "control", BUILD.resolve() / "dataplane"]


@pytest.mark.parametrize("name", ["troubleshooting", "frr"])
def test_what_the_page_shows_is_so(tmp_path: Path, name: str) -> None:
    page = ROOT / "doc" / f"{name}.md"
    with Shell(tmp_path, PROGRAMS) as shell:
        follow(shell, TUTORIAL, TUTORIAL.read_text().split("## 3. ")[0])
        follow(shell, page, page.read_text())
