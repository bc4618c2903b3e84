# SPDX-License-Identifier: BSD-3-Clause
"""sekisho.toml with the whole policy on, for a table and a capture.

Every next hop that the traffic takes is a group of two firewalls: no packet is spared the flow hash.
"""

from __future__ import annotations

from pathlib import Path

from throughput.tables import NEXT_HOPS

VNETS = ("10.0.0.0/16", "10.1.0.0/16", "172.20.0.0/22")
HEAD = """\
[port.lan]
device = "{lan}"
address = ["10.0.1.4/24"]
neighbours = [{{ address = "10.0.1.1", mac = "02:00:00:00:01:01" }}, {{ address = "10.0.1.20", mac = "02:00:00:00:01:20" }}]
[port.egress]
device = "{egress}"
address = ["10.0.2.4/24"]
neighbours = [{neighbours}]
[next_hop.onprem-gateway]
members = ["10.0.1.1"]
[next_hop.vnet-gateway]
members = ["10.0.1.20"]
[next_hop.kms-gateway]
members = ["10.0.2.250"]
"""
GROUP = """\
[next_hop.firewall-{number}]
members = ["10.0.2.{first}", "10.0.2.{second}"]
"""
ZONES = """\
[internet]
via = "firewall-0"
install = "halves"
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
routes = [{routes}]
[zone.vnet]
port = ["lan"]
sources = ["10.0.0.0/16", "10.1.0.0/16", "172.20.0.0/22"]
internet = true
routes = [{{ prefix = "172.16.0.0/12", next_hop = "onprem-gateway" }}]
[zone.internet]
port = ["egress"]
sources = ["0.0.0.0/0", "10.0.2.0/24"]
routes = [{{ prefix = "172.16.0.0/12", next_hop = "onprem-gateway" }}]
"""


def members(table: str) -> list[tuple[str, str]]:
    return [(f"10.0.2.{10 + 2 * number}", f"10.0.2.{11 + 2 * number}") for number in range(NEXT_HOPS[table])]


def _nva_routes() -> list[str]:
    vnets = [f'{{ prefix = "{vnet}", next_hop = "vnet-gateway" }}' for vnet in VNETS]
    kms = '{ preset = "kms", cloud = "public", next_hop = "kms-gateway" }'
    azure = [f'{{ prefix = "{own}/32", next_hop = "None" }}' for own in ("168.63.129.16", "169.254.169.254")]
    return [*vnets, kms, *azure]


def repeating(capture: Path) -> tuple[str, str]:
    """Devices that need no other end: one brings the capture without end, one takes whatever is sent."""
    return f"net_pcap0,rx_pcap={capture},infinite_rx=1", "net_null0,no-rx=1"


def text(table: str, devices: tuple[str, str], routes: Path | None) -> str:
    lan, egress = devices
    addresses = ["10.0.2.250", *(address for pair in members(table) for address in pair)]
    neighbours = ", ".join(
        f'{{ address = "{address}", mac = "02:00:00:00:02:{int(address.split(".")[-1]):02x}" }}'
        for address in addresses
    )
    groups = "".join(
        GROUP.format(number=number, first=10 + 2 * number, second=11 + 2 * number)
        for number in range(NEXT_HOPS[table])
    )
    entries = [f'"{routes}"'] if routes else _nva_routes()
    return (
        HEAD.format(lan=lan, egress=egress, neighbours=neighbours)
        + groups
        + ZONES.format(routes=", ".join(entries))
    )
