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
SPACE = "fabric"

# No connection tracking: what passes the fabric twice must not be taken for one connection, and public addresses are one to one.
RULES = """
table ip fabric {
  counter not_forwarding { comment "IP forwarding is off at the NIC" }
  counter foreign { comment "to the Internet with a source that is not the NIC's own" }
  counter to_internet {}
  set own { type ifname . ipv4_addr; }
  set forwarding { type ifname; }
  map public { type ipv4_addr : ipv4_addr; }
  map private { type ipv4_addr : ipv4_addr; }
  chain arriving {
    type filter hook prerouting priority raw; policy accept;
    notrack
    iifname "internet" ip daddr set ip daddr map @private
    iifname { "internet", "lo" } accept
    iifname @forwarding accept
    iifname . ip saddr @own accept
    counter name not_forwarding drop
  }
  chain crossing {
    type filter hook forward priority filter; policy accept;
    oifname "internet" jump leaving
    oifname @forwarding accept
    oifname . ip daddr @own accept
    counter name not_forwarding drop
  }
  chain leaving {
    iifname . ip saddr != @own counter name foreign drop
    counter name to_internet
    ip saddr set ip saddr map @public accept
    counter name foreign drop
  }
  chain saying {
    type filter hook output priority filter; policy accept;
    icmp type { destination-unreachable, time-exceeded, redirect } drop comment "the fabric says nothing"
  }
}
"""


class Fabric:
    """VNets, subnets and NICs are added, then `start`; afterwards route tables may change."""

    def __init__(self, lab: Lab, space: Namespace) -> None:
        self.lab = lab
        self.space = space
        self.plan = Plan()
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
        self.space.ip("rule", "add", "priority", "1000", "iif", device, "lookup", str(self.plan.subnets[subnet].number))
        elements = [f'add element ip fabric own {{ "{device}" . {address} }}']
        if forwarding:
            elements.append(f'add element ip fabric forwarding {{ "{device}" }}')
        if public:
            elements.append(f"add element ip fabric public {{ {address} : {public} }}")
            elements.append(f"add element ip fabric private {{ {public} : {address} }}")
        self.space.nft("\n".join(elements) + "\n")
        self.plan.nics[f"{space}-{interface}"] = Nic(f"{space}-{interface}", subnet, address, device, mac, forwarding, public)

    def add_internet(self, space: str) -> None:
        """The device by which the Internet is reached, whose other end is `eth0` there."""
        inside = self.lab[space]
        self.space.ip("link", "add", INTERNET, "type", "veth", "peer", "name", "eth0", "netns", inside.name)
        plain(self.space, INTERNET)
        plain(inside, "eth0")
        self.space.ip("address", "add", OUTSIDE, "dev", INTERNET)
        self.space.ip("link", "set", INTERNET, "up")
        inside.ip("address", "add", f"{INTERNET_ROUTER}/24", "dev", "eth0")
        inside.ip("link", "set", "eth0", "up")
        # Public addresses are on no interface: each is sent for at the fabric's own.
        mac = json.loads(self.space.ip("-j", "link", "show", INTERNET))[0]["address"]
        far = json.loads(inside.ip("-j", "link", "show", "eth0"))[0]["address"]
        self.space.ip("neighbour", "replace", INTERNET_ROUTER, "lladdr", far, "dev", INTERNET, "nud", "permanent")
        inside.ip("neighbour", "replace", "203.0.113.1", "lladdr", mac, "dev", "eth0", "nud", "permanent")
        inside.ip("route", "add", "203.0.113.128/25", "via", "203.0.113.1")

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

    def set_table(self, subnet: str, table: Path | dict[str, Any] | None) -> None:
        """Another route table for a subnet: returns when it is in force."""
        self.plan.subnets[subnet].table = json.loads(table.read_text()) if isinstance(table, Path) else table
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
