# SPDX-License-Identifier: BSD-3-Clause
"""A plan as routes of the fabric's kernel: a table for each subnet, which the packets of its NICs are routed by.

A subnet's table has its effective routes and nothing else. Where one says VnetLocal or VNetPeering the lookup goes on (`throw`) in
the table of all NICs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from lab.azure.plan import Plan, Subnet
from lab.azure.routes import Effective, effective

DELIVER = 2000  # the table of all NICs
INTERNET = "internet"  # the fabric's device to it, and
INTERNET_ROUTER = "203.0.113.10"

Learned = Mapping[str, Mapping[str, Iterable[str]]]  # next hops by prefix, by VNet


def routes_of(plan: Plan, subnet: Subnet, learned: Learned) -> list[Effective]:
    return effective(
        plan.vnets[subnet.vnet], plan.peers_of(subnet.vnet), subnet.table, learned.get(subnet.vnet, {})
    )


def lines(plan: Plan, subnet: Subnet, found: Iterable[Effective], healthy: Set[str]) -> set[str]:
    """`ip route` arguments, one string a route. `healthy`: members that a balancer may send to."""
    result = set()
    for item in found:
        if item.active:
            result.add(_line(plan, subnet, item, healthy))
    return result


def _line(plan: Plan, subnet: Subnet, item: Effective, healthy: Set[str]) -> str:
    route = item.route
    prefix = f"{route.prefix} table {subnet.number}"
    if route.kind in ("VnetLocal", "VNetPeering"):
        return f"throw {prefix}"
    if route.kind == "Internet":
        return f"{prefix} via {INTERNET_ROUTER} dev {INTERNET} onlink"
    hops = list(route.next_hops)
    if route.kind == "VirtualNetworkGateway" and not hops:
        hops = [plan.gateways[subnet.vnet]] if subnet.vnet in plan.gateways else []
    reached = sorted({line for hop in hops for line in _hop(plan, hop, healthy)})
    if not reached:
        return f"blackhole {prefix}"
    if len(reached) == 1:
        return f"{prefix} {reached[0]}"
    return f"{prefix} " + " ".join(f"nexthop {line}" for line in reached)


def _hop(plan: Plan, address: str, healthy: Set[str]) -> list[str]:
    """The NIC with an address, or those behind a load balancer's frontend that answer its probes."""
    for balancer in plan.balancers:
        if balancer.frontend == address:
            return [line for member in balancer.members if member in healthy for line in _hop(plan, member, healthy)]
    nic = plan.nic_of(address)
    return [f"via {nic.address} dev {nic.device} onlink"] if nic else []


def delivered(plan: Plan) -> set[str]:
    """To every NIC; what is for nobody ends here."""
    return {f"{nic.address} dev {nic.device} table {DELIVER}" for nic in plan.nics.values()} | {
        f"blackhole default table {DELIVER}"
    }
