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


# What the page promises: commands in this order, each with a part of what it then says that is printed.
PROMISED = {
    "a page through the firewall": [
        ("sekisho show state", "packets come whose TCP or UDP checksum nobody has finished"), ("ethtool -K eth0 tx off", ""),
        ("curl -sS --max-time 3 http://198.51.100.80/", "You came through."), ("cat web.log", "10.0.2.10"),
    ],
    "an exception": [
        ('preset = "kms"', ""), ("sekisho reload --dry-run", ""), ("sekisho reload", "applied as transaction"),
        ("curl -sS --max-time 3 http://20.118.99.224:1688/", "You came through."), ("tail -1 kms.log", "10.0.2.4"),
    ],
    "a second firewall": [('"10.0.2.11"', ""), ("sekisho reload", "applied as transaction"), ("sekisho explain", "hashes to 10.0.2.11")],
    "a failover is seen": [
        ("sekisho monitor", ""), ("fw1 sysctl -qw net.ipv4.ip_forward=0", ""), ("sekisho show state", "degraded: firewall 1 of 2 alive"),
        ("tail -4", "10.0.2.11"), ("cat events.log", "member 10.0.2.10 of firewall is alive"),
    ],
    "a bad change is refused": [
        ("sekisho check --config bad.toml", 'did you mean "firewall"?'), ("sekisho reload", "Nothing was changed"),
        ("sekisho reload", "the assertion"),
    ],
    "a change is taken back": [
        ("sekisho reload --confirm", "on trial"), ("until ip netns exec onprem curl", "You came through."),
        ("sekisho rollback", "applied as transaction"), ("curl", "You came through."),
    ],
    "a dropped packet is captured": [
        ("sekisho capture --direction drop", ""), ("cat captured.txt", "null_route"), ("sekisho show drops --last", "spoofed_source"),
    ],
    "an upgrade": [
        ("kill $control", ""), ("grep transmitted ping.log", "500 received"), ("kill -9 $dataplane", ""),
        ("grep transmitted", "0 received"), ("curl", "You came through."),
    ],
    "everything away": [("ip netns delete", "")],
}  # fmt: skip


def test_the_tutorial_reaches_what_it_promises() -> None:
    """Each of these is executed above; a page from which it is cut would pass that test."""
    executed = steps(PAGE.read_text())  # goes on where the one before was found
    for promise, reached in PROMISED.items():
        for command, printed in reached:
            found = any(command in step.command and printed in "\n".join(step.expected) for step in executed)
            assert found, f"{promise}: {command} prints {printed!r}"


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
