"""Two workers, each with the receive queue of one port: what one received the other's port transmits.

(DPDK 22.11's AF_XDP driver takes several queues only from devices with combined channels, which a veth has not.)
"""

from __future__ import annotations

import pytest
from lab import config
from lab.account import Account
from lab.appliance import MAIN_CPU, WORKER_CPU, Appliance
from lab.frames import Capture, Injector, frame
from lab.stream import Stream
from lab.topology import KMS, ONPREM, STREAM, Lab


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    assert MAIN_CPU != WORKER_CPU, "two workers need two CPUs"
    appliance = Appliance(lab, config.adapted(lab), workers=[MAIN_CPU, WORKER_CPU])
    appliance.start()
    return appliance


def bursts(appliance: Appliance) -> list[int]:
    return [worker["bursts"] for worker in appliance.stats()["workers"]]


def test_a_port_each(appliance: Appliance) -> None:
    lcores = [tuple(port["lcores"]) for port in appliance.ports().values()]
    assert sorted(lcores) == [(MAIN_CPU,), (WORKER_CPU,)]


def test_both_directions(
    lab: Lab, appliance: Appliance, account: Account, onprem: Injector, firewall: Injector
) -> None:
    before = bursts(appliance)
    with Capture(lab, "internet") as outside, Capture(lab, "onprem") as inside:
        for _ in range(500):
            onprem.send(frame())
            firewall.send(frame(source=KMS, destination=ONPREM, to="egress0"))
        outside.wait(500)
        inside.wait(500)
    expected = {
        f"{port}.{what}": 500 for port in ("lan", "egress") for what in ("rx", "tx", "steer.redirected")
    }
    account.expect(expected)
    assert all(
        now > then for now, then in zip(bursts(appliance), before, strict=True)
    ), "a worker saw nothing"


def test_a_web_page(lab: Lab, appliance: Appliance) -> None:
    assert "Hello" in lab.fetch()


def test_a_flow_keeps_its_order(lab: Lab, appliance: Appliance) -> None:
    with Stream(lab, STREAM, seconds=3) as stream:
        result = stream.finish()
    assert (result.lost, result.duplicated, result.reordered) == (0, 0, 0), result
