# SPDX-License-Identifier: BSD-3-Clause
"""The BGP speakers of the cloud and of the sites: their frr.conf, and what they hold."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lab.frr import Frr
from lab.process import execute, wait_until

ROUTE_SERVER_ASN = 65515
EXPRESSROUTE_ASN = 12076  # Microsoft's edge, between a circuit and the gateway
APPLIANCE_ASN = 65010
ONPREM_ASN = 65050


@dataclass
class Neighbour:
    """Of a BGP speaker of the lab."""

    address: str
    asn: int
    options: tuple[str, ...] = ()  # of FRR, as after "neighbor ADDRESS "
    family: tuple[str, ...] = ()  # the same inside the address family


def configuration(
    asn: int, router_id: str, neighbours: list[Neighbour], networks: tuple[str, ...] = (), extra: str = ""
) -> str:
    """An frr.conf. It connects and tells at once; hold times are Azure's unless the peer asks for less."""
    lines = [
        "frr defaults traditional", "ip nht resolve-via-default", f"router bgp {asn}", f" bgp router-id {router_id}",
        " no bgp ebgp-requires-policy", " no bgp network import-check", " bgp bestpath as-path multipath-relax",
        " timers bgp 60 180",
    ]  # fmt: skip
    for neighbour in neighbours:
        lines.append(f" neighbor {neighbour.address} remote-as {neighbour.asn}")
        words = ("timers connect 1", "advertisement-interval 0", *neighbour.options)
        lines += [f" neighbor {neighbour.address} {word}" for word in words]
    lines.append(" address-family ipv4 unicast")
    lines += [f"  network {network}" for network in networks]
    lines += ["  maximum-paths 8", "  maximum-paths ibgp 8"]
    for neighbour in neighbours:
        lines += [f"  neighbor {neighbour.address} {word}" for word in ("soft-reconfiguration inbound", *neighbour.family)]
    return "\n".join([*lines, " exit-address-family", "exit", extra, ""])


class Speaker(Frr):
    def routes(self) -> dict[str, list[dict[str, Any]]]:
        """Paths by prefix."""
        return dict(self.json("show bgp ipv4 unicast").get("routes", {}))

    def has(self, prefix: str) -> bool:
        return prefix in self.routes()

    def path(self, prefix: str) -> str | None:
        """The AS path of the best."""
        paths = self.routes().get(prefix, ())
        return next((str(path["path"]) for path in paths if path.get("bestpath")), None)

    def next_hops(self, prefix: str) -> list[str]:
        """Of the paths that it uses."""
        paths = [path for path in self.routes().get(prefix, ()) if path.get("bestpath") or path.get("multipath")]
        return sorted({hop["ip"] for path in paths for hop in path["nexthops"]})

    def from_neighbour(self, address: str) -> list[str]:
        """Prefixes that a neighbour advertises."""
        return sorted(self.json(f"show bgp ipv4 unicast neighbors {address} routes").get("routes", {}))

    def originate(self, prefix: str, on: bool) -> None:
        asn = self.json("show bgp ipv4 unicast summary")["as"]
        no = "" if on else "no "
        self.configure(f"router bgp {asn}", "address-family ipv4 unicast", f"{no}network {prefix}")

    def wait_for(self, prefix: str, present: bool = True, timeout: float = 20) -> None:
        what = f"{prefix} {'at' if present else 'gone from'} {self.space}"
        wait_until(what, lambda: self.has(prefix) == present, timeout, interval=0.05)


def chosen(pathspace: str) -> dict[str, set[str]]:
    """The next hops that a speaker chose, by prefix; nothing while it does not answer."""
    done = execute("vtysh", "-N", pathspace, "-c", "show bgp ipv4 unicast json", timeout=20)
    try:
        routes = json.loads(done.stdout).get("routes", {})
    except json.JSONDecodeError:
        return {}
    result: dict[str, set[str]] = {}
    for prefix, paths in routes.items():
        hops = {
            hop["ip"]
            for path in paths
            if path.get("bestpath") or path.get("multipath")
            for hop in path.get("nexthops", ())
            if hop.get("ip", "0.0.0.0") != "0.0.0.0"
        }
        if hops:
            result[prefix] = hops
    return result
