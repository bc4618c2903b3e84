# SPDX-License-Identifier: BSD-3-Clause
"""On-premises and VNet traffic reaches the Internet through the firewall, and replies come back."""

from __future__ import annotations

import pytest
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.topology import (
    EGRESS,
    FIREWALL_OUTSIDE,
    KMS,
    LAN,
    MACS,
    ONPREM,
    STREAM,
    VNET,
    Lab,
)
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether


@pytest.mark.parametrize("space", ["onprem", "vnet"])
def test_web_page_through_the_firewall(lab: Lab, appliance: Appliance, space: str) -> None:
    before, seen = lab.counters(), len(lab.seen_clients("web"))
    assert "Hello from behind the checkpoint" in lab.fetch(space)
    assert lab.seen_clients("web")[seen:] == [FIREWALL_OUTSIDE]
    after = lab.counters()
    assert after["firewall"] - before["firewall"] == after["arrived"] - before["arrived"] > 0
    assert after["unnatted"] == 0


@pytest.mark.parametrize(
    "destination", ["1.2.3.4", "127.255.255.255", "128.0.0.1", "198.51.100.90", "223.255.255.254"]
)
def test_both_halves_lead_to_the_firewall(
    lab: Lab, account: Account, onprem: Injector, destination: str
) -> None:
    """0.0.0.0/1 and 128.0.0.0/1 stand for the default route, up to the edge between them."""
    if destination.startswith("127."):
        onprem.send(frame(destination=destination))
        account.dropped("lan", "martian_destination", 1)
        return
    with Capture(lab, "firewall", "inside") as seen:
        onprem.send(frame(destination=destination), 10)
        assert {packet[IP].dst for packet in seen.wait(10)} == {destination}
    account.forwarded("lan", "egress", 10)


def test_what_a_router_changes_and_nothing_else(lab: Lab, account: Account, onprem: Injector) -> None:
    sent = frame(ttl=17, size=500, tos=0x28, id=4711)
    with Capture(lab, "firewall", "inside") as seen:
        onprem.send(sent)
        got = seen.wait(1)[0]
    assert (got[Ether].src, got[Ether].dst) == (MACS["nva", "egress0"], MACS["firewall", "inside"])
    assert got[IP].ttl == 16
    expected = Ether(bytes(sent))
    expected[IP].ttl = 16
    del expected[IP].chksum
    assert bytes(got[IP]) == bytes(Ether(bytes(expected))[IP])
    account.forwarded("lan", "egress", 1)


def test_thousand_packets_are_thousand_packets(lab: Lab, account: Account, onprem: Injector) -> None:
    before, outside = lab.counters("firewall")["inside"], lab.counters()["firewall"]
    with Capture(lab, "internet") as seen:
        onprem.send(frame(), 1000)
        seen.wait(1000)
    account.forwarded("lan", "egress", 1000)
    assert lab.counters("firewall")["inside"] - before == 1000
    assert lab.counters()["firewall"] - outside == 1000


def test_between_vnet_and_onprem(lab: Lab, account: Account, onprem: Injector) -> None:
    """In and out by the same port, never by the firewall."""
    before = lab.counters("firewall")["inside"]
    with Capture(lab, "vnet") as seen:
        onprem.send(frame(destination=VNET), 20)
        assert {packet[Ether].src for packet in seen.wait(20)} == {MACS["nva", "lan0"]}
    account.forwarded("lan", "lan", 20)
    assert lab.counters("firewall")["inside"] == before


def test_from_the_internet_to_onprem(lab: Lab, account: Account, firewall: Injector) -> None:
    with Capture(lab, "onprem") as seen:
        firewall.send(frame(source=KMS, destination=ONPREM, to="egress0"), 20)
        got = seen.wait(20)
    assert {(packet[Ether].src, packet[IP].ttl) for packet in got} == {(MACS["nva", "lan0"], 63)}
    account.forwarded("egress", "lan", 20)


@pytest.mark.parametrize(("space", "address"), [("onprem", LAN), ("vnet", LAN), ("firewall", EGRESS)])
def test_ping_to_the_appliance_itself(lab: Lab, account: Account, space: str, address: str) -> None:
    """The kernel answers; the dataplane sees nothing of it."""
    lab[space].ip("neigh", "flush", "to", address)
    assert " 3 received" in lab[space].run("ping", "-n", "-c", "3", "-i", "0.05", "-W", "2", address)
    account.expect({})


@pytest.mark.parametrize("size", [0, 22, 1000, 1472])
def test_sizes_up_to_the_mtu(lab: Lab, account: Account, onprem: Injector, size: int) -> None:
    with Capture(lab, "internet") as seen:
        onprem.send(frame(size=size), 5)
        lengths = {packet[UDP].len for packet in seen.wait(5)}
    assert lengths == {8 + max(size, len(b"sekisho"))}
    account.forwarded("lan", "egress", 5)


def test_the_books_name_zone_and_next_hop(appliance: Appliance, onprem: Injector, lab: Lab) -> None:
    def traffic(what: str, name: str) -> int:
        return next(entry for entry in appliance.json("show", what) if entry["name"] == name)["traffic"][
            "packets"
        ]

    before = traffic("zones", "onprem"), traffic("next-hops", "firewall"), traffic("next-hops", "second-gateway")
    with Capture(lab, "internet") as seen:
        onprem.send(frame(destination=STREAM), 30)
        seen.wait(30)
    after = traffic("zones", "onprem"), traffic("next-hops", "firewall"), traffic("next-hops", "second-gateway")
    assert tuple(b - a for a, b in zip(before, after, strict=True)) == (30, 30, 0)
