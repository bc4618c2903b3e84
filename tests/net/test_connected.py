# SPDX-License-Identifier: BSD-3-Clause
"""Hosts on a port's subnet that no next hop names: zones with `connected = true` reach them, others do not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab import config
from lab.account import Account, Audit
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.process import wait_until
from lab.topology import MACS, ONPREM, Lab
from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether

pytestmark = pytest.mark.usefixtures("manuals_neighbour_timers")

HOST = "10.0.1.7"  # of the VNet's namespace, beside the address that a next hop names
NEXT_HOP = "host-10-0-1-7"
ABSENT = "10.0.1.99"
ZONE = '[zone.onprem]\nport     = ["lan"]\n'


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    lab["vnet"].ip("address", "add", f"{HOST}/24", "dev", "eth0")
    appliance = Appliance(lab, config.adapted(lab, (ZONE, f"{ZONE}connected = true\n")))
    appliance.start()
    return appliance


@pytest.fixture(scope="module")
def audit(lab: Lab, appliance: Appliance) -> Audit:
    return Audit(lab, appliance)


@pytest.fixture(autouse=True)
def every_packet_is_accounted_for(audit: Audit) -> Iterator[None]:
    yield
    for line in audit.lines():
        assert line.holds, str(line)


def explained(appliance: Appliance, destination: str) -> tuple[str, str | None]:
    """Next hop and drop reason; the dataplane says the same."""
    said = appliance.explain(ONPREM, destination)
    assert said["dataplane"]["agrees"], said["dataplane"]
    assert (said["verdict"] == "wait") is (said["drop_reason"] == "neighbour_unresolved")
    return said["next_hop"], said["drop_reason"]


def host_is_known(appliance: Appliance) -> bool:
    return any(hop["name"] == NEXT_HOP and "index" in hop for hop in appliance.json("show", "next-hops"))


def test_a_host_is_reached_from_its_first_packet_on(
    lab: Lab, appliance: Appliance, audit: Audit, onprem: Injector
) -> None:
    assert explained(appliance, HOST) == ("connected", "neighbour_unresolved")
    account = Account(appliance)
    with Capture(lab, "vnet") as seen:
        onprem.send(frame(destination=HOST))
        assert seen.wait(1)[0][Ether].dst == MACS["vnet", "eth0"], "it has waited for the host's address"
    account.forwarded("lan", "lan", 1)
    wait_until("the host", lambda: host_is_known(appliance))
    account = Account(appliance)
    with Capture(lab, "vnet") as seen:
        onprem.send(frame(destination=HOST), 100)
        packets = seen.wait(100)
    account.forwarded("lan", "lan", 100)
    assert {packet[Ether].dst for packet in packets} == {MACS["vnet", "eth0"]}
    assert {packet[UDP].dport for packet in packets} == {4001}
    assert explained(appliance, HOST) == (NEXT_HOP, None)
    routes = appliance.json("show", "routes", "--zone", "onprem")
    assert {route["source"] for route in routes if route["prefix"] == f"{HOST}/32"} == {"host on port lan"}


def expect_waited(account: Account, packets: int) -> None:
    """Four of them for 2.5 s, and their sender was told that it was for nothing."""
    account.expect(
        {
            "lan.steer.redirected": packets,
            "lan.rx": packets,
            "lan.drop.neighbour_unresolved": 4,
            "lan.drop.neighbour_queue_full": packets - 4,
        }
    )
    account.said({"lan.icmp.host_unreachable": 4})


def test_one_that_is_not_there_is_not(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    account = Account(appliance)
    onprem.send(frame(destination=ABSENT), 10)
    expect_waited(account, 10)
    neighbours = lab["nva"].ip
    wait_until("the kernel's verdict", lambda: "FAILED" in neighbours("neighbour", "show", ABSENT, "dev", "lan0"))
    assert explained(appliance, ABSENT) == ("connected", "neighbour_unresolved")
    account = Account(appliance)
    onprem.send(frame(destination=ABSENT), 10)
    expect_waited(account, 10)


def test_control_returns_and_the_host_is_reached_throughout(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    appliance.kill_control()
    appliance.start_control()
    appliance.wait_ready()
    assert host_is_known(appliance)
    account = Account(appliance)
    with Capture(lab, "vnet") as seen:
        onprem.send(frame(destination=HOST), 100)
        seen.wait(100)
    account.forwarded("lan", "lan", 100)


@pytest.mark.parametrize("edge", ["10.0.2.0", "10.0.2.255"])
def test_network_and_broadcast_address_are_dropped(appliance: Appliance, onprem: Injector, edge: str) -> None:
    account = Account(appliance)
    onprem.send(frame(destination=edge), 10)
    account.dropped("lan", "null_route", 10)


def test_a_user_route_of_the_prefix_goes_before_it(appliance: Appliance, onprem: Injector) -> None:
    appliance.json("route", "add", "10.0.1.0/24", "None", "--zone", "onprem")
    account = Account(appliance)
    onprem.send(frame(destination=HOST), 10)
    onprem.send(frame(destination=ABSENT), 10)
    account.dropped("lan", "null_route", 20)
    assert explained(appliance, HOST) == ("None", "null_route")
    appliance.json("route", "del", "10.0.1.0/24", "--zone", "onprem")
    assert explained(appliance, HOST) == (NEXT_HOP, None)


def test_a_host_that_leaves_is_forgotten(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    lab["vnet"].ip("address", "del", f"{HOST}/24", "dev", "eth0")
    wait_until("the host to be gone", lambda: not host_is_known(appliance))
    account = Account(appliance)
    onprem.send(frame(destination=HOST), 10)
    expect_waited(account, 10)
    lab["vnet"].ip("address", "add", f"{HOST}/24", "dev", "eth0")

    def returned() -> bool:
        onprem.send(frame(destination=HOST))
        return host_is_known(appliance)

    wait_until("the host to return", returned, interval=0.2)


def test_without_it_nothing_changes(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    appliance.config.write_text(appliance.config.read_text().replace("connected = true\n", ""))
    appliance.reload()
    assert not host_is_known(appliance)
    assert all(hop["action"] != "connected" for hop in appliance.json("show", "next-hops"))
    assert explained(appliance, HOST) == ("vnet-gateway", None)
    account = Account(appliance)
    with Capture(lab, "vnet") as seen:
        onprem.send(frame(destination=HOST), 10)
        seen.wait(10)
    account.forwarded("lan", "lan", 10)
