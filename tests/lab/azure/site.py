# SPDX-License-Identifier: BSD-3-Clause
"""A lab on Azure's fabric, and the parts that scenarios are put together from: the Internet, firewalls, route servers, gateways, an
on-premises site. Every address that more than one scenario uses stands here.

    hub VNet 10.0.0.0/16                                       spoke VNet 10.1.0.0/16, peered
      lan       10.0.1.0/24   the appliance's NIC 10.0.1.4       vm        10.1.0.0/24
      egress1   10.0.2.0/24   its NIC to the first firewall    on-premises 172.16.0.0/12
      egress2   10.0.3.0/24   and to the second                  host      172.16.0.10
      inside1, inside2    10.0.10.0/24, 10.0.11.0/24           Internet
      outside1, outside2  10.0.20.0/24, 10.0.21.0/24             203.0.113.128/25 public addresses
      routeserver         10.0.5.0/27                            192.0.2.1 on-premises' own
      gateway             10.0.6.0/27
"""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lab.appliance import Appliance
from lab.azure.fabric import SPACE, Fabric, plain
from lab.azure.speaker import APPLIANCE_ASN, EXPRESSROUTE_ASN, ONPREM_ASN, ROUTE_SERVER_ASN, Neighbour, Speaker, configuration
from lab.namespace import Namespace
from lab.process import execute, wait_until
from lab.topology import FIREWALL_RULES, KMS, KMS_PORT, MOVED, SILENCE, STREAM, WEB, Lab

ONPREM_HOST = "172.16.0.10"
ONPREM_PREFIX = "172.16.0.0/12"
ROUTE_SERVERS = {"rs1": "10.0.5.4", "rs2": "10.0.5.5"}
GATEWAY = "10.0.6.4"
VM = "10.1.0.4"
FIREWALL_PUBLIC = {"firewall": "203.0.113.131", "firewall2": "203.0.113.132"}
FIREWALL_INSIDE = {"firewall": "10.0.10.10", "firewall2": "10.0.11.10"}
FIREWALL_OUTSIDE = {"firewall": "10.0.20.10", "firewall2": "10.0.21.10"}
APPLIANCE_PUBLIC = "203.0.113.140"
APPLIANCE2_PUBLIC = "203.0.113.141"
VM_PUBLIC = "203.0.113.150"
ONPREM_PUBLIC = "192.0.2.1"
ISP = "192.0.2.254"

# By public address. What the load balancers' and the firewalls' probes of the web server add is counted with their sender's.
COUNTERS = f"""
table ip lab {{
  counter arrived {{}}
  counter firewall {{}}
  counter firewall2 {{}}
  counter appliance {{}}
  counter vm {{}}
  counter onprem {{}}
  counter marked {{}}
  counter stream {{}}
  counter too_long {{}}
  chain arriving {{
    type filter hook prerouting priority raw; policy accept;
    iifname != {{ "eth0", "isp" }} accept
    counter name arrived
    udp dport 4001 counter name marked
    udp dport 9000 counter name stream
    icmp type destination-unreachable icmp code frag-needed counter name too_long
    ip saddr {FIREWALL_PUBLIC["firewall"]} counter name firewall
    ip saddr {FIREWALL_PUBLIC["firewall2"]} counter name firewall2
    ip saddr {{ {APPLIANCE_PUBLIC}, {APPLIANCE2_PUBLIC} }} counter name appliance
    ip saddr {VM_PUBLIC} counter name vm
    ip saddr {ONPREM_PUBLIC} counter name onprem
  }}
}}
"""
# Beside the rules of its own, what a namespace saw of the marked packets and of a stream.
WATCH = """
table ip watch {
  counter marked {}
  counter stream {}
  chain arriving {
    type filter hook prerouting priority raw; policy accept;
    udp dport 4001 counter name marked
    udp dport 9000 counter name stream
  }
}
"""


