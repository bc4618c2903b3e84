# SPDX-License-Identifier: BSD-3-Clause
"""Routes learned from the kernel, by FRR and by hand: on real packets, through daemons that die and come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.frr import Frr, importer
from lab.process import wait_until
from lab.stream import Stream
from lab.topology import LAN, ONPREM, ONPREM_GATEWAY, VNET, Lab

LEARNED = "192.168.77.0/24"
HOST = "192.168.77.10"
TABLE = "100"
BACK = "all learned routes that were held are back"
TWO_GATEWAYS = "bgp-10-0-1-1-ae8a6ea0"  # the next hop that is made for 10.0.1.1 and 10.0.1.20

PEER = f"""
router bgp 65515
 bgp router-id {ONPREM_GATEWAY}
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor {LAN} remote-as 65010
 neighbor {LAN} timers 1 3
 neighbor {LAN} timers connect 1
 address-family ipv4 unicast
  neighbor {LAN} route-map out out
  network {LEARNED}
 exit-address-family
!
route-map out permit 10
"""


@pytest.fixture(scope="module")
def peer(lab: Lab) -> Iterator[Frr]:
    lab["onprem"].ip("address", "add", f"{HOST}/32", "dev", "lo")
    with Frr(lab, "onprem", PEER) as frr:
        yield frr


@pytest.fixture(scope="module")
def nva(lab: Lab) -> Iterator[Frr]:
    with Frr(lab, "nva", importer(TABLE, "timers 1 3")) as frr:
        yield frr


@pytest.fixture(scope="module")
def appliance(lab: Lab, peer: Frr, nva: Frr) -> Appliance:
    file = config.learning(lab, f'frr = "{nva.name}"\nlearned_hold = "60s"')
    appliance = Appliance(lab, file)
    appliance.start()
    nva.wait_established()
    wait_learned(appliance, LEARNED)
    return appliance


@pytest.fixture
def edited(appliance: Appliance) -> Iterator[Appliance]:
    """The configuration may be changed, and is afterwards what it was."""
    text = appliance.config.read_text()
    yield appliance
    appliance.config.write_text(text)
    appliance.reload(force=True)


def edit(appliance: Appliance, *edits: tuple[str, str]) -> None:
    text = appliance.config.read_text()
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    appliance.config.write_text(text)
    appliance.reload()


def summary(appliance: Appliance) -> Any:
    return appliance.json("show", "learned")


def learned(appliance: Appliance) -> dict[str, Any]:
    return {route["prefix"]: route for route in summary(appliance)["routes"]}


def wait_learned(appliance: Appliance, *prefixes: str, held: bool = False) -> None:
    """In the tables of zones, and so in the dataplane."""

    def all_there() -> bool:
        known = learned(appliance)
        return all(
            prefix in known and known[prefix]["in_force"] and known[prefix]["held"] == held for prefix in prefixes
        )

    wait_until(f"{', '.join(prefixes)} to be {'held' if held else 'learned'}", all_there)


def wait_gone(appliance: Appliance, *prefixes: str) -> None:
    wait_until(f"{', '.join(prefixes)} to be gone", lambda: not set(prefixes) & set(learned(appliance)))


@pytest.fixture(autouse=True)
def cleaned(lab: Lab) -> Iterator[None]:
    """What a test that fails leaves in the table is no other test's."""
    yield
    for prefix in by_hand:
        lab.execute("nva", "ip", "route", "del", *prefix.split(), "table", TABLE)
    by_hand.clear()


by_hand: list[str] = []


def route(lab: Lab, verb: str, prefix: str, *words: str) -> None:
    if verb == "del":
        by_hand.remove(prefix)
    elif verb == "add":
        by_hand.append(prefix)
    lab["nva"].ip("route", verb, *prefix.split(), "table", TABLE, "proto", "bgp", *words)


def next_hop(appliance: Appliance, destination: str, source: str = VNET) -> Any:
    """By the dataplane's own word."""
    return appliance.explain(source, destination)["dataplane"]["next_hop"]


