# SPDX-License-Identifier: BSD-3-Clause
"""Who may send what by which port: to the appliance itself, as the appliance, and as nobody's station.

On AF_XDP ports steering judges what is for the appliance, and the dataplane what goes through it; `explain` says the same.
"""

from __future__ import annotations

import pytest
from lab.account import Account, Snapshot
from lab.appliance import Appliance
from lab.frames import Injector, frame
from lab.process import wait_until
from lab.topology import EGRESS, FIREWALL, LAN, MACS, ONPREM, STREAM, VNET, Lab
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether

OUTSIDE = "8.8.8.8"  # of the zone that has 0.0.0.0/0 on egress
BROADCAST = "10.0.1.255"

# Source, destination, the port by which it comes, and why the appliance does not take it; empty: it does.
TO_THE_APPLIANCE = [
    (ONPREM, LAN, "lan", ""),
    ("10.0.1.77", LAN, "lan", ""),
    ("168.63.129.16", LAN, "lan", ""),
    ("169.254.169.254", LAN, "lan", ""),
    (OUTSIDE, LAN, "lan", "spoofed_source"),
    (FIREWALL, LAN, "lan", "spoofed_source"),
    (LAN, LAN, "lan", "martian_source"),
    (EGRESS, LAN, "lan", "martian_source"),
    (BROADCAST, LAN, "lan", "martian_source"),
    ("127.0.0.1", LAN, "lan", "martian_source"),
    (OUTSIDE, BROADCAST, "lan", "spoofed_source"),
    (OUTSIDE, EGRESS, "egress", ""),
    (FIREWALL, EGRESS, "egress", ""),
    (ONPREM, EGRESS, "egress", "spoofed_source"),
    (VNET, EGRESS, "egress", "spoofed_source"),
    (EGRESS, EGRESS, "egress", "martian_source"),
]


def ping(source: str, destination: str, port: str) -> Ether:
    netdev = f"{port}0"
    came_from = MACS["onprem", "eth0"] if port == "lan" else MACS["firewall", "inside"]
    return Ether(src=came_from, dst=MACS["nva", netdev]) / IP(src=source, dst=destination) / ICMP() / b"0123"


@pytest.mark.parametrize(("source", "destination", "port", "reason"), TO_THE_APPLIANCE)
def test_what_is_for_the_appliance(
    lab: Lab, appliance: Appliance, onprem: Injector, firewall: Injector,
    source: str, destination: str, port: str, reason: str,
) -> None:  # fmt: skip
    account = Account(appliance)
    (onprem if port == "lan" else firewall).send(ping(source, destination, port), 10)
    if reason:
        account.steered(port, f"dropped_{reason}", 10)
    else:
        name = f"{port}.steer.passed_local"
        wait_until("the pings", lambda: Snapshot.take(appliance).counts[name] >= account.before.counts[name] + 10)
        account.expect({})

    explained = appliance.explain(source, destination, port)
    assert (explained["verdict"], explained["drop_reason"]) == (("drop", reason) if reason else ("host", None))
    assert (explained["dataplane"]["drop_reason"] or "") == reason


def test_a_refused_ping_is_not_answered_by_the_other_port(
    lab: Lab, appliance: Appliance, onprem: Injector
) -> None:
    """lan answered 8.8.8.8 out of egress."""
    sent = lab.interface("nva", "egress0")["tx_packets"]
    account = Account(appliance)
    onprem.send(ping(OUTSIDE, LAN, "lan"), 1000)
    account.steered("lan", "dropped_spoofed_source", 1000)
    assert lab.interface("nva", "egress0")["tx_packets"] - sent < 500, "the kernel's own neighbours are asked for"


def test_nobody_else_sends_as_the_appliance(appliance: Appliance, onprem: Injector) -> None:
    for source in (LAN, EGRESS, BROADCAST):
        account = Account(appliance)
        onprem.send(frame(source=source), 10)
        account.dropped("lan", "martian_source", 10)
        explained = appliance.explain(source, STREAM)
        assert explained["drop_reason"] == explained["dataplane"]["drop_reason"] == "martian_source"


def test_stations_that_nobody_is(lab: Lab, account: Account) -> None:
    """Right onto the interface: a bridge forwards nothing from a group."""
    cable = Injector(lab, "fabric", "nva-lan0")
    for packet in (frame(), ping(ONPREM, LAN, "lan")):
        for sender in ("01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", MACS["nva", "lan0"]):
            packet[Ether].src = sender
            cable.send(packet, 5)
    cable.close()
    account.steered("lan", "dropped_bad_sender", 30)


