# SPDX-License-Identifier: BSD-3-Clause
"""NICs that DPDK owns, on uio_pci_generic: transit through net_virtio, the kernel's part through companions."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.process import wait_until
from lab.topology import (
    EGRESS,
    FIREWALL,
    FIREWALL_OUTSIDE,
    KMS,
    LAN,
    MACS,
    ONPREM_GATEWAY,
    VNET,
    WEB,
    Lab,
)
from lab.transfer import download, upload
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether

from vm import machine
from vm.machine import EGRESS_NIC, LAN_NIC, READY_SECONDS, VirtualLab

ECHO_PORT = 4002


@pytest.fixture(scope="module")
def appliance(lab: VirtualLab) -> Iterator[Appliance]:
    edits = []
    # The default route of the tests before leaves by the egress.
    lab.guest.run(f"bind-nic --force {LAN_NIC.address} {EGRESS_NIC.address}")
    for nic, netdev, address in ((LAN_NIC, "lan0", LAN), (EGRESS_NIC, "egress0", EGRESS)):
        edits.append((f'"af_xdp:{netdev}"', f'"{nic.address}"\naddress = ["{address}/24"]'))
    appliance = machine.appliance(lab, config.adapted(lab, *edits))
    appliance.start(READY_SECONDS)
    yield appliance
    appliance.stop()
    lab.guest.run(f"bind-nic --unbind {LAN_NIC.address} {EGRESS_NIC.address}")


class Echo:
    """A TCP session from on-premises to a server in the guest that says what it hears."""

    def __init__(self, lab: Lab) -> None:
        self.socket = lab["onprem"].socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(READY_SECONDS)
        self.socket.connect((LAN, ECHO_PORT))

    def say(self, words: bytes) -> None:
        self.socket.sendall(words)

    def hear(self, words: bytes) -> None:
        heard = b""
        while len(heard) < len(words):
            piece = self.socket.recv(len(words) - len(heard))
            assert piece, "the session ended"
            heard += piece
        assert heard == words


@pytest.fixture
def echo(lab: VirtualLab, appliance: Appliance) -> Iterator[Echo]:
    server = lab.spawn("nva", "echo", "nc", "-ll", "-p", str(ECHO_PORT), "-e", "cat")
    listening = f"netstat -lnt | grep -q :{ECHO_PORT}"
    wait_until("the server", lambda: lab.guest.shell(listening).returncode == 0)
    session = Echo(lab)
    yield session
    session.socket.close()
    server.stop()
    lab.forget(server)


def test_the_ports_are_dpdks(appliance: Appliance) -> None:
    ports = appliance.ports()
    assert {name: port["driver"] for name, port in ports.items()} == {
        "lan": "net_virtio",
        "egress": "net_virtio",
    }
    assert {name: port["mac"] for name, port in ports.items()} == {
        "lan": LAN_NIC.mac,
        "egress": EGRESS_NIC.mac,
    }


def test_bind_nic_says_who_has_them(lab: VirtualLab, appliance: Appliance) -> None:
    rows = [line.split() for line in lab.guest.run("bind-nic").splitlines()[1:]]
    assert rows == [[nic.address, "uio_pci_generic", "-", "-", "-", "-"] for nic in (LAN_NIC, EGRESS_NIC)]
    # What driverctl's service does again at the next start.
    for nic in (LAN_NIC, EGRESS_NIC):
        assert lab.guest.run(f"cat /etc/driverctl.d/pci-{nic.address}") == "uio_pci_generic\n"


def test_a_nic_in_use_stays_bound(lab: VirtualLab, appliance: Appliance) -> None:
    done = lab.guest.shell(f"bind-nic --unbind {LAN_NIC.address}")
    assert done.returncode == 1 and "in use by process" in done.stderr


@pytest.mark.parametrize("space", ["onprem", "vnet"])
def test_web_page_through_the_firewall(lab: VirtualLab, appliance: Appliance, space: str) -> None:
    before, seen = lab.counters(), len(lab.seen_clients("web"))
    assert "Hello from behind the checkpoint" in lab.fetch(space, timeout=30)
    assert lab.seen_clients("web")[seen:] == [FIREWALL_OUTSIDE]
    after = lab.counters()
    assert after["firewall"] - before["firewall"] == after["arrived"] - before["arrived"] > 0


def test_thousand_packets_are_thousand_packets(
    lab: VirtualLab, appliance: Appliance, onprem: Injector
) -> None:
    with Capture(lab, "firewall", "inside") as seen:
        machine.send(lab, onprem, frame(ttl=17), 10)
        packets = seen.wait(1000)
    assert {(packet[Ether].src, packet[IP].ttl) for packet in packets} == {(MACS["nva", "egress0"], 16)}


@contextlib.contextmanager
def mtu_of(lab: VirtualLab, appliance: Appliance, port: str) -> Iterator[None]:
    """The configuration gives the port an MTU of 1400 for a while, and nobody remembers it from before."""
    text = appliance.config.read_text()
    device = {"lan": LAN_NIC, "egress": EGRESS_NIC}[port].address

    def be(mtu: int, config: str) -> None:
        lab.guest.write(appliance.config, config)
        appliance.reload()
        wait_until("the MTU", lambda: appliance.ports()[port]["mtu"] == mtu, READY_SECONDS)
        appliance.wait_ready(READY_SECONDS)
        for space in ("onprem", "internet", "firewall"):
            lab[space].ip("route", "flush", "cache")

    be(1400, text.replace(f'\ndevice = "{device}"', f'\nmtu = 1400\ndevice = "{device}"'))
    try:
        yield
    finally:
        be(1500, text)


@pytest.mark.parametrize(("port", "transfer"), [("egress", upload), ("lan", download)])
def test_tcp_finds_the_mtu_of_a_port(
    lab: VirtualLab, appliance: Appliance, port: str, transfer: Callable[[Lab, str], None]
) -> None:
    with mtu_of(lab, appliance, port):
        account = Account(appliance)
        transfer(lab, WEB)
        other = {"egress": "lan", "lan": "egress"}[port]
        wait_until("the error", lambda: f"{other}.icmp.fragmentation_needed" in account.errors())


JUMBO = 9000


@pytest.fixture
def jumbo(lab: VirtualLab, appliance: Appliance) -> Iterator[None]:
    """Both ports and the way to the firewall take packets of 9,000 bytes."""
    text = appliance.config.read_text()
    ends = [("onprem", "eth0"), ("firewall", "inside"), ("fabric", "onprem-eth0"), ("fabric", "firewall-inside")]
    ends += [("fabric", nic.tap) for nic in (LAN_NIC, EGRESS_NIC)]

    def be(mtu: int, config: str) -> None:
        for space, netdev in ends:
            lab[space].ip("link", "set", netdev, "mtu", str(mtu))
        lab.guest.write(appliance.config, config)
        appliance.reload()
        wait_until(
            "the MTU", lambda: {port["mtu"] for port in appliance.ports().values()} == {mtu}, READY_SECONDS
        )
        appliance.wait_ready(READY_SECONDS)

    try:
        be(JUMBO, text.replace("\ndevice =", f"\nmtu = {JUMBO}\ndevice ="))
        yield
    finally:
        be(1500, text)


def test_packets_of_9000_bytes(lab: VirtualLab, appliance: Appliance, onprem: Injector, jumbo: None) -> None:
    """In several buffers each, of the usual pool."""
    longest = frame(size=JUMBO - 28, ttl=17)
    assert len(longest[IP]) == JUMBO
    with Capture(lab, "firewall", "inside") as seen:
        onprem.send(longest, 20)
        packets = seen.wait(20, READY_SECONDS)
    assert {bytes(packet[IP].payload) for packet in packets} == {bytes(longest[IP].payload)}
    assert {packet[IP].ttl for packet in packets} == {16}
    # By the host's ring and the companion, and back.
    assert " 3 received" in lab["onprem"].run("ping", "-n", "-c", "3", "-W", "20", "-M", "do", "-s", str(JUMBO - 28), LAN)
    with Capture(lab, "onprem", only=lambda packet: ICMP in packet and packet[ICMP].type == 11) as answers:
        onprem.send(frame(size=JUMBO - 28, ttl=1))
        (answer,) = answers.wait(1, READY_SECONDS)
    assert bytes(answer[ICMP])[8:] == bytes(frame(size=JUMBO - 28, ttl=1)[IP])[:548]


def test_traceroute_shows_the_appliance(lab: VirtualLab, appliance: Appliance) -> None:
    assert LAN in lab["onprem"].run("traceroute", "-n", "-q", "1", "-m", "2", "-w", "10", WEB)


def test_between_vnet_and_onprem(lab: VirtualLab, appliance: Appliance, onprem: Injector) -> None:
    with Capture(lab, "vnet") as seen:
        onprem.send(frame(destination=VNET), 20)
        assert {packet[Ether].src for packet in seen.wait(20)} == {MACS["nva", "lan0"]}


def test_what_may_not_pass(lab: VirtualLab, appliance: Appliance, onprem: Injector) -> None:
    refused = {
        "lan.drop.spoofed_source": frame(source="8.8.8.8"),
        "lan.drop.null_route": frame(destination="192.168.1.1"),
        "lan.drop.bad_checksum": frame(chksum=0xDEAD),
    }
    account, inside = Account(appliance), lab.counters("firewall")["inside"]
    for packet in refused.values():
        onprem.send(packet, 25)

    def drops() -> dict[str, int]:
        return {name: count for name, count in account.changes().items() if ".drop." in name}

    wait_until("the drops", lambda: drops() == dict.fromkeys(refused, 25))
    assert lab.counters("firewall")["inside"] == inside


@pytest.mark.parametrize(("space", "address"), [("onprem", LAN), ("firewall", EGRESS)])
def test_arp_and_ping_to_the_ports(lab: VirtualLab, appliance: Appliance, space: str, address: str) -> None:
    lab[space].ip("neigh", "flush", "to", address)
    assert " 3 received" in lab[space].run("ping", "-n", "-c", "3", "-i", "0.05", "-W", "10", address)


@pytest.mark.parametrize("address", [ONPREM_GATEWAY, FIREWALL])
def test_arp_and_ping_from_the_guest(lab: VirtualLab, appliance: Appliance, address: str) -> None:
    lab.guest.run(f"ip neigh flush to {address}")
    assert " 3 packets received" in lab.guest.run(f"ping -c 3 -W 10 {address}")


def test_an_exception_leaves_masqueraded(lab: VirtualLab, appliance: Appliance) -> None:
    before, inside = lab.counters(), lab.counters("firewall")["inside"]
    assert lab.activate() == "KMS"
    assert lab.seen_clients("kms")[-1] == EGRESS
    assert lab.counters("firewall")["inside"] == inside
    assert lab.counters()["unnatted"] == before["unnatted"]


def test_neighbours_of_an_exception_do_not_leave(
    lab: VirtualLab, appliance: Appliance, onprem: Injector
) -> None:
    last = int(KMS.rpartition(".")[2])
    with Capture(lab, "firewall", "inside") as seen:
        for neighbour in (last - 1, last + 1):
            onprem.send(frame(destination=f"{KMS.rpartition('.')[0]}.{neighbour}"), 10)
        seen.wait(20)


def test_a_session_survives_the_dataplane(lab: VirtualLab, appliance: Appliance, echo: Echo) -> None:
    companion = "cat /sys/class/net/sk-lan/ifindex"
    before, index = lab.counters(), lab.guest.run(companion)
    echo.say(b"before")
    echo.hear(b"before")
    appliance.kill_dataplane()
    echo.say(b"while it is dead")
    assert lab.guest.run(companion) == index
    appliance.start_dataplane()
    appliance.wait_ready(READY_SECONDS)
    echo.hear(b"while it is dead")
    echo.say(b"after")
    echo.hear(b"after")
    assert lab.guest.run(companion) == index
    assert "Hello from behind the checkpoint" in lab.fetch(timeout=30)
    after = lab.counters()
    assert after["firewall"] - before["firewall"] == after["arrived"] - before["arrived"] > 0
