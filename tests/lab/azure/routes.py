# SPDX-License-Identifier: BSD-3-Clause
"""Which route of a subnet is in force, as Azure decides it. Pure: no kernel, no BGP.

For the same prefix User goes before BGP before System, then the longest prefix wins. Two things are otherwise than anybody
expects: a System route of the VNet or of a peering is not beaten by a longer BGP route, and the None routes for private space
are there only while 0.0.0.0/0 leads to the Internet or nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Network
from typing import Any

EVERYTHING = IPv4Network("0.0.0.0/0")
PRIVATE = tuple(IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))


class Source(IntEnum):
    """Of a route; the greater wins for the same prefix."""

    DEFAULT = 0
    GATEWAY = 1  # learned by BGP, "VirtualNetworkGateway" in Azure's output
    USER = 2


NAMES = {Source.DEFAULT: "Default", Source.GATEWAY: "VirtualNetworkGateway", Source.USER: "User"}


@dataclass(frozen=True)
class Route:
    prefix: IPv4Network
    kind: str  # a next-hop type in Azure's spelling
    source: Source
    next_hops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Effective:
    route: Route
    active: bool

    def __str__(self) -> str:
        hops = ", ".join(self.route.next_hops)
        state = "Active" if self.active else "Invalid"
        return f"{NAMES[self.route.source]:<22} {state:<8} {self.route.prefix!s:<18} {self.route.kind:<22} {hops}".rstrip()


def system_routes(vnet: Sequence[str], peerings: Sequence[str]) -> list[Route]:
    """But for None, which depends on who wins 0.0.0.0/0."""
    local = [Route(IPv4Network(prefix), "VnetLocal", Source.DEFAULT) for prefix in vnet]
    peers = [Route(IPv4Network(prefix), "VNetPeering", Source.DEFAULT) for prefix in peerings]
    return [*local, *peers, Route(EVERYTHING, "Internet", Source.DEFAULT)]


def user_routes(table: Mapping[str, Any]) -> list[Route]:
    """Of a route table as `az network route-table show` prints it."""
    return [
        Route(
            IPv4Network(entry["addressPrefix"]),
            entry["nextHopType"],
            Source.USER,
            (entry["nextHopIpAddress"],) if entry.get("nextHopIpAddress") else (),
        )
        for entry in table.get("routes", ())
    ]


def learned_routes(learned: Mapping[str, Iterable[str]]) -> list[Route]:
    return [
        Route(IPv4Network(prefix), "VirtualNetworkGateway", Source.GATEWAY, tuple(sorted(hops)))
        for prefix, hops in learned.items()
    ]


def effective(
    vnet: Sequence[str],
    peerings: Sequence[str],
    table: Mapping[str, Any] | None,
    learned: Mapping[str, Iterable[str]],
) -> list[Effective]:
    """Of a subnet. A table with `disableBgpRoutePropagation` keeps `learned` out."""
    table = table or {}
    routes = system_routes(vnet, peerings) + user_routes(table)
    if not table.get("disableBgpRoutePropagation", False):
        routes += learned_routes(learned)
    if _winner(routes, EVERYTHING).kind in ("Internet", "None"):
        spoken_for = [route.prefix for route in routes if route.kind in ("VnetLocal", "VNetPeering")]
        routes += [
            Route(prefix, "None", Source.DEFAULT)
            for prefix in PRIVATE
            if not any(prefix.subnet_of(other) for other in spoken_for)
        ]
    ours = [route for route in routes if route.kind in ("VnetLocal", "VNetPeering")]

    def active(route: Route) -> bool:
        beaten_by_ours = route.source == Source.GATEWAY and any(
            route.prefix != own.prefix and route.prefix.subnet_of(own.prefix) for own in ours
        )
        return not beaten_by_ours and route == _winner(routes, route.prefix)

    order = sorted(routes, key=lambda route: (route.prefix, -route.source))
    return [Effective(route, active(route)) for route in order]


def _winner(routes: Sequence[Route], prefix: IPv4Network) -> Route:
    """Of a prefix's routes; a VNet's own System route is not beaten by BGP, either."""

    def rank(route: Route) -> tuple[int, int]:
        own = route.kind in ("VnetLocal", "VNetPeering")
        return (int(Source.GATEWAY) if own else int(route.source), int(own))

    return max((route for route in routes if route.prefix == prefix), key=rank)
