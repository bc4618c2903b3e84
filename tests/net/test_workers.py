# SPDX-License-Identifier: BSD-3-Clause
"""Two workers, two queues a port: each worker receives from its queue and transmits on its own.

DPDK 22.11's AF_XDP driver takes several queues only from devices with combined channels. A veth has none; a TAP has as many
as somebody opens it, so here both ports are TAPs and the test itself is what is behind them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from collections.abc import Iterator

import pytest
from lab import config
from lab.account import Account
from lab.appliance import MAIN_CPU, WORKER_CPU, Appliance
from lab.frames import MARK, frame
from lab.topology import (
    EGRESS,
    FIREWALL,
    GATEWAY2,
    KMS,
    LAN,
    MACS,
    ONPREM,
    ONPREM_GATEWAY,
    ROUTER,
    VNET,
    Lab,
)
from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE = 0x2, 0x1000, 0x100


class Tap:
    """A TAP of the appliance with two queues, in the place of its veth."""

    def __init__(self, lab: Lab, name: str, address: str, neighbours: dict[str, str]) -> None:
        nva = lab["nva"]
        nva.ip("link", "delete", name)
        request = struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE)
        with nva.entered():
            self.queues = [os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK) for _ in range(2)]
            for queue in self.queues:
                fcntl.ioctl(queue, TUNSETIFF, request)
        nva.ip("link", "set", name, "address", MACS["nva", name], "up")
        nva.ip("address", "add", f"{address}/24", "brd", "+", "dev", name)
        for neighbour, mac in neighbours.items():
            nva.ip("neigh", "replace", neighbour, "lladdr", mac, "dev", name, "nud", "permanent")

    def send(self, queue: int, data: bytes) -> None:
        os.write(self.queues[queue], data)

    def read(self) -> list[bytes]:
        """Our frames that came out, of both queues."""
        frames = []
        for queue in self.queues:
            with contextlib.suppress(BlockingIOError):
                while True:
                    data = os.read(queue, 2048)
                    if MARK in data:
                        frames.append(data)
        return frames

    def close(self) -> None:
        for queue in self.queues:
            os.close(queue)


@pytest.fixture(scope="module")
def lan(lab: Lab) -> Iterator[Tap]:
    gateways = {ONPREM_GATEWAY: MACS["onprem", "eth0"], VNET: MACS["vnet", "eth0"]}
    tap = Tap(lab, "lan0", LAN, gateways)
    yield tap
    tap.close()


@pytest.fixture(scope="module")
def egress(lab: Lab) -> Iterator[Tap]:
    gateways = {
        address: MACS[space, "inside"]
        for address, space in ((FIREWALL, "firewall"), (GATEWAY2, "gateway2"), (ROUTER, "router"))
    }
    tap = Tap(lab, "egress0", EGRESS, gateways)
    yield tap
    tap.close()


@pytest.fixture(scope="module")
def appliance(lab: Lab, lan: Tap, egress: Tap) -> Appliance:
    assert MAIN_CPU != WORKER_CPU, "two workers need two CPUs"
    appliance = Appliance(lab, config.adapted(lab), workers=[MAIN_CPU, WORKER_CPU])
    appliance.start()
    return appliance


def bursts(appliance: Appliance) -> list[int]:
    return [worker["bursts"] for worker in appliance.stats()["workers"]]


def test_two_queues_two_lcores(appliance: Appliance) -> None:
    for port in appliance.ports().values():
        assert (port["rx_queues"], sorted(port["lcores"])) == (2, [MAIN_CPU, WORKER_CPU])


@pytest.mark.parametrize("queue", [0, 1])
def test_a_queue_is_one_workers(appliance: Appliance, lan: Tap, egress: Tap, queue: int) -> None:
    account, before = Account(appliance), bursts(appliance)
    for _ in range(100):
        lan.send(queue, bytes(frame()))
    account.forwarded("lan", "egress", 100)
    assert len(egress.read()) == 100
    assert sum(now > then for now, then in zip(bursts(appliance), before, strict=True)) == 1


def test_both_directions_at_once(appliance: Appliance, lan: Tap, egress: Tap) -> None:
    """Every packet once, and in a flow's order."""
    account = Account(appliance)
    to_internet, to_onprem = [], []
    for number in range(200):
        for queue in (0, 1):
            packet = frame()
            packet[UDP].sport = 5000 + 1000 * queue + number
            lan.send(queue, bytes(packet))
            packet = frame(source=KMS, destination=ONPREM, to="egress0")
            egress.send(queue, bytes(packet))
        to_internet += egress.read()
        to_onprem += lan.read()
    each = {f"{port}.{what}": 400 for port in ("lan", "egress") for what in ("rx", "tx", "steer.redirected")}
    account.expect(each)
    to_internet += egress.read()
    to_onprem += lan.read()
    assert len(to_onprem) == 400
    sources = [int(Ether(data)[UDP].sport) for data in to_internet]
    assert sorted(sources) == [*range(5000, 5200), *range(6000, 6200)]
    for first in (5000, 6000):
        of_one = [source for source in sources if first <= source < first + 200]
        assert of_one == sorted(of_one)
