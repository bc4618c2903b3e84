# SPDX-License-Identifier: BSD-3-Clause
"""What the fabric is told: VNets, subnets with their route tables, NICs, route servers, load balancers. One JSON file, which the
lab writes and the fabric's agent reads whenever it has changed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any


@dataclass
class Subnet:
    name: str
    vnet: str
    prefix: str
    number: int  # of its kernel table
    table: dict[str, Any] | None = None  # as `az network route-table show` prints it

    @property
    def router(self) -> str:
        """Azure's own, the first address of the subnet."""
        return str(IPv4Network(self.prefix)[1])


@dataclass
class Nic:
    name: str
    subnet: str
    address: str
    device: str  # the fabric's end
    mac: str
    forwarding: bool  # "IP forwarding" of the NIC
    public: str | None  # its public address


@dataclass
class Balancer:
    """A load balancer with one rule for all ports. Its members are probed from 168.63.129.16, on the NIC that is a member."""

    frontend: str
    members: list[str]
    port: int


@dataclass
class Plan:
    vnets: dict[str, list[str]] = field(default_factory=dict)
    peerings: list[tuple[str, str]] = field(default_factory=list)
    subnets: dict[str, Subnet] = field(default_factory=dict)
    nics: dict[str, Nic] = field(default_factory=dict)
    # Pathspaces of the route servers from which subnets with propagation learn, by VNet.
    route_servers: dict[str, list[str]] = field(default_factory=dict)
    gateways: dict[str, str] = field(default_factory=dict)  # where VirtualNetworkGateway leads, by VNet
    balancers: list[Balancer] = field(default_factory=list)
    # Routes that a gateway has without BGP, by VNet and prefix: a Default Site's, a hub connection's.
    static: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    generation: int = 0

    def peers_of(self, vnet: str) -> list[str]:
        """The prefixes of the VNets that a VNet is peered with."""
        others = [b if a == vnet else a for a, b in self.peerings if vnet in (a, b)]
        return [prefix for other in others for prefix in self.vnets[other]]

    def nic_of(self, address: str) -> Nic | None:
        return next((nic for nic in self.nics.values() if nic.address == address), None)

    def write(self, path: Path) -> None:
        new = path.with_suffix(".new")
        new.write_text(json.dumps(asdict(self), indent=1))
        new.rename(path)

    @classmethod
    def read(cls, path: Path) -> Plan:
        data = json.loads(path.read_text())
        return cls(
            vnets=data["vnets"],
            peerings=[(a, b) for a, b in data["peerings"]],
            subnets={name: Subnet(**subnet) for name, subnet in data["subnets"].items()},
            nics={name: Nic(**nic) for name, nic in data["nics"].items()},
            route_servers=data["route_servers"],
            gateways=data["gateways"],
            balancers=[Balancer(**balancer) for balancer in data["balancers"]],
            static=data["static"],
            generation=data["generation"],
        )


def mac_of(address: str) -> str:
    """Of the NIC with an address: 02:00 and the address itself, so that a capture reads well."""
    return "02:00:" + ":".join(f"{byte:02x}" for byte in IPv4Address(address).packed)
