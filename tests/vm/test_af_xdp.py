# SPDX-License-Identifier: BSD-3-Clause
"""NICs that the kernel keeps: AF_XDP sockets on virtio_net."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.topology import EGRESS, FIREWALL, FIREWALL_OUTSIDE, LAN

from vm import machine
from vm.machine import EGRESS_NIC, LAN_NIC, READY_SECONDS, VirtualLab


@pytest.fixture(scope="module")
def appliance(lab: VirtualLab) -> Iterator[Appliance]:
    for nic, name, address in ((LAN_NIC, "lan0", LAN), (EGRESS_NIC, "egress0", EGRESS)):
        lab.guest.netdev(nic, name)
        lab.guest.run(f"ip address add {address}/24 brd + dev {name}; ip link set {name} up")
    lab.guest.run(f"ip route add default via {FIREWALL}")
    appliance = machine.appliance(lab, config.adapted(lab))
    appliance.start(READY_SECONDS)
    yield appliance
    appliance.stop()


def test_web_page_through_the_firewall(lab: VirtualLab, appliance: Appliance) -> None:
    seen = len(lab.seen_clients("web"))
    assert "Hello from behind the checkpoint" in lab.fetch("onprem")
    assert lab.seen_clients("web")[seen:] == [FIREWALL_OUTSIDE]


def test_thousand_packets_are_thousand_packets(
    lab: VirtualLab, appliance: Appliance, onprem: Injector
) -> None:
    account = Account(appliance)
    with Capture(lab, "internet") as seen:
        fences = machine.send(lab, onprem, frame(), 10)
        seen.wait(1000)
    account.forwarded("lan", "egress", 1000 + fences)


@pytest.mark.parametrize(("space", "address"), [("onprem", LAN), ("firewall", EGRESS)])
def test_arp_and_ping_to_the_ports(lab: VirtualLab, appliance: Appliance, space: str, address: str) -> None:
    lab[space].ip("neigh", "flush", "to", address)
    assert " 3 received" in lab[space].run("ping", "-n", "-c", "3", "-i", "0.05", "-W", "5", address)
