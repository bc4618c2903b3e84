# SPDX-License-Identifier: BSD-3-Clause
"""A next hop whose members are behind two ports, as Azure wants it: each is probed by its own port, and a link that goes down moves
flows at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from socket import IPPROTO_UDP

import pytest
from lab import config
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.process import wait_until
from lab.stream import Stream
from lab.topology import EGRESS, EGRESS2, FIREWALL, FIREWALL2_BEHIND_IT, STREAM, STREAM_PORT, WEB, Lab
from scapy.layers.inet import IP, UDP
from scapy.packet import Packet

RATE = 10_000
PORT_OF = {FIREWALL: "egress0", FIREWALL2_BEHIND_IT: "egress1"}
PROBE = f'{{ type = "tcp", through = "{WEB}:80", interval = "200ms", hold = "1s" }}'


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    lab.add_egress()
    file = config.adapted(
        lab,
        (
            f'members = ["{FIREWALL}"]',
            f'members = ["{FIREWALL}", "{FIREWALL2_BEHIND_IT}"]\nprobe = {PROBE}',
        ),
        ("[next_hop.firewall]", '[port.egress2]\ndevice = "af_xdp:egress1"\n\n[next_hop.firewall]'),
    )
    appliance = Appliance(lab, file)
    appliance.start()
    wait_for(appliance, *PORT_OF)
    return appliance


@pytest.fixture(autouse=True)
def both(lab: Lab, appliance: Appliance) -> Iterator[None]:
    yield
    for netdev in PORT_OF.values():
        lab["fabric"].ip("link", "set", f"nva-{netdev}", "up")
    wait_for(appliance, *PORT_OF)


def alive(appliance: Appliance) -> set[str]:
    found = next(hop for hop in appliance.json("show", "next-hops") if hop["name"] == "firewall")
    return {member["address"] for member in found["members"] if member["alive"]}


def wait_for(appliance: Appliance, *addresses: str) -> None:
    wait_until(f"{addresses} alive", lambda: alive(appliance) == set(addresses))
    wait_until("the dataplane", lambda: appliance.next_hops()["firewall"] == len(addresses))


def goes_to_web(packet: Packet) -> bool:
    return IP in packet and packet[IP].dst == WEB


def is_udp(packet: Packet) -> bool:
    """Neither a probe nor an ICMP error."""
    return IP in packet and packet[IP].proto == IPPROTO_UDP


def source_ports(lab: Lab, port: int) -> dict[str, int]:
    """A source port of a flow to this port, by the member that it takes."""
    injector = Injector(lab)
    found = {}
    with ExitStack() as stack:
        seen = {
            member: stack.enter_context(Capture(lab, "fabric", f"nva-{netdev}", only=is_udp))
            for member, netdev in PORT_OF.items()
        }
        for number in range(port - 2000, port - 1600, 25):  # each stream binds its own
            packet = frame()
            packet[UDP].sport, packet[UDP].dport = number, port
            injector.send(packet)
        wait_until("the flows", lambda: sum(len(each.read()) for each in seen.values()) == 16)
        for member, capture in seen.items():
            found[member] = capture.frames[0][UDP].sport
    injector.close()
    return found


def test_each_is_probed_by_its_own_port(lab: Lab, appliance: Appliance) -> None:
    """Whatever the main table says: its default is the first firewall."""
    source = {"egress0": EGRESS, "egress1": EGRESS2}
    for netdev in PORT_OF.values():
        with Capture(lab, "fabric", f"nva-{netdev}", only=goes_to_web) as seen:
            wait_until("probes", lambda: len(seen.read()) >= 3)  # noqa: B023
        assert {packet[IP].src for packet in seen.frames} == {source[netdev]}
    lab["firewall"].ip("link", "set", "outside", "down")
    try:
        wait_for(appliance, FIREWALL2_BEHIND_IT)
    finally:
        lab["firewall"].ip("link", "set", "outside", "up")
        lab["firewall"].ip("route", "replace", "default", "via", "203.0.113.10")


def test_a_link_that_goes_down_moves_flows_at_once(lab: Lab, appliance: Appliance) -> None:
    # Before any stream runs: a capture looks at each packet.
    sources = {port: source_ports(lab, port) for port in (STREAM_PORT, STREAM_PORT + 1)}
    with ExitStack() as stack:
        streams = {}
        for (port, source_of), member in zip(sources.items(), PORT_OF):
            stream = Stream(lab, STREAM, rate=RATE, port=port, source_port=source_of[member])
            streams[member] = stack.enter_context(stream)
        for stream in streams.values():
            stream.wait_received(1000)
        lab["fabric"].ip("link", "set", "nva-egress0", "down")
        wait_for(appliance, FIREWALL2_BEHIND_IT)
        for stream in streams.values():
            stream.wait_more(2000)
            stream.stop()
        moved, stayed = (streams[member].finish() for member in PORT_OF)
    assert (stayed.lost, stayed.duplicated, moved.duplicated) == (0, 0, 0), (moved, stayed)
    most = (0.3 + stayed.sender_gap_us / 1e6) * moved.sent / moved.seconds
    assert moved.lost <= most, f"{moved}; at most {most:.0f}"
