# SPDX-License-Identifier: BSD-3-Clause
"""Azure's fabric as a namespace: a veth for each NIC, whose other end has the one MAC address 12:34:56:78:9a:bc.

A packet is routed by the table of the subnet of the NIC that sent it, whatever next hop the sender chose; every ARP request is
answered; a NIC without IP forwarding neither sends nor gets what is not its own; what leaves for the Internet with a source that
is not the NIC's own is dropped, and so is a NIC's own without a public address. A peering leads straight to the other VNet's NIC,
as Azure's do, so the VNets of a lab are one namespace. What is not modelled: network security groups, flow limits, bandwidth.

The namespace's kernel routes; who programs it is agent.py.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from lab.azure.arp import MAC
from lab.azure.kernel import DELIVER, INTERNET, INTERNET_ROUTER
from lab.azure.plan import Balancer, Nic, Plan, Subnet, mac_of
from lab.azure.probe import PROBER
from lab.namespace import Namespace
from lab.process import wait_until
from lab.topology import Lab

FIRST_TABLE = 1001
OUTSIDE = "203.0.113.1/24"
PUBLIC = "203.0.113.128/25"
FABRIC = "100.127.0.1"  # as the edge calls it
SPACE = "fabric"

# Without connection tracking: what passes the fabric twice must not be taken for one connection. Public addresses are translated at
# its edge, a namespace of its own, and so are those that ICMP errors quote.
RULES = """
table ip fabric {
  counter not_forwarding { comment "IP forwarding is off at the NIC" }
  counter foreign { comment "to the Internet with a source that is not the NIC's own" }
  counter to_internet {}
  set own { type ifname . ipv4_addr; }
  set forwarding { type ifname; }
  set marked { type ifname; flags dynamic; size 64; counter; }
  set streams { type ifname; flags dynamic; size 64; counter; }
  set public { type ipv4_addr; }
  chain arriving {
    type filter hook prerouting priority raw; policy accept;
    notrack
    iifname { "internet", "lo" } accept
    iifname @forwarding accept
    iifname . ip saddr @own accept
    counter name not_forwarding drop
  }
  chain crossing {
    type filter hook forward priority filter; policy accept;
    udp dport 4001 update @marked { oifname }
    udp dport 9000 update @streams { oifname }
    oifname "internet" jump leaving
    oifname @forwarding accept
    oifname . ip daddr @own accept
    counter name not_forwarding drop
  }
  chain leaving {
    iifname . ip saddr != @own counter name foreign drop
    ip saddr != @public counter name foreign drop
    counter name to_internet accept
  }
  chain saying {
    type filter hook output priority filter; policy accept;
    icmp type { destination-unreachable, time-exceeded, redirect } drop comment "the fabric says nothing"
  }
}
"""

EDGE_RULES = """
table ip edge {
  map public { type ipv4_addr : ipv4_addr; }
  map private { type ipv4_addr : ipv4_addr; }
  chain out {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "eth0" snat to ip saddr map @public
  }
  chain in {
    type nat hook prerouting priority dstnat; policy accept;
    iifname "eth0" dnat to ip daddr map @private
  }
}
"""


class Fabric:
    """VNets, subnets and NICs are added, then `start`; afterwards route tables may change."""

    def __init__(self, lab: Lab, space: Namespace, edge: Namespace) -> None:
        self.lab = lab
        self.space = space
        self.edge = edge
        self.plan = Plan()
        self._runs = False
        self.plan_file = lab.folder / "fabric.json"
        self.effective_file = lab.folder / "effective.json"
        space.create()
        for key, value in (
            ("ip_forward", 1), ("fib_multipath_hash_policy", 1), ("conf.all.rp_filter", 0), ("conf.default.rp_filter", 0),
            ("conf.all.send_redirects", 0), ("conf.default.send_redirects", 0), ("conf.all.arp_ignore", 8),
        ):  # fmt: skip
            space.sysctl(f"net.ipv4.{key}", value)
        space.nft(RULES)
        space.ip("address", "add", f"{PROBER}/32", "dev", "lo")
        space.ip("rule", "add", "priority", "2000", "lookup", str(DELIVER))

    # --- building -------------------------------------------------------------------------------------------

    def add_vnet(self, name: str, *prefixes: str) -> None:
        self.plan.vnets[name] = list(prefixes)

    def peer(self, one: str, other: str) -> None:
        self.plan.peerings.append((one, other))

    def add_subnet(self, name: str, vnet: str, prefix: str, table: Path | dict[str, Any] | None = None) -> None:
        content = json.loads(table.read_text()) if isinstance(table, Path) else table
        self.plan.subnets[name] = Subnet(name, vnet, prefix, FIRST_TABLE + len(self.plan.subnets), content)

    def add_nic(
        self, space: str, interface: str, subnet: str, address: str, forwarding: bool = True, public: str | None = None
    ) -> None:
        """The NIC's namespace has it as `interface`, with the address, and no routes but the subnet's."""
        inside = self.lab[space]
        device = f"{space}-{interface}"[:15]
        mac = mac_of(address)
        self.space.ip(
            "link", "add", device, "address", MAC, "type", "veth",
            "peer", "name", interface, "netns", inside.name, "address", mac,
        )  # fmt: skip
        plain(self.space, device)
        plain(inside, interface)
        self.space.ip("link", "set", device, "up")
        length = self.plan.subnets[subnet].prefix.split("/")[1]
        inside.ip("address", "add", f"{address}/{length}", "brd", "+", "dev", interface)
        inside.ip("link", "set", interface, "up")
        inside.sysctl(f"net.ipv4.conf.{interface}.rp_filter", 0)
        self.space.ip("neighbour", "replace", address, "lladdr", mac, "dev", device, "nud", "permanent")
        table = str(self.plan.subnets[subnet].number)
        self.space.ip("rule", "add", "priority", "1000", "iif", device, "lookup", table)
        elements = [f'add element ip fabric own {{ "{device}" . {address} }}']
        if forwarding:
            elements.append(f'add element ip fabric forwarding {{ "{device}" }}')
        if public:
            elements.append(f"add element ip fabric public {{ {address} }}")
            self.edge.nft(
                f"add element ip edge public {{ {address} : {public} }}\nadd element ip edge private {{ {public} : {address} }}\n"
            )
        self.space.nft("\n".join(elements) + "\n")
        name = f"{space}-{interface}"
        self.plan.nics[name] = Nic(name, subnet, address, device, mac, forwarding, public)

    def add_internet(self, space: str) -> None:
        """The Internet, which has `eth0`, behind the edge."""
        inside, edge = self.lab[space], self.edge
        edge.create()
        edge.sysctl("net.ipv4.ip_forward", 1)
        edge.nft(EDGE_RULES)
        self.space.ip("link", "add", INTERNET, "type", "veth", "peer", "name", "fabric", "netns", edge.name)
        edge.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", inside.name)
        for where, device in ((self.space, INTERNET), (edge, "fabric"), (edge, "eth0"), (inside, "eth0")):
            plain(where, device)
            where.ip("link", "set", device, "up")
        # Between fabric and edge nobody has an address, so nobody answers ARP.
        for where, device, hop, other, there in (
            (self.space, INTERNET, INTERNET_ROUTER, edge, "fabric"), (edge, "fabric", FABRIC, self.space, INTERNET),
        ):  # fmt: skip
            mac = json.loads(other.ip("-j", "link", "show", there))[0]["address"]
            where.ip("neighbour", "replace", hop, "lladdr", mac, "dev", device, "nud", "permanent")
        edge.ip("address", "add", OUTSIDE, "dev", "eth0")
        edge.ip("route", "add", "default", "via", INTERNET_ROUTER)
        edge.ip("route", "add", "10.0.0.0/8", "via", FABRIC, "dev", "fabric", "onlink")
        inside.ip("address", "add", f"{INTERNET_ROUTER}/24", "dev", "eth0")
        inside.ip("route", "add", PUBLIC, "via", OUTSIDE.split("/")[0])

    def balance(self, frontend: str, members: list[str], port: int) -> None:
        self.plan.balancers.append(Balancer(frontend, members, port))

    def learn_from(self, vnet: str, *route_servers: str) -> None:
        self.plan.route_servers[vnet] = [self.lab[name].name for name in route_servers]

    # --- running --------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.plan.write(self.plan_file)
        python = shutil.which("python3", path="/usr/bin") or "python3"
        agent = self.lab.spawn(
            SPACE, "fabric", "env", f"PYTHONPATH={Path(__file__).resolve().parents[2]}", "PYTHONDONTWRITEBYTECODE=1",
            python, "-m", "lab.azure.agent", self.plan_file, self.effective_file,
        )  # fmt: skip
        wait_until("the fabric", lambda: "ready" in agent.output() or not agent.running())
        assert agent.running(), agent.output()
        self._runs = True

    def set_table(self, subnet: str, table: Path | dict[str, Any] | None) -> None:
        """Another route table for a subnet: returns when it is in force."""
        self.plan.subnets[subnet].table = json.loads(table.read_text()) if isinstance(table, Path) else table
        self._apply()

    def propagate(self, vnet: str, prefix: str, next_hop: str) -> None:
        """A route that a gateway has without BGP: of its Default Site, or of a hub's connection."""
        self.plan.static.setdefault(vnet, {})[prefix] = [next_hop]
        self._apply()

    def _apply(self) -> None:
        if self._runs:
            self.plan.generation += 1
            self.plan.write(self.plan_file)
            wait_until("the fabric to apply it", lambda: self._said()["generation"] == self.plan.generation)

    # --- looking --------------------------------------------------------------------------------------------

    def _said(self) -> Any:
        return json.loads(self.effective_file.read_text())

    def effective(self, subnet: str) -> list[str]:
        """The subnet's effective routes, a line each."""
        lines: list[str] = self._said()["subnets"][subnet]
        return lines

    def active(self, subnet: str, prefix: str) -> str | None:
        """The line of a prefix that is in force there."""
        wanted = (line for line in self.effective(subnet) if line.split()[1:3] == ["Active", prefix])
        return next(wanted, None)

    def learned(self, subnet: str, prefix: str) -> str | None:
        """The same, if BGP brought it."""
        line = self.active(subnet, prefix)
        return line if line and line.startswith("VirtualNetworkGateway") else None

    def hops(self, subnet: str, prefix: str) -> int:
        """To how many NICs the kernel spreads a prefix."""
        table = str(self.plan.subnets[subnet].number)
        found = json.loads(self.space.ip("-j", "route", "show", "table", table, "exact", prefix) or "[]")
        return sum(len(route.get("nexthops", [None])) for route in found if route.get("type") != "blackhole")

    def marked_to(self, nic: str) -> int:
        """Packets for UDP port 4001 that the fabric gave to a NIC."""
        return self._counted("marked", nic)

    def streamed_to(self, nic: str) -> int:
        """The same of the packets of a numbered stream."""
        return self._counted("streams", nic)

    def _counted(self, name: str, nic: str) -> int:
        found = json.loads(self.space.run("nft", "-j", "list", "set", "ip", "fabric", name))["nftables"][-1]["set"]
        elements = (entry["elem"] for entry in found.get("elem", []))
        device = self.plan.nics[nic].device
        return next((int(item["counter"]["packets"]) for item in elements if item["val"] == device), 0)

    def counters(self) -> dict[str, int]:
        found = json.loads(self.space.run("nft", "-j", "list", "counters", "table", "ip", "fabric"))["nftables"]
        return {entry["counter"]["name"]: entry["counter"]["packets"] for entry in found if "counter" in entry}

    def sent_by(self, nic: str) -> int:
        """Packets that came from a NIC."""
        return self._link(nic)["rx"]["packets"]

    def sent_to(self, nic: str) -> int:
        return self._link(nic)["tx"]["packets"]

    def _link(self, nic: str) -> Any:
        device = self.plan.nics[nic].device
        return json.loads(self.space.ip("-j", "-s", "link", "show", "dev", device))[0]["stats64"]


def plain(space: Namespace, device: str) -> None:
    """One packet is one frame with a checksum of its own; no tag travels beside it."""
    off = "rx off tx off sg off tso off gso off gro off txvlan off rxvlan off".split()
    space.run("ethtool", "-K", device, *off)
