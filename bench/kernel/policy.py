# SPDX-License-Identifier: BSD-3-Clause
"""The product's configuration of the benches (throughput/configuration.py) in the kernel's own words.

Zones are rules by port and source, each with a table of its own; next hops are nexthop objects, two firewalls a group; spoofing is nft's
question to the main table, and martians, zones' counters and who may go where are nft's too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from throughput import configuration
from throughput.configuration import VNETS

LAN, EGRESS = "lan0", "egress0"
ONPREM_SOURCES = "172.16.0.0/12"
ONPREM_GATEWAY, VNET_GATEWAY, KMS_GATEWAY = "10.0.1.1", "10.0.1.20", "10.0.2.250"
KMS = ("20.118.99.224", "40.83.235.53", "23.102.135.246")
NONE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "168.63.129.16/32", "169.254.169.254/32")
HALVES = ("0.0.0.0/1", "128.0.0.0/1")
ONPREM, VNET, INTERNET = 100, 101, 102  # tables

MARTIANS = "0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/3"
RULES = f"""
table ip checkpoint {{
  counter onprem {{}}
  counter vnet {{}}
  counter internet {{}}
  counter martian {{}}
  counter spoofed {{}}
  chain arriving {{
    type filter hook prerouting priority raw; policy accept;
    iif != {{ "{LAN}", "{EGRESS}" }} accept
    ip saddr {{ {MARTIANS} }} counter name martian drop
    ip daddr {{ {MARTIANS} }} counter name martian drop
    fib saddr . iif oif missing counter name spoofed drop
    iif "{EGRESS}" counter name internet accept
    ip saddr {{ {", ".join(VNETS)} }} counter name vnet accept
    counter name onprem
  }}
  chain forwarding {{
    type filter hook forward priority filter; policy drop;
    iif "{LAN}" oif "{EGRESS}" accept
    iif "{EGRESS}" oif "{LAN}" accept
  }}
}}
"""


def stations(table: str) -> list[tuple[str, str, str]]:
    """Interface, address and MAC of everybody who is sent to."""
    lan = [(LAN, ONPREM_GATEWAY), (LAN, VNET_GATEWAY)]
    firewalls = [(EGRESS, address) for pair in configuration.members(table) for address in pair]
    return [
        (port, address, f"02:00:00:00:{port == LAN and 1 or 2:02x}:{int(address.rsplit('.')[-1]):02x}")
        for port, address in (*lan, *firewalls, (EGRESS, KMS_GATEWAY))
    ]


def _group(number: int) -> int:
    return 1000 + number


def ip_batch(table: str, routes: Path | None) -> Iterator[str]:
    """Lines for `ip -batch`."""
    for number, pair in enumerate(configuration.members(table)):
        ids = [1 + 2 * number, 2 + 2 * number]
        for id, address in zip(ids, pair, strict=True):
            yield f"nexthop add id {id} via {address} dev {EGRESS}"
        yield f"nexthop add id {_group(number)} group {ids[0]}/{ids[1]}"
    for name, gateway, to in (
        (ONPREM_SOURCES, ONPREM_GATEWAY, "main"),
        *((vnet, VNET_GATEWAY, "main") for vnet in VNETS),
    ):
        yield f"route add {name} via {gateway} dev {LAN} table {to}"
    yield f"route add default nhid {_group(0)}"
    for half in HALVES:
        for to in (ONPREM, VNET):
            yield f"route add {half} nhid {_group(0)} table {to}"
    for to in (VNET, INTERNET):
        yield f"route add {ONPREM_SOURCES} via {ONPREM_GATEWAY} dev {LAN} table {to}"
    yield from (f"route add blackhole {none} table {ONPREM}" for none in NONE)
    if routes is None:
        yield from (f"route add {vnet} via {VNET_GATEWAY} dev {LAN} table {ONPREM}" for vnet in VNETS)
        yield from (f"route add {kms}/32 via {KMS_GATEWAY} dev {EGRESS} table {ONPREM}" for kms in KMS)
    else:
        for line in routes.read_text().splitlines():
            prefix, name = line.split()
            yield f"route replace {prefix} nhid {_group(int(name.removeprefix('firewall-')))} table {ONPREM}"
    for vnet in VNETS:
        yield f"rule add pref 100 iif {LAN} from {vnet} lookup {VNET}"
    yield f"rule add pref 101 iif {LAN} from {ONPREM_SOURCES} lookup {ONPREM}"
    yield f"rule add pref 102 iif {EGRESS} lookup {INTERNET}"
    for port in (LAN, EGRESS):
        yield f"rule add pref 103 iif {port} blackhole"


def sekisho_text(table: str, routes: Path | None) -> str:
    """The same for the product; its interfaces' addresses and neighbours are the kernel's."""
    text = configuration.text(table, (f"af_xdp:{LAN}", f"af_xdp:{EGRESS}"), routes)
    return "\n".join(line for line in text.splitlines() if not line.startswith(("address =", "neighbours ="))) + "\n"