def wait_next_hop(appliance: Appliance, destination: str, name: str | None, source: str = VNET) -> None:
    wait_until(f"{destination} to go to {name}", lambda: next_hop(appliance, destination, source) == name)


def kernel_count(lab: Lab) -> int:
    return lab.execute("nva", "ip", "route", "show", "table", TABLE).stdout.count("\n")


def announce(peer: Frr, *prefixes: str, verb: str = "network") -> None:
    peer.configure("router bgp 65515", "address-family ipv4 unicast", *(f"{verb} {prefix}" for prefix in prefixes))


def test_a_learned_route_forwards(lab: Lab, appliance: Appliance, firewall: Injector, account: Account) -> None:
    with Capture(lab, "onprem") as seen:
        firewall.send(frame(source="198.51.100.80", destination=HOST, to="egress0"), 10)
        seen.wait(10)
    account.forwarded("egress", "lan", 10)
    shown = learned(appliance)[LEARNED]
    assert (shown["next_hop"], shown["gateways"], shown["ports"]) == ("onprem-gateway", [ONPREM_GATEWAY], ["lan"])
    assert (shown["protocol"], shown["zones"], shown["source_of"]) == ("bgp", ["internet", "vnet"], ["onprem"])


def test_a_learned_prefix_is_a_source(
    lab: Lab, appliance: Appliance, onprem: Injector, account: Account
) -> None:
    with Capture(lab, "firewall", "inside") as seen:
        onprem.send(frame(source=HOST), 10)
        seen.wait(10)
    account.forwarded("lan", "egress", 10)


def test_a_withdrawn_route_is_gone(
    lab: Lab, appliance: Appliance, peer: Frr, onprem: Injector
) -> None:
    announce(peer, "192.168.78.0/24")
    wait_learned(appliance, "192.168.78.0/24")
    announce(peer, "192.168.78.0/24", verb="no network")
    wait_gone(appliance, "192.168.78.0/24")
    account = Account(appliance)
    onprem.send(frame(source="192.168.78.1"), 5)
    account.dropped("lan", "spoofed_source", 5)


def test_routes_by_hand(lab: Lab, appliance: Appliance) -> None:
    """Several paths, next-hop objects and groups of them, metrics, a blackhole: as the kernel resolves them."""
    route(lab, "add", "192.168.80.0/24", "via", VNET)
    wait_next_hop(appliance, "192.168.80.1", "vnet-gateway")
    route(lab, "add", "192.168.80.0/24", "via", ONPREM_GATEWAY, "metric", "5")
    route(lab, "replace", "192.168.80.0/24", "via", ONPREM_GATEWAY)
    wait_next_hop(appliance, "192.168.80.1", "onprem-gateway")
    both = ["nexthop", "via", ONPREM_GATEWAY, "dev", "lan0", "nexthop", "via", VNET, "dev", "lan0", "weight", "3"]
    route(lab, "add", "192.168.81.0/24", *both)
    wait_next_hop(appliance, "192.168.81.1", TWO_GATEWAYS)
    lab["nva"].ip("nexthop", "add", "id", "4001", "via", VNET, "dev", "lan0")
    route(lab, "add", "192.168.82.0/24", "nhid", "4001")
    wait_next_hop(appliance, "192.168.82.1", "vnet-gateway")
    lab["nva"].ip("nexthop", "replace", "id", "4001", "via", ONPREM_GATEWAY, "dev", "lan0")
    wait_next_hop(appliance, "192.168.82.1", "onprem-gateway")
    route(lab, "add", "blackhole 192.168.83.0/24")
    wait_next_hop(appliance, "192.168.83.1", "None")
    # The kernel takes the routes over an object that goes along, and says nothing of them.
    lab["nva"].ip("nexthop", "del", "id", "4001")
    wait_gone(appliance, "192.168.82.0/24")
    for prefix in ("192.168.80.0/24", "192.168.80.0/24", "192.168.81.0/24", "blackhole 192.168.83.0/24"):
        route(lab, "del", prefix)
    wait_gone(appliance, "192.168.80.0/24", "192.168.81.0/24", "192.168.83.0/24")
    wait_until("its next hop to go", lambda: TWO_GATEWAYS not in appliance.next_hops())


