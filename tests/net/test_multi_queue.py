"""Two receive queues and two workers: every packet once, a flow by one queue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab import config
from lab.account import Account
from lab.appliance import MAIN_CPU, WORKER_CPU, Appliance
from lab.frames import Capture, Injector, frame
from lab.stream import Stream
from lab.topology import STREAM, Lab
from scapy.layers.inet import UDP


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(queues=2) as lab:
        yield lab


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    appliance = Appliance(lab, config.adapted(lab), workers=[MAIN_CPU, WORKER_CPU])
    appliance.start()
    return appliance


def test_two_queues_two_lcores(appliance: Appliance) -> None:
    for port in appliance.ports().values():
        assert port["rx_queues"] == 2
        assert len(set(port["lcores"])) == 2


def test_many_flows(lab: Lab, appliance: Appliance, account: Account, onprem: Injector) -> None:
    def bursts() -> list[int]:
        return [worker["bursts"] for worker in appliance.stats()["workers"]]

    before = bursts()
    with Capture(lab, "internet") as seen:
        for number in range(500):
            packet = frame()
            packet[UDP].sport = 10_000 + number
            onprem.send(packet, 2)
        seen.wait(1000)
    account.forwarded("lan", "egress", 1000)
    assert all(now > then for now, then in zip(bursts(), before, strict=True)), "a worker saw nothing"


def test_a_flow_keeps_its_order(lab: Lab) -> None:
    with Stream(lab, STREAM, seconds=3) as stream:
        result = stream.finish()
    assert (result.lost, result.duplicated, result.reordered) == (0, 0, 0), result
