# SPDX-License-Identifier: BSD-3-Clause
"""doc/tutorial.md, as a stranger types it: every command of the page, in its order, prints what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.appliance import BUILD, ROOT
from lab.page import Shell, agrees, follow, steps

PAGE = ROOT / "doc" / "tutorial.md"
PROGRAMS = [BUILD.resolve() / "control", BUILD.resolve() / "dataplane"]


def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    with Shell(tmp_path, PROGRAMS) as shell:
        follow(shell, PAGE, PAGE.read_text())


def test_the_tutorial_reaches_what_it_promises() -> None:
    """Each of these is executed above; a page from which it is cut would pass that test."""
    commands = "".join(step.command for step in steps(PAGE.read_text()))
    for reached in (
        "curl", "ethtool -K eth0 tx off", 'preset = "kms"', '"10.0.2.11"', "ip_forward=0", "sekisho check --config bad.toml",
        "sekisho reload --dry-run", "sekisho reload --confirm", "sekisho rollback", "sekisho capture --direction drop",
        "kill $control", "kill -9 $dataplane", "ip netns delete",
    ):  # fmt: skip
        assert reached in commands, reached


@pytest.mark.parametrize(
    ("page", "printed", "same"),
    [
        (["a  b"], ["a b"], True),
        (["a"], ["b"], False),
        (["a"], [], False),
        ([], ["a"], False),
        (["..."], [], True),
        (["a", "...", "d"], ["a", "b", "c", "d"], True),
        (["a", "...", "d"], ["a", "b", "c"], False),
        (["left ... right"], ["right, what is between, left"], False),
        (["left...right"], ["left, what is between, right"], True),
        (["at 10:11:12, in 3 ms"], ["at 20:00:59, in 41.5 ms"], True),
        (["from 02:00:00:00:00:01"], ["from fe:dc:ba:98:76:54"], True),
        (["3 packets"], ["4 packets"], False),
    ],
)
def test_what_counts_as_the_same(page: list[str], printed: list[str], same: bool) -> None:
    assert agrees(page, printed) is same
