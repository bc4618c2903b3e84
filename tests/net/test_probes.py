# SPDX-License-Identifier: BSD-3-Clause
"""Firewalls that look alive and are not. A fabric answers every ARP request, as Azure's does: neighbours say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.firewalls import ADDRESS, BOTH, PROBED_PORT, Firewalls
from lab.frames import Capture, Injector, frame
from lab.process import wait_until
from lab.topology import FIREWALL, FIREWALL2, MACS, Lab
from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether

FLOWS = 64
PROBE = f'{{ type = "tcp", port = {PROBED_PORT}, interval = "200ms", hold = "1s" }}'


@pytest.fixture(scope="module")
def firewalls(lab: Lab) -> Firewalls:
    firewalls = Firewalls(lab)
    firewalls.listen()
    firewalls.answer_every_arp()
    return firewalls


@pytest.fixture(scope="module")
def appliance(lab: Lab, firewalls: Firewalls) -> Appliance:
    appliance = Appliance(lab, configuration(lab, PROBE))
    appliance.start()
    wait_until("both firewalls", lambda: alive(appliance) == set(BOTH))
    return appliance


@pytest.fixture(autouse=True)
def both_firewalls(appliance: Appliance, firewalls: Firewalls) -> Iterator[None]:
    yield
    for name in BOTH:
        firewalls.recovers(name)
    wait_until("both firewalls", lambda: appliance.ready() and alive(appliance) == set(BOTH))


def configuration(lab: Lab, probe: str) -> Any:
    two = f'members = ["{FIREWALL}", "{FIREWALL2}"]\nprobe = {probe}'
    return config.adapted(lab, (f'members = ["{FIREWALL}"]', two))


def members(appliance: Appliance) -> dict[str, Any]:
    """Of next hop firewall, by the name of their namespace."""
    found = next(hop for hop in appliance.json("show", "next-hops") if hop["name"] == "firewall")
    states = {member["address"]: member for member in found["members"]}
    return {name: states[ADDRESS[name]] for name in BOTH}


def alive(appliance: Appliance) -> set[str]:
    return {name for name, member in members(appliance).items() if member["alive"]}


def firewall_of_each_flow(lab: Lab, appliance: Appliance, onprem: Injector) -> dict[int, str]:
    account = Account(appliance)
    names = {MACS[name, "inside"]: name for name in BOTH}
    with Capture(lab, "fabric", "nva-egress0") as seen:
        for number in range(FLOWS):
            packet = frame()
            packet[UDP].sport = 5000 + number
            onprem.send(packet)
        got = seen.wait(FLOWS)
    account.forwarded("lan", "egress", FLOWS)
    return {packet[UDP].sport: names[packet[Ether].dst] for packet in got}


def test_a_port_that_is_closed(
    lab: Lab, appliance: Appliance, firewalls: Firewalls, onprem: Injector
) -> None:
    """It answers ARP; its flows move, the others' stay; and all are where they were when it is back."""
    before = firewall_of_each_flow(lab, appliance, onprem)
    assert set(before.values()) == set(BOTH)
    firewalls.closes_its_port("firewall")
    wait_until("one firewall", lambda: alive(appliance) == {"firewall2"})
    assert members(appliance)["firewall"]["why"] == "probe: Connection refused"
    assert set(firewall_of_each_flow(lab, appliance, onprem).values()) == {"firewall2"}
    firewalls.recovers("firewall")
    wait_until("both firewalls", lambda: alive(appliance) == set(BOTH))
    assert firewall_of_each_flow(lab, appliance, onprem) == before
    assert members(appliance)["firewall"]["flaps"] == 1
    assert members(appliance)["firewall2"]["flaps"] == 0
