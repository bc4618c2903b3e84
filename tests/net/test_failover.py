# SPDX-License-Identifier: BSD-3-Clause
"""Firewalls, control and the dataplane die and come back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.process import wait_until
from lab.stream import Stream
from lab.topology import FIREWALL, FIREWALL2, MACS, STREAM, Lab
from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

pytestmark = pytest.mark.usefixtures("manuals_neighbour_timers")

FLOWS = 64


def neighbours(lab: Lab) -> str:
    """As the appliance's kernel has them, also those that do not answer."""
    return lab["nva"].run("ip", "neigh", "show", "nud", "all")


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    appliance = Appliance(lab, config.with_two_firewalls(lab))
    appliance.start()
    wait_until("both firewalls", lambda: appliance.next_hops()["firewall"] == 2)
    return appliance


@pytest.fixture(autouse=True)
def both_firewalls(lab: Lab, appliance: Appliance) -> Iterator[None]:
    yield
    for space in ("firewall", "firewall2"):
        lab.link_up(space)
    wait_until("both firewalls", lambda: appliance.ready() and appliance.next_hops()["firewall"] == 2)


def flows() -> list[Packet]:
    packets = [frame() for _ in range(FLOWS)]
    for number, packet in enumerate(packets):
        packet[UDP].sport = 5000 + number
    return packets


def firewall_of_each_flow(lab: Lab, appliance: Appliance, onprem: Injector) -> dict[int, str]:
    """Where each of the flows leaves for, by source port; every packet exactly once."""
    account = Account(appliance)
    with Capture(lab, "fabric", "nva-egress0") as seen:
        for packet in flows():
            onprem.send(packet)
        got = seen.wait(FLOWS)
    account.forwarded("lan", "egress", FLOWS)
    names = {MACS["firewall", "inside"]: "firewall", MACS["firewall2", "inside"]: "firewall2"}
    return {packet[UDP].sport: names[packet[Ether].dst] for packet in got}


def test_a_firewall_dies_while_a_reload_waits_for_a_new_gateway(lab: Lab, appliance: Appliance) -> None:
    """Nobody answers for the new one, so the reload waits as long as it ever does; the dead one is not kept meanwhile."""
    text = appliance.config.read_text()

    def dies_meanwhile(absent: str) -> bool:
        """Unless the reload, which waits for a second, was over before it died."""
        before = appliance.json("show", "state")["dataplane"]["transaction"]
        try:
            appliance.config.write_text(text + f'\n[next_hop.absent]\nmembers = ["{absent}"]\n')
            with ThreadPoolExecutor() as pool:
                reloading = pool.submit(appliance.reload)
                wait_until("control to ask for the new gateway", lambda: absent in neighbours(lab))
                lab.link_down("firewall")  # who still answered would be up again at once
                lab["nva"].ip("neigh", "change", FIREWALL, "dev", "egress0", "nud", "failed")
                is_in_time = not reloading.done()
                committed = reloading.result()
            if is_in_time:  # would the death wait, too, it would be part of the reload's transaction
                assert committed["transaction"] >= before + 2
            return is_in_time
        finally:
            appliance.config.write_text(text)
            lab.link_up("firewall")
            wait_until("both firewalls", lambda: appliance.next_hops()["firewall"] == 2)
            appliance.reload()

    assert any(dies_meanwhile(f"10.0.2.{number}") for number in range(95, 100))


def test_a_firewall_dies_and_returns(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """Only the dead one's flows move; when it is back, each flow is where it was."""
    before = firewall_of_each_flow(lab, appliance, onprem)
    assert set(before.values()) == {"firewall", "firewall2"}
    lab.link_down("firewall")
    wait_until("one firewall", lambda: appliance.next_hops()["firewall"] == 1)
    during = firewall_of_each_flow(lab, appliance, onprem)
    assert set(during.values()) == {"firewall2"}
    lab.link_up("firewall")
    wait_until("both firewalls", lambda: appliance.next_hops()["firewall"] == 2)
    assert firewall_of_each_flow(lab, appliance, onprem) == before


def test_no_firewall_no_internet(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    for space in ("firewall", "firewall2"):
        lab.link_down(space)
    wait_until("no firewall", lambda: appliance.next_hops()["firewall"] == 0)
    arrived = lab.counters()["arrived"]
    account = Account(appliance)
    onprem.send(frame(), 500)
    account.dropped("lan", "next_hop_down", 500)
    assert lab.counters()["arrived"] == arrived
    said = appliance.explain("172.16.0.10", STREAM)
    assert (said["verdict"], said["drop_reason"]) == ("drop", "next_hop_down")
    for space in ("firewall", "firewall2"):
        lab.link_up(space)
    wait_until("both firewalls", lambda: appliance.next_hops()["firewall"] == 2)
    account = Account(appliance)
    with Capture(lab, "internet") as seen:
        onprem.send(frame(), 500)
        seen.wait(500)
    account.forwarded("lan", "egress", 500)


def test_other_next_hops_do_not_care(lab: Lab, appliance: Appliance) -> None:
    for space in ("firewall", "firewall2"):
        lab.link_down(space)
    wait_until("no firewall", lambda: appliance.next_hops()["firewall"] == 0)
    assert lab.activate() == "KMS"


def test_the_appliances_own_link_down(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    lab["fabric"].ip("link", "set", "nva-egress0", "down")
    wait_until("nothing alive by egress", lambda: appliance.next_hops()["firewall"] == 0)
    account = Account(appliance)
    onprem.send(frame(), 100)
    account.dropped("lan", "next_hop_down", 100)
    lab["fabric"].ip("link", "set", "nva-egress0", "up")
    wait_until("both firewalls", lambda: appliance.next_hops()["firewall"] == 2)
    assert "Hello" in lab.fetch()


def test_control_killed_under_a_stream(lab: Lab, appliance: Appliance) -> None:
    with Stream(lab, STREAM) as stream:
        stream.wait_received(1000)
        for _ in range(3):
            appliance.kill_control()
            stream.wait_more(8_000)
            appliance.start_control()
            appliance.wait_ready()
            stream.wait_more(8_000)
        stream.stop()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result


def test_control_returns_to_a_kernel_that_has_forgotten_the_neighbours(
    lab: Lab, appliance: Appliance
) -> None:
    """What the dataplane forwarded to is alive until the kernel says otherwise."""
    with Stream(lab, STREAM) as stream:
        stream.wait_received(1000)
        for _ in range(3):
            appliance.kill_control()
            for member in (FIREWALL, FIREWALL2):
                lab["nva"].ip("neighbour", "delete", member, "dev", "egress0")
            appliance.start_control()
            appliance.wait_ready()
            stream.wait_more(10_000)
        stream.stop()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result


def test_control_changes_nothing_when_it_returns(appliance: Appliance) -> None:
    appliance.kill_control()
    appliance.start_control()
    appliance.wait_ready()
    assert appliance.reload()["next_hops_changed"] == 0


def test_the_dataplane_returns(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """Control rebuilds it; the steering program that the dead one left is no obstacle."""
    for _ in range(2):
        appliance.kill_dataplane()
        appliance.start_dataplane()
        appliance.wait_ready()
        wait_until("both firewalls", lambda: appliance.next_hops()["firewall"] == 2)
        assert "Hello" in lab.fetch()
    account = Account(appliance)
    onprem.send(frame(), 100)
    account.forwarded("lan", "egress", 100)


def test_clean_stop_and_start(lab: Lab, appliance: Appliance) -> None:
    appliance.stop()
    appliance.start()
    assert "Hello" in lab.fetch()
