# SPDX-License-Identifier: BSD-3-Clause
"""Who may send what where: overrides, spoofed sources, private space, and what `explain` says about it."""

from __future__ import annotations

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.topology import KMS, MACS, ONPREM, STREAM, VNET, Lab
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether


def test_only_the_32_is_overridden(lab: Lab, appliance: Appliance, account: Account, onprem: Injector) -> None:
    """The addresses next to it go where the halves lead."""
    overridden = "20.118.98.1"
    config.overrides(appliance.config, [f"{overridden}/32 second-gateway"])
    appliance.reload()
    with Capture(lab, "firewall", "inside") as firewall, Capture(lab, "gateway2", "inside") as gateway:
        for destination in ("20.118.98.0", overridden, "20.118.98.2"):
            onprem.send(frame(destination=destination), 7)
        firewall.wait(14)
        gateway.wait(7)
    account.forwarded("lan", "egress", 21)
    config.overrides(appliance.config, [])
    appliance.reload()


@pytest.mark.parametrize(
    ("why", "source"),
    [
        ("an Internet address", "8.8.8.8"),
        ("private space of nobody", "192.168.7.7"),
        ("shared space", "100.64.0.1"),
        ("the address just below 172.16.0.0/12", "172.15.255.255"),
        ("the address just above it", "172.32.0.0"),
    ],
)
def test_spoofed_from_onprem(lab: Lab, account: Account, onprem: Injector, why: str, source: str) -> None:
    before = lab.counters("firewall")["inside"]
    onprem.send(frame(source=source), 25)
    account.dropped("lan", "spoofed_source", 25)
    assert lab.counters("firewall")["inside"] == before


@pytest.mark.parametrize("source", [ONPREM, "172.31.255.255", VNET])
def test_spoofed_from_the_internet(account: Account, firewall: Injector, source: str) -> None:
    """Our own sources do not come from outside."""
    firewall.send(frame(source=source, destination=ONPREM, to="egress0"), 25)
    account.dropped("egress", "spoofed_source", 25)


@pytest.mark.parametrize(
    "destination", ["192.168.1.1", "10.9.9.9", "172.20.0.1", "100.64.0.1", "100.127.255.255"]
)
def test_private_space_without_a_route_is_dropped(
    lab: Lab, account: Account, onprem: Injector, destination: str
) -> None:
    before = lab.counters("firewall")["inside"]
    onprem.send(frame(destination=destination), 25)
    account.dropped("lan", "null_route", 25)
    assert lab.counters("firewall")["inside"] == before


def test_the_internet_zone_has_no_default(account: Account, firewall: Injector) -> None:
    firewall.send(frame(source=KMS, destination="9.9.9.9", to="egress0"), 25)
    account.dropped("egress", "no_route", 25)


def test_ipv6_transit_is_dropped(lab: Lab, account: Account, onprem: Injector) -> None:
    ethernet = Ether(src=MACS["onprem", "eth0"], dst=MACS["nva", "lan0"])
    with Capture(lab, "firewall", "inside", only=lambda packet: IPv6 in packet) as seen:
        onprem.send(ethernet / IPv6(src="2001:db8::1", dst="2001:db8:1::1") / UDP(sport=1, dport=2), 25)
        account.steered("lan", "dropped_ipv6", 25)
        seen.wait(0)


@pytest.mark.parametrize(
    ("source", "destination", "zone", "next_hop", "drop"),
    [
        (ONPREM, STREAM, "onprem", "firewall", None),
        (ONPREM, VNET, "onprem", "vnet-gateway", None),
        (ONPREM, "192.168.1.1", "onprem", "None", "null_route"),
        ("8.8.8.8", STREAM, "internet", None, "spoofed_source"),
    ],
)
def test_explain_says_what_happens(
    appliance: Appliance, source: str, destination: str, zone: str, next_hop: str | None, drop: str | None
) -> None:
    said = appliance.explain(source, destination)
    assert said["zone"] == zone
    assert said["drop_reason"] == drop
    assert said["verdict"] == ("drop" if drop else "forward")
    assert said["dataplane"]["agrees"], said
    if next_hop is not None:
        assert said["next_hop"] == next_hop