class AzureLab(Lab):
    """Namespaces are added by name; the fabric starts when the scenario says so."""

    def _build(self) -> None:
        for name in (SPACE, "edge"):
            self._spaces[name] = Namespace(f"{self.prefix}-{name}")
        self.fabric = Fabric(self, self[SPACE], self["edge"])
        self.frr: dict[str, Speaker] = {}
        self.appliances: list[Appliance] = []
        self.add_space("internet")
        self.fabric.add_internet("internet")
        internet = self["internet"]
        for address in (WEB, STREAM, MOVED, KMS):
            internet.ip("address", "add", f"{address}/32", "dev", "lo")
        internet.nft(COUNTERS)
        internet.nft(SILENCE)
        self.accesses = self.folder / "internet.jsonl"
        server = Path(__file__).parents[1] / "services.py"
        python = shutil.which("python3", path="/usr/bin") or "python3"
        services = self.spawn("internet", "services", python, server, self.accesses, WEB, KMS, str(KMS_PORT))
        wait_until("the Internet's servers", lambda: "ready" in services.output())

    def add_space(self, name: str) -> Namespace:
        space = self._spaces[name] = Namespace(f"{self.prefix}-{name}")
        space.create()
        for which in ("all", "default"):
            space.sysctl(f"net.ipv4.conf.{which}.rp_filter", 0)
            space.sysctl(f"net.ipv4.conf.{which}.send_redirects", 0)
        return space

    def watch(self, *spaces: str) -> None:
        for space in spaces:
            self[space].nft(WATCH)

    def watched(self, space: str) -> dict[str, int]:
        """Marked packets and those of a stream that came into a namespace, by whichever interface."""
        found = json.loads(self[space].run("nft", "-j", "list", "counters", "table", "ip", "watch"))["nftables"]
        return {entry["counter"]["name"]: entry["counter"]["packets"] for entry in found if "counter" in entry}

    def _under_way(self) -> int:
        """The probes of several appliances leave no moment without a packet: what is waited for is a stream's."""
        return self.counters()["stream"]

    def last_client(self, service: str) -> str:
        """As who it was asked last: "page", which probes do not ask for, or "kms"."""
        clients = self.seen_clients(service)
        return clients[-1] if clients else "nobody"

    def wire(self, one: str, other: str, name: str, addresses: tuple[str, str], mtu: int = 1500) -> None:
        """A cable outside the fabric, `name` at both ends."""
        self[one].ip("link", "add", name, "type", "veth", "peer", "name", name, "netns", self[other].name)
        for where, address in zip((one, other), addresses, strict=True):
            plain(self[where], name)
            self[where].ip("address", "add", address, "dev", name)
            self[where].ip("link", "set", name, "mtu", str(mtu), "up")

    def add_frr(self, space: str, config: str) -> Speaker:
        """Not started yet: `start` does it, with all others at once."""
        self.frr[space] = Speaker(self, space, config)
        return self.frr[space]

    def start(self) -> None:
        """The fabric and the BGP speakers so far."""
        with ThreadPoolExecutor() as pool:
            cloud = [pool.submit(self.fabric.start), *(pool.submit(frr.start) for frr in self.frr.values())]
            for started in cloud:
                started.result()
            for started in [pool.submit(appliance.start) for appliance in self.appliances]:
                started.result()

    def spaces(self) -> list[str]:
        return list(self._spaces)

    def diagnosis(self) -> str:
        """What everybody said last, and what the appliances say of themselves."""
        said = [f"--- {process.name}\n{process.output()[-3000:]}" for process in self.processes]
        for name, frr in self.frr.items():
            said.append(f"--- BGP of {name}\n" + execute("vtysh", "-N", frr.name, "-c", "show bgp ipv4 unicast").stdout)
        said += [appliance.diagnosis() for appliance in self.appliances]
        said.append(self.fabric.effective_file.read_text() if self.fabric.effective_file.exists() else "")
        return "\n".join(said)

    # --- parts ----------------------------------------------------------------------------------------------

    def add_hub(self, tables: dict[str, Path | dict[str, Any]], firewalls: tuple[str, ...] = ("firewall",)) -> None:
        """The hub VNet's subnets, the spoke, both peered. `tables`: route tables by subnet."""
        fabric = self.fabric
        fabric.add_vnet("hub", "10.0.0.0/16")
        fabric.add_vnet("spoke", "10.1.0.0/16")
        fabric.peer("hub", "spoke")
        subnets = {"lan": "10.0.1.0/24", "routeserver": "10.0.5.0/27", "gateway": "10.0.6.0/27"}
        for number, _ in enumerate(firewalls):
            subnets |= {
                f"egress{number + 1}": f"10.0.{number + 2}.0/24",
                f"inside{number + 1}": f"10.0.{number + 10}.0/24",
                f"outside{number + 1}": f"10.0.{number + 20}.0/24",
            }
        for name, prefix in subnets.items():
            fabric.add_subnet(name, "hub", prefix, tables.get(name))
        fabric.add_subnet("vm", "spoke", "10.1.0.0/24", tables.get("vm"))

    def add_appliance(
        self, space: str = "nva", last: int = 4, egress: int = 1, public: str | None = APPLIANCE_PUBLIC
    ) -> None:
        """Its NICs: lan0, egress0, egress1; a kernel that would gladly forward; and the host's own default, as DHCP gives it."""
        nva = self.add_space(space)
        self.fabric.add_nic(space, "lan0", "lan", f"10.0.1.{last}")
        for number in range(egress):
            name = f"egress{number + 1}"
            self.fabric.add_nic(
                space, f"egress{number}", name, f"10.0.{number + 2}.{last}", public=public if number == 0 else None
            )
        nva.sysctl("net.ipv4.ip_forward", 1)
        nva.ip("route", "add", "default", "via", "10.0.1.1", "dev", "lan0")
        # A default whose next hop is only known by the host's own default is taken by no zebra.
        for subnet in ("10.0.5.0/27", "10.100.0.64/26"):
            nva.ip("route", "add", subnet, "via", "10.0.1.1", "dev", "lan0")

    def add_firewall(self, name: str, number: int, rules: str = FIREWALL_RULES) -> None:
        """Stateful, with a NIC towards the appliance and one towards the Internet, which has a public address."""
        space = self.add_space(name)
        self.fabric.add_nic(name, "inside", f"inside{number}", FIREWALL_INSIDE[name])
        self.fabric.add_nic(name, "outside", f"outside{number}", FIREWALL_OUTSIDE[name], public=FIREWALL_PUBLIC[name])
        space.sysctl("net.ipv4.ip_forward", 1)
        space.nft(rules)
        for private in (ONPREM_PREFIX, "10.0.0.0/8"):
            space.ip("route", "add", private, "via", f"10.0.{number + 9}.1", "dev", "inside")
        space.ip("route", "add", "default", "via", f"10.0.{number + 19}.1", "dev", "outside")

    def add_vm(self, public: str | None = None) -> None:
        vm = self.add_space("vm")
        self.fabric.add_nic("vm", "eth0", "vm", VM, forwarding=False, public=public)
        vm.ip("route", "add", "default", "via", "10.1.0.1", "dev", "eth0")
        vm.nft(SILENCE)

    def add_route_servers(self, appliances: tuple[str, ...] = ("10.0.1.4",)) -> None:
        """Both, with branch-to-branch on: gateways get what the appliance says, and the appliance what they say."""
        for name, address in ROUTE_SERVERS.items():
            space = self.add_space(name)
            self.fabric.add_nic(name, "eth0", "routeserver", address, forwarding=False)
            for vnet in ("10.0.0.0/16", "10.1.0.0/16"):
                space.ip("route", "add", vnet, "via", "10.0.5.1", "dev", "eth0")
            neighbours = [
                Neighbour(peer, APPLIANCE_ASN, ("ebgp-multihop 8",), ("maximum-prefix 4000",)) for peer in appliances
            ] + [Neighbour(GATEWAY, ROUTE_SERVER_ASN, (), ("route-reflector-client",))]
            self.add_frr(name, configuration(ROUTE_SERVER_ASN, address, neighbours, ("10.0.0.0/16", "10.1.0.0/16")))
        self.fabric.learn_from("hub", *ROUTE_SERVERS)
        self.fabric.learn_from("spoke", *ROUTE_SERVERS)

    def add_gateway(self, name: str, wire: str, mtu: int = 1500, vpn: bool = False) -> None:
        """An ExpressRoute gateway with Microsoft's edge, or a VPN gateway, and its cable to on-premises, which is there already."""
        space = self.add_space(name)
        self.fabric.add_nic(name, "eth0", "gateway", GATEWAY)
        self.fabric.plan.gateways |= {"hub": GATEWAY, "spoke": GATEWAY}
        space.sysctl("net.ipv4.ip_forward", 1)
        for vnet in ("10.0.0.0/16", "10.1.0.0/16"):
            space.ip("route", "add", vnet, "via", "10.0.6.1", "dev", "eth0")
        self.wire(name, "onprem-router", wire, ("169.254.10.1/30", "169.254.10.2/30"), mtu)
        options = () if vpn else (f"local-as {EXPRESSROUTE_ASN}",)
        neighbours = [
            *(Neighbour(peer, ROUTE_SERVER_ASN, (), ("next-hop-self",)) for peer in ROUTE_SERVERS.values()),
            Neighbour("169.254.10.2", ONPREM_ASN, options, ("route-map to-site out",)),
        ]
        filters = VPN_FILTER if vpn else NO_FILTER
        self.add_frr(
            name, configuration(ROUTE_SERVER_ASN, GATEWAY, neighbours, ("10.0.0.0/16", "10.1.0.0/16"), filters)
        )

    def add_onprem(self, name: str = "onprem", net: str = "172.16.0") -> None:
        """A host and its router."""
        host, router = self.add_space(name), self.add_space(f"{name}-router")
        self.wire(name, f"{name}-router", "lan", (f"{net}.10/24", f"{net}.1/24"))
        host.ip("route", "add", "default", "via", f"{net}.1")
        host.nft(SILENCE)
        router.sysctl("net.ipv4.ip_forward", 1)

    def add_onprem_speaker(
        self, name: str = "onprem", gateway: str = "169.254.10.1", gateway_asn: int = EXPRESSROUTE_ASN,
        networks: tuple[str, ...] = (ONPREM_PREFIX,), asn: int = ONPREM_ASN, router_id: str = ONPREM_HOST,
    ) -> None:  # fmt: skip
        self.add_frr(f"{name}-router", configuration(asn, router_id, [Neighbour(gateway, gateway_asn)], networks))

    def add_onprem_internet(self) -> None:
        """Its own way to the Internet, which translates."""
        self.wire("onprem-router", "internet", "isp", (f"{ONPREM_PUBLIC}/24", f"{ISP}/24"))
        onprem = self["onprem-router"]
        onprem.ip("route", "add", "default", "via", ISP)
        onprem.nft(
            "table ip isp {\n chain translate {\n type nat hook postrouting priority srcnat; policy accept;\n"
            f' oifname "isp" snat to {ONPREM_PUBLIC}\n }}\n}}\n'
        )


NO_FILTER = "route-map to-site permit 10\n"
# What a VPN gateway never re-advertises: a default, and what lies in a VNet, but for the VNets themselves.
VPN_FILTER = """ip prefix-list vnets permit 10.0.0.0/16
ip prefix-list vnets permit 10.1.0.0/16
ip prefix-list never permit 0.0.0.0/0
ip prefix-list never permit 10.0.0.0/16 le 32
ip prefix-list never permit 10.1.0.0/16 le 32
route-map to-site permit 10
 match ip address prefix-list vnets
route-map to-site deny 20
 match ip address prefix-list never
route-map to-site permit 30
"""
