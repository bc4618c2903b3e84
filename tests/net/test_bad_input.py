# SPDX-License-Identifier: BSD-3-Clause
"""Frames that should not be: each one ends in a named counter, and the appliance goes on."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.process import wait_until
from lab.topology import MACS, STREAM, VNET, Lab
from scapy.layers.inet import IP, IPOption, IPOption_LSRR, IPOption_NOP, IPOption_SSRR, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Packet, Raw

EGRESS = 'device = "af_xdp:egress0"'
EGRESS_MTU = 1400
LAN = MACS["nva", "lan0"]
US = MACS["onprem", "eth0"]


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    appliance = Appliance(lab, config.adapted(lab, (EGRESS, f"{EGRESS}\nmtu = {EGRESS_MTU}")))
    appliance.start()
    return appliance


@pytest.fixture(autouse=True)
def survives(lab: Lab, appliance: Appliance, onprem: Injector) -> Iterator[None]:
    """The same process, and it forwards."""
    yield
    assert appliance.dataplane is not None and appliance.dataplane.running()
    with Capture(lab, "internet") as seen:
        onprem.send(frame(), 3)
        seen.wait(3)


def cut(packet: Packet, length: int) -> bytes:
    return bytes(packet)[:length]


def patched(packet: Packet, *bytes_at: tuple[int, int]) -> bytes:
    """Bytes of the IPv4 header replaced by (offset, value), its checksum made right again."""
    data = bytearray(bytes(packet))
    for offset, value in bytes_at:
        data[14 + offset] = value
    data[24:26] = bytes(2)
    length = max(20, (data[14] & 15) * 4)
    header = bytes(data[14 : 14 + length])
    total = sum(int.from_bytes(header[i : i + 2], "big") for i in range(0, len(header) - 1, 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    data[24:26] = (total ^ 0xFFFF).to_bytes(2, "big")
    return bytes(data)


@dataclass(frozen=True)
class Case:
    why: str
    data: Packet | bytes
    reason: str


DROPPED = [
    Case("TTL 1", frame(ttl=1), "ttl_expired"),
    Case("TTL 0", frame(ttl=0), "ttl_expired"),
    Case("a wrong checksum", frame(chksum=0xDEAD), "bad_checksum"),
    Case("version 5", patched(frame(), (0, 0x55)), "bad_version"),
    Case("version 6 under the EtherType of 4", patched(frame(), (0, 0x65)), "bad_version"),
    Case("a header of 16 bytes", patched(frame(), (0, 0x44)), "bad_header_length"),
    Case(
        "a header longer than the packet",
        patched(frame(size=99), (0, 0x4F), (2, 0), (3, 59)),
        "bad_header_length",
    ),
    Case("a header longer than the frame", patched(frame(), (0, 0x4F)), "frame_too_short"),
    Case("a total length below the header's", patched(frame(), (3, 19)), "bad_header_length"),
    Case("a total length beyond the frame", patched(frame(), (2, 5)), "bad_total_length"),
    Case("cut within its payload", cut(frame(size=200), 100), "bad_total_length"),
    Case("cut within the header", cut(frame(), 33), "frame_too_short"),
    Case("an Ethernet header and nothing else", cut(frame(), 14), "frame_too_short"),
    Case("from this network", frame(source="0.0.0.0"), "martian_source"),
    Case("from a loopback", frame(source="127.0.0.1"), "martian_source"),
    Case("from a group", frame(source="224.0.0.5"), "martian_source"),
    Case("from class E", frame(source="240.0.0.1"), "martian_source"),
    Case("from everybody", frame(source="255.255.255.255"), "martian_source"),
    Case("to this network", frame(destination="0.0.0.0"), "martian_destination"),
    Case("to a loopback", frame(destination="127.0.0.1"), "martian_destination"),
    Case("to class E", frame(destination="240.0.0.1"), "martian_destination"),
    Case(
        "unicast in a broadcast frame", Ether(src=US, dst="ff:ff:ff:ff:ff:ff") / frame()[IP], "link_broadcast"
    ),
    Case(
        "unicast in a multicast frame", Ether(src=US, dst="01:00:5e:01:02:03") / frame()[IP], "link_broadcast"
    ),
    Case(
        "for another station, as a bridge floods it",
        Ether(src=US, dst="02:00:00:00:99:99") / frame()[IP],
        "other_station",
    ),
    Case("from a link-local address", frame(source="169.254.1.1"), "martian_source"),
    Case("to a link-local address", frame(destination="169.254.169.254"), "martian_destination"),
    Case("a loose source route", frame(options=[IPOption_LSRR(routers=[VNET])]), "source_route"),
    Case("a strict source route", frame(options=[IPOption_SSRR(routers=[VNET])]), "source_route"),
    Case("one byte beyond the egress MTU", frame(size=EGRESS_MTU - 28 + 1, flags="DF"), "mtu_exceeded"),
]

STEERED = [
    Case("IPv6", Ether(src=US, dst=LAN) / IPv6(dst="2001:db8::1") / UDP(), "dropped_ipv6"),
    Case("a VLAN tag", Ether(src=US, dst=LAN) / Dot1Q(vlan=7) / frame()[IP], "dropped_vlan_tagged"),
    Case("a provider's tag", Ether(src=US, dst=LAN) / Dot1AD(vlan=7) / frame()[IP], "dropped_vlan_tagged"),
    Case("LLDP", Ether(src=US, dst=LAN, type=0x88CC) / Raw(bytes(46)), "dropped_other"),
    Case("an EtherType that is a length", Ether(src=US, dst=LAN, type=46) / Raw(bytes(46)), "dropped_other"),
]


@pytest.mark.parametrize("case", DROPPED, ids=lambda case: case.why)
def test_dropped_by_name(lab: Lab, account: Account, onprem: Injector, case: Case) -> None:
    before = lab.counters("firewall")["inside"]
    onprem.send(case.data, 10)
    account.dropped("lan", case.reason, 10)
    assert lab.counters("firewall")["inside"] == before


@pytest.mark.parametrize("case", STEERED, ids=lambda case: case.why)
def test_dropped_by_steering(account: Account, onprem: Injector, case: Case) -> None:
    onprem.send(case.data, 10)
    account.steered("lan", case.reason, 10)


@pytest.mark.parametrize(
    ("why", "packet"),
    [
        ("no operation options", frame(options=[IPOption_NOP()] * 4)),
        ("an option nobody knows", frame(options=[IPOption(b"\x9e\x04\x00\x00")])),
        ("a first fragment", frame(flags="MF", id=77, size=64)),
        ("a last fragment", frame(frag=9, id=78, size=64)),
        ("padding after the packet", bytes(frame()) + bytes(11)),
        ("exactly the egress MTU", frame(size=EGRESS_MTU - 28)),
        ("TTL 2", frame(ttl=2)),
        ("a priority, and no VLAN", Ether(src=US, dst=LAN) / Dot1Q(vlan=0, prio=5) / frame(id=79)[IP]),
    ],
)
def test_odd_and_forwarded(
    lab: Lab, account: Account, onprem: Injector, why: str, packet: Packet | bytes
) -> None:
    """Unusual, legitimate: the IPv4 packet leaves as it came but for TTL and checksum."""
    sent = Ether(bytes(packet))[IP]
    expected = IP(bytes(sent)[: sent.len])
    expected.ttl -= 1
    del expected.chksum
    with Capture(
        lab, "firewall", "inside", only=lambda seen: seen[IP].src == sent.src if IP in seen else False
    ) as seen:
        onprem.send(packet, 10)
        for got in seen.wait(10):
            assert bytes(got[IP])[: sent.len] == bytes(expected)
    account.forwarded("lan", "egress", 10)


@pytest.mark.parametrize("destination", ["224.0.0.5", "255.255.255.255"])
def test_group_and_broadcast_are_the_kernels(
    lab: Lab, account: Account, onprem: Injector, destination: str
) -> None:
    """They reach the host stack (VRRP, DHCP) and are never forwarded."""
    before, inside = account.before.counts["lan.steer.passed_broadcast"], lab.counters("firewall")["inside"]
    onprem.send(Ether(src=US, dst="ff:ff:ff:ff:ff:ff") / frame(destination=destination)[IP], 10)
    account.expect({})
    assert Account(account.appliance).before.counts["lan.steer.passed_broadcast"] == before + 10
    assert lab.counters("firewall")["inside"] == inside


def test_two_thousand_mutations(account: Account, onprem: Injector) -> None:
    """Bytes changed at random: whatever they mean, each frame is in exactly one counter."""
    chance = random.Random(20)
    sent = 0
    for _ in range(2000):
        data = bytearray(bytes(frame(size=chance.randrange(64), destination=STREAM)))
        for _ in range(chance.randrange(1, 5)):
            data[chance.randrange(12, len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(14, len(data)) :]
        onprem.send(bytes(data))
        sent += 1

    def counted() -> bool:
        before, now = account.before.counts, Account(account.appliance).before.counts
        change = {name: now[name] - before[name] for name in now.keys() | before.keys()}
        steered = sum(n for name, n in change.items() if name.startswith("lan.steer."))
        ended = (
            sum(n for name, n in change.items() if ".drop." in name) + change["egress.tx"] + change["lan.tx"]
        )
        received = change["lan.rx"] + change["egress.rx"]
        return steered >= sent and change["lan.steer.redirected"] == change["lan.rx"] and received == ended

    wait_until("every mutation in a counter", counted)


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00\x00\x00\x00",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x04abcd",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x00",
    ],
)
@pytest.mark.parametrize("who", ["dataplane", "control"])
def test_noise_on_a_socket(appliance: Appliance, who: str, noise: bytes) -> None:
    path = appliance.dataplane_socket if who == "dataplane" else appliance.socket
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(path))
        client.sendall(noise)
        client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):  # a reset is as good an answer as an end
            while client.recv(4096):
                pass
    assert appliance.ready()


def test_sockets_are_private(appliance: Appliance) -> None:
    for path in (appliance.dataplane_socket, appliance.socket):
        assert Path(path).stat().st_mode & 0o777 == 0o600
