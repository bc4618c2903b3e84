# SPDX-License-Identifier: BSD-3-Clause
"""Whether what was timed was forwarding with the whole policy, by the appliance's own account."""

from __future__ import annotations

from throughput.cell import Cell
from throughput.engine import BenchError
from throughput.sekisho import Sekisho

BURSTS_UNDER_WAY = 256  # packets between the counters that are read
READINGS = 10  # a worker that waits for its CPU between the two counters has more under way; one of so many has not
LEAST_SHARE = 0.3  # of a group's packets, to either of its two members
NOTABLE = 0.02  # of all packets: a group with less has too few flows to be spread evenly


def check(sekisho: Sekisho, cell: Cell) -> None:
    def refuse(what: str) -> BenchError:
        return BenchError(f"{cell.name('sekisho')}: {what}: this is no measurement of forwarding")

    drops = [drop for drop in sekisho.show("drops") if drop["packets"]]
    if drops:
        raise refuse(", ".join(f"{drop['packets']} on {drop['port']} dropped as {drop['reason']}" for drop in drops))
    for _ in range(READINGS):
        counted = sekisho.sample()
        received, sent = counted.rx, counted.tx
        if abs(received - sent) <= BURSTS_UNDER_WAY:
            break
    else:
        raise refuse(f"{received} packets received and {sent} transmitted")
    for hop in sekisho.show("next-hops"):
        # Others than the firewalls have single members.
        carried = [member.get("traffic", {}).get("packets", 0) for member in hop["members"]]
        if len(carried) == 2 and sum(carried) > NOTABLE * sent and min(carried) < LEAST_SHARE * sum(carried):
            raise refuse(f"members of {hop['name']} got {carried[0]} and {carried[1]} packets")
        if hop["name"] == "firewall-0" and not sum(carried):
            raise refuse("firewall-0 got nothing")