def test_what_is_not_taken_says_why(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    lab["nva"].ip("link", "add", "other0", "type", "veth", "peer", "name", "other1")
    lab["nva"].ip("link", "set", "other1", "up")
    lab["nva"].ip("link", "set", "other0", "up")
    lab["nva"].ip("address", "add", "10.0.8.4/24", "dev", "other0")
    refused = {
        "0.0.0.0/0": "no zone follows a learned default",
        "0.0.0.0/1": "shorter than /8",
        "168.63.129.16/32": "always the host's own",
        "10.0.2.0/24": "within a port's own subnet",
        "169.254.0.0/16": "no packet can be for it",
    }
    before = summary(appliance)["refused"]
    for prefix in refused:
        route(lab, "add", prefix, "via", ONPREM_GATEWAY)
    route(lab, "add", "192.168.90.0/24", "via", "10.0.8.9")
    refused["192.168.90.0/24"] = "gateway 10.0.8.9 is on no port"
    wait_until("all to be refused", lambda: summary(appliance)["refused"] == before + len(refused))
    known = learned(appliance)
    for prefix, why in refused.items():
        assert why in known[prefix]["refused"], prefix
        assert not known[prefix]["in_force"] and not known[prefix]["source_of"], prefix
    account = Account(appliance)
    onprem.send(frame(source="8.8.8.8"), 5)
    account.dropped("lan", "spoofed_source", 5)
    assert next_hop(appliance, "198.51.100.80") == "firewall"
    for prefix in refused:
        route(lab, "del", prefix)
    lab["nva"].ip("link", "del", "other0")
    wait_gone(appliance, *refused)


def test_a_reload_and_an_override_keep_what_is_learned(lab: Lab, edited: Appliance, peer: Frr) -> None:
    with Stream(lab, HOST, source="vnet", sink="onprem") as stream:
        stream.wait_received(1000)
        edited.json("route", "add", "--zone", "vnet", "192.168.200.0/24", "firewall")
        stream.wait_more(1000)
        edit(edited, ("# What is counted", "# What is counted,"))
        stream.wait_more(1000)
        assert not any(plan["change"] == "-" for plan in edited.json("reload", "--dry-run")["changes"])
        stream.stop()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
    wait_learned(edited, LEARNED)


def test_bgpd_dies_and_nothing_is_lost(lab: Lab, appliance: Appliance, nva: Frr) -> None:
    with Stream(lab, HOST, source="vnet", sink="onprem") as stream:
        stream.wait_received(1000)
        nva.kill_daemon("bgpd")
        wait_until("the kernel to lose the routes", lambda: kernel_count(lab) == 0)
        wait_learned(appliance, LEARNED, held=True)
        stream.wait_more(2000)
        assert any("bgpd" in problem for problem in summary(appliance)["problems"])
        nva.start_daemon("bgpd")
        wait_learned(appliance, LEARNED)
        stream.wait_more(1000)
        stream.stop()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
    assert summary(appliance)["held"] == 0


def test_bgpd_is_stopped_and_what_was_withdrawn_meanwhile_goes(
    lab: Lab, appliance: Appliance, nva: Frr, peer: Frr
) -> None:
    """One that is stopped withdraws while it still runs; what it does not bring back goes when it has caught up."""
    announce(peer, "192.168.78.0/24")
    wait_learned(appliance, LEARNED, "192.168.78.0/24")
    with Stream(lab, HOST, source="vnet", sink="onprem") as stream:
        stream.wait_received(1000)
        nva.stop_daemon("bgpd")
        wait_learned(appliance, LEARNED, "192.168.78.0/24", held=True)
        announce(peer, "192.168.78.0/24", verb="no network")
        stream.wait_more(2000)
        nva.start_daemon("bgpd")
        wait_learned(appliance, LEARNED)
        assert learned(appliance)["192.168.78.0/24"]["held"]
        stream.wait_more(1000)
        stream.stop()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
    assert appliance.control is not None
    before = appliance.control.output().count(BACK)
    wait_until("BGP to have caught up", lambda: "192.168.78.0/24" not in learned(appliance), timeout=40)
    assert "1 learned routes that were held are withdrawn" in appliance.control.output()
    assert appliance.control.output().count(BACK) == before, "it did not come back"


def test_control_is_restarted(lab: Lab, appliance: Appliance) -> None:
    with Stream(lab, HOST, source="vnet", sink="onprem") as stream:
        stream.wait_received(1000)
        appliance.kill_control()
        appliance.start_control()
        appliance.wait_ready()
        wait_learned(appliance, LEARNED)
        stream.wait_more(1000)
        stream.stop()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result


def test_the_dataplane_is_restarted(lab: Lab, appliance: Appliance) -> None:
    appliance.kill_dataplane()
    route(lab, "add", "192.168.80.0/24", "via", VNET)
    wait_learned(appliance, LEARNED, "192.168.80.0/24")
    appliance.start_dataplane()
    appliance.wait_ready()
    wait_next_hop(appliance, HOST, "onprem-gateway")
    wait_next_hop(appliance, "192.168.80.1", "vnet-gateway")
    route(lab, "del", "192.168.80.0/24")
    wait_gone(appliance, "192.168.80.0/24")


def test_a_zone_follows_a_learned_default(lab: Lab, edited: Appliance, peer: Frr, onprem: Injector) -> None:
    vnet = 'sources  = ["10.0.0.0/16"]\ninternet = true\n'
    edit(edited, (vnet, vnet + 'follow_default = true\nvia = "second-gateway"\n'))
    wait_next_hop(edited, "198.51.100.7", "second-gateway")
    announce(peer, "0.0.0.0/0")
    wait_next_hop(edited, "198.51.100.7", "onprem-gateway")
    assert next_hop(edited, "198.51.100.7", ONPREM) == "firewall", "who does not follow it"
    assert summary(edited)["follows"] == ["vnet"]
    account = Account(edited)
    with Capture(lab, "onprem") as seen:
        packet = frame(source=VNET, destination="198.51.100.7")
        onprem.send(packet, 10)
        seen.wait(10)
    account.forwarded("lan", "lan", 10)
    announce(peer, "0.0.0.0/0", verb="no network")
    wait_next_hop(edited, "198.51.100.7", "second-gateway")
    assert edited.json("show", "state")["verdict"] == "forwarding"
    # Without a default of its own it is closed.
    with_own = vnet + 'follow_default = true\nvia = "second-gateway"\n'
    edit(edited, (with_own, vnet.replace("true", "false") + "follow_default = true\n"))
    wait_next_hop(edited, "198.51.100.7", None)
    assert any(
        problem["kind"] == "default_not_learned" and problem["subject"] == "vnet"
        for problem in edited.json("show", "state")["problems"]
    )


def test_more_than_max_prefixes(lab: Lab, edited: Appliance) -> None:
    edit(edited, ("[bgp]\n", "[bgp]\nmax_prefixes = 3\n"))
    prefixes = [f"192.168.{100 + number}.0/24" for number in range(5)]
    for prefix in prefixes:
        route(lab, "add", prefix, "via", ONPREM_GATEWAY)
    wait_until("the excess to be counted", lambda: summary(edited)["in_excess"] == 3)
    wait_learned(edited, LEARNED, *prefixes[:2])
    assert len(learned(edited)) == 3
    assert any("max_prefixes" in problem["sentence"] for problem in edited.json("show", "state")["problems"])
    route(lab, "del", prefixes[0])
    wait_until("another to take its place", lambda: prefixes[0] not in learned(edited) and len(learned(edited)) == 3)
    for prefix in prefixes[1:]:
        route(lab, "del", prefix)
    wait_gone(edited, *prefixes)
    assert summary(edited)["in_excess"] == 0