def test_arp_stays_as_it_was(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    before = Snapshot.take(appliance).counts["lan.steer.passed_arp"]
    who_has = ARP(op="who-has", hwsrc=MACS["onprem", "eth0"], psrc=OUTSIDE, pdst=LAN)
    onprem.send(Ether(src=MACS["onprem", "eth0"], dst="ff:ff:ff:ff:ff:ff") / who_has, 5)
    wait_until("them", lambda: Snapshot.take(appliance).counts["lan.steer.passed_arp"] >= before + 5)


def echoes(lab: Lab) -> int:
    """That the appliance's kernel was asked for."""
    lines = [line.split() for line in lab["nva"].run("cat", "/proc/net/snmp").splitlines() if line.startswith("Icmp:")]
    return int(lines[1][lines[0].index("InEchos")])


def test_a_datagram_for_one_in_a_frame_for_all(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """RFC 1122, 3.3.6: the kernel discards it. What is for all stays."""
    assert lab["nva"].run("cat", "/proc/sys/net/ipv4/conf/lan0/drop_unicast_in_l2_multicast").strip() == "1"
    before, asked = Snapshot.take(appliance).counts["lan.steer.passed_local"], echoes(lab)
    for_all = ping(ONPREM, LAN, "lan")
    for_all[Ether].dst = "ff:ff:ff:ff:ff:ff"
    onprem.send(for_all, 10)
    onprem.send(ping(ONPREM, LAN, "lan"), 1)
    wait_until("them", lambda: Snapshot.take(appliance).counts["lan.steer.passed_local"] >= before + 11)
    wait_until("the one", lambda: echoes(lab) > asked)
    assert echoes(lab) == asked + 1


def test_an_address_on_lo_is_the_appliances(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """On every port, from the moment when it is there; before and afterwards it is the firewall's."""
    address = "192.0.2.77"
    assert appliance.explain(ONPREM, address)["verdict"] == "forward"
    lab["nva"].run("ip", "address", "add", f"{address}/32", "dev", "lo")
    try:
        wait_until("the address", lambda: appliance.explain(ONPREM, address)["verdict"] == "host")
        asked = echoes(lab)
        wait_until("the pings", lambda: (onprem.send(ping(ONPREM, address, "lan"), 1), echoes(lab) > asked)[1])
        assert appliance.explain(address, STREAM)["drop_reason"] == "martian_source"
    finally:
        lab["nva"].run("ip", "address", "del", f"{address}/32", "dev", "lo")
    wait_until("its end", lambda: appliance.explain(ONPREM, address)["verdict"] == "forward")


def test_host_sources(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """An operators' network; inside of what another zone has, since it is longer. A reload gives and takes it."""
    text = appliance.config.read_text()
    try:
        appliance.config.write_text(text.replace("[port.lan]\n", '[port.lan]\nhost_sources = ["8.8.8.0/24"]\n'))
        appliance.reload()
        account = Account(appliance)
        passed = account.before.counts["lan.steer.passed_local"]
        onprem.send(ping(OUTSIDE, LAN, "lan"), 10)
        wait_until(
            "the pings", lambda: Snapshot.take(appliance).counts["lan.steer.passed_local"] >= passed + 10
        )
        onprem.send(ping("8.8.9.9", LAN, "lan"), 10)
        account.steered("lan", "dropped_spoofed_source", 10)
        assert appliance.explain(OUTSIDE, LAN)["verdict"] == "host"
    finally:
        appliance.config.write_text(text)
        appliance.reload()
    account = Account(appliance)
    onprem.send(ping(OUTSIDE, LAN, "lan"), 10)
    account.steered("lan", "dropped_spoofed_source", 10)


def test_an_address_that_comes_later_is_nobodys_source(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    later = "172.16.7.7"
    assert appliance.explain(later, STREAM)["verdict"] == "forward"
    lab["nva"].ip("address", "add", f"{later}/32", "dev", "lan0")
    try:
        wait_until("it", lambda: appliance.explain(later, STREAM)["dataplane"]["drop_reason"] == "martian_source")
        account = Account(appliance)
        onprem.send(frame(source=later), 10)
        account.dropped("lan", "martian_source", 10)
    finally:
        lab["nva"].ip("address", "delete", f"{later}/32", "dev", "lan0")
    wait_until("it to be gone", lambda: appliance.explain(later, STREAM)["dataplane"]["drop_reason"] is None)
