# SPDX-License-Identifier: BSD-3-Clause
"""The model of a subnet's effective routes, by which the fabric of the labs forwards: each sentence of Azure's rules once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lab.azure import kernel
from lab.azure.plan import Balancer, Nic, Plan, Subnet
from lab.azure.routes import effective

VNET, PEER = ["10.0.0.0/16"], ["10.1.0.0/16"]
NONE = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"}
HALVES = {"0.0.0.0/1": ["10.0.1.4"], "128.0.0.0/1": ["10.0.1.4"]}


def udr(*routes: tuple[str, str], propagation: bool = True) -> dict[str, Any]:
    entries = []
    for prefix, hop in routes:
        appliance = {"nextHopType": "VirtualAppliance", "nextHopIpAddress": hop}
        entries.append({"addressPrefix": prefix} | (appliance if hop[0].isdigit() else {"nextHopType": hop}))
    return {"disableBgpRoutePropagation": not propagation, "routes": entries}


def active(
    table: Mapping[str, Any] | None = None, learned: Mapping[str, Iterable[str]] | None = None, vnet: list[str] = VNET
) -> dict[str, str]:
    found = effective(vnet, PEER, table, learned or {})
    assert len({item.route.prefix for item in found if item.active}) == sum(item.active for item in found)
    return {str(item.route.prefix): " ".join((item.route.kind, *item.route.next_hops)) for item in found if item.active}


def test_every_subnet_has_the_vnet_its_peerings_the_internet_and_none_for_private_space() -> None:
    system = {"10.0.0.0/16": "VnetLocal", "10.1.0.0/16": "VNetPeering", "0.0.0.0/0": "Internet"}
    assert active() == system | dict.fromkeys(NONE, "None")


def test_a_vnet_around_a_none_route_replaces_it() -> None:
    assert NONE - active(vnet=["10.0.0.0/8"]).keys() == set()
    assert active(vnet=["10.0.0.0/8"])["10.0.0.0/8"] == "VnetLocal"


def test_user_goes_before_bgp_before_system() -> None:
    learned = {"0.0.0.0/0": ["10.0.1.4"]}
    assert active(learned=learned)["0.0.0.0/0"] == "VirtualNetworkGateway 10.0.1.4"
    assert active(udr(("0.0.0.0/0", "Internet")), learned)["0.0.0.0/0"] == "Internet"
    assert active(udr(("0.0.0.0/0", "10.0.9.9")), learned)["0.0.0.0/0"] == "VirtualAppliance 10.0.9.9"


def test_propagation_off_keeps_what_is_learned_out() -> None:
    assert active(udr(propagation=False), {"0.0.0.0/0": ["10.0.1.4"], "172.16.0.0/12": ["10.0.6.4"]}) == active()


def test_bgp_does_not_take_a_part_of_the_vnet_or_of_a_peering_and_a_user_route_does() -> None:
    learned = {"10.0.7.0/24": ["10.0.6.4"], "10.1.7.0/24": ["10.0.6.4"], "10.0.0.0/16": ["10.0.6.4"]}
    assert active(learned=learned) == active()
    assert active(udr(("10.0.7.0/24", "10.0.1.4")), learned)["10.0.7.0/24"] == "VirtualAppliance 10.0.1.4"


def test_the_none_routes_are_gone_once_the_default_leads_elsewhere() -> None:
    for table, learned in (
        (udr(("0.0.0.0/0", "10.0.1.4")), {}),
        (udr(("0.0.0.0/0", "VirtualNetworkGateway")), {}),
        (None, {"0.0.0.0/0": ["10.0.1.4"]}),
    ):
        assert not NONE & active(table, learned).keys()
    assert active(udr(("0.0.0.0/0", "None"))).keys() >= NONE


def test_with_halves_alone_they_stay_and_so_does_the_default_to_the_internet() -> None:
    assert active(learned=HALVES).keys() >= NONE | HALVES.keys()
    assert active(learned=HALVES)["0.0.0.0/0"] == "Internet"


def test_the_halves_trap() -> None:
    """The remedy that the documents name loses by longest prefix; two that do not."""
    assert active(udr(("0.0.0.0/0", "Internet")), HALVES)["0.0.0.0/1"] == "VirtualNetworkGateway 10.0.1.4"
    cured = active(udr(("0.0.0.0/1", "Internet"), ("128.0.0.0/1", "Internet")), HALVES)
    assert {cured[half] for half in HALVES} == {"Internet"}
    assert not HALVES.keys() & active(udr(propagation=False), HALVES).keys()


def plan() -> Plan:
    return Plan(
        vnets={"hub": VNET},
        subnets={"lan": Subnet("lan", "hub", "10.0.1.0/24", 1001)},
        nics={
            name: Nic(name, "lan", address, f"f-{name}", "", True, None)
            for name, address in {"a": "10.0.1.4", "b": "10.0.1.5", "gateway": "10.0.6.4"}.items()
        },
        gateways={"hub": "10.0.6.4"},
        balancers=[Balancer("10.0.1.100", ["10.0.1.4", "10.0.1.5"], 8080)],
    )


def line(table: dict[str, Any] | None, prefix: str, learned: Mapping[str, Iterable[str]] = {}, healthy: Iterable[str] = ()) -> str:
    fabric = plan()
    subnet = fabric.subnets["lan"]
    subnet.table = table
    found = kernel.lines(fabric, subnet, kernel.routes_of(fabric, subnet, {"hub": learned}), set(healthy))
    return next(text.replace(" table 1001", "") for text in found if f"{prefix} " in text)


def test_an_appliance_is_the_nic_of_its_address_and_nobody_is_a_black_hole() -> None:
    assert line(udr(("0.0.0.0/0", "10.0.1.5")), "0.0.0.0/0") == "0.0.0.0/0 via 10.0.1.5 dev f-b onlink"
    assert line(udr(("0.0.0.0/0", "10.0.1.77")), "0.0.0.0/0") == "blackhole 0.0.0.0/0"


def test_the_gateway_of_a_user_route_is_the_vnets() -> None:
    assert "dev f-gateway" in line(udr(("0.0.0.0/0", "VirtualNetworkGateway")), "0.0.0.0/0")


def test_what_two_appliances_advertise_alike_is_spread_over_both() -> None:
    learned = {"0.0.0.0/0": ["10.0.1.4", "10.0.1.5"]}
    both = "0.0.0.0/0 nexthop via 10.0.1.4 dev f-a onlink nexthop via 10.0.1.5 dev f-b onlink"
    assert line(None, "0.0.0.0/0", learned) == both


def test_a_load_balancer_sends_to_those_that_answer_its_probes() -> None:
    table = udr(("0.0.0.0/0", "10.0.1.100"))
    assert line(table, "0.0.0.0/0", healthy=["10.0.1.4", "10.0.1.5"]).count("nexthop") == 2
    assert line(table, "0.0.0.0/0", healthy=["10.0.1.5"]) == "0.0.0.0/0 via 10.0.1.5 dev f-b onlink"
    assert line(table, "0.0.0.0/0") == "blackhole 0.0.0.0/0"
