# SPDX-License-Identifier: BSD-3-Clause
"""The lab: on-premises and a VNet on one side of the appliance, a firewall and a second gateway on the other, an
"Internet" behind both. Every address stands here.

                       lan bridge 10.0.1.0/24            egress bridge 10.0.2.0/24         Internet bridge 203.0.113.0/24
    onprem  10.0.1.1  ---+                             +--- firewall 10.0.2.10 / 203.0.113.2 ---+
    172.16.0.10          |                             |                                        |
                         +-- 10.0.1.4 [nva] 10.0.2.4 --+                                        +-- internet 203.0.113.10
    vnet    10.0.1.20 ---+                             |                                        |   198.51.100.80 (web)
                                                       +--- gateway2 10.0.2.20 / 203.0.113.3 ---+   20.118.99.224 (KMS)
                                                       +--- router   10.0.2.1  / 203.0.113.1 ---+

The router is the cloud's: it translates nothing, and forwards nothing but what the appliance sends as its own.

`add_egress` gives the appliance a second way out, as Azure wants it (a NIC and a subnet for each firewall):

                [nva] egress1 10.0.3.4 --- 10.0.3.11 firewall2

`add_management` gives the appliance a third interface, as most appliances have one, and a kernel route to the Internet by it:

                [nva] mgmt0 10.0.9.4 --- 10.0.9.1 management 203.0.113.5 --- Internet bridge
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType, TracebackType

from lab import namespace
from lab.namespace import Namespace
from lab.process import Process, execute, run, wait_until

MANUAL = Path(__file__).resolve().parents[2] / "doc/configuration.md"

ONPREM = "172.16.0.10"
ONPREM_GATEWAY = "10.0.1.1"
VNET = "10.0.1.20"
LAN = "10.0.1.4"
EGRESS = "10.0.2.4"
FIREWALL = "10.0.2.10"
FIREWALL2 = "10.0.2.11"
GATEWAY2 = "10.0.2.20"
ROUTER = "10.0.2.1"
FIREWALL_OUTSIDE = "203.0.113.2"
FIREWALL2_OUTSIDE = "203.0.113.4"
GATEWAY2_OUTSIDE = "203.0.113.3"
ROUTER_OUTSIDE = "203.0.113.1"
EGRESS2 = "10.0.3.4"  # a second egress port's, and
FIREWALL2_BEHIND_IT = "10.0.3.11"
MANAGEMENT = "10.0.9.4"
MANAGEMENT_GATEWAY = "10.0.9.1"
MANAGEMENT_OUTSIDE = "203.0.113.5"
INTERNET = "203.0.113.10"
WEB = "198.51.100.80"
STREAM = "198.51.100.90"
MOVED = "198.51.100.91"
KMS = "20.118.99.224"
KMS_PORT = 1688
STREAM_PORT = 9000

MACS = {
    ("onprem", "eth0"): "02:00:00:00:01:01",
    ("vnet", "eth0"): "02:00:00:00:01:20",
    ("nva", "lan0"): "02:00:00:00:01:04",
    ("nva", "egress0"): "02:00:00:00:02:04",
    ("firewall", "inside"): "02:00:00:00:02:10",
    ("firewall2", "inside"): "02:00:00:00:02:11",
    ("gateway2", "inside"): "02:00:00:00:02:20",
    ("router", "inside"): "02:00:00:00:02:01",
    ("firewall", "outside"): "02:00:00:00:03:02",
    ("firewall2", "outside"): "02:00:00:00:03:04",
    ("gateway2", "outside"): "02:00:00:00:03:03",
    ("router", "outside"): "02:00:00:00:03:01",
    ("internet", "eth0"): "02:00:00:00:03:10",
    ("nva", "egress1"): "02:00:00:00:04:04",
    ("firewall2", "in2"): "02:00:00:00:04:11",
    ("nva", "mgmt0"): "02:00:00:00:09:04",
    ("management", "inside"): "02:00:00:00:09:01",
    ("management", "outside"): "02:00:00:00:03:05",
}

# What arrives at the Internet host, by who sent it: `nft` counts what no program has to be fast enough to see.
INTERNET_COUNTERS = """
table ip lab {
  counter arrived {}
  counter not_tcp {}
  counter firewall {}
  counter firewall2 {}
  counter gateway2 {}
  counter appliance {}
  counter unnatted {}
  chain arriving {
    type filter hook prerouting priority raw; policy accept;
    iifname != "eth0" accept
    counter name arrived
    ip protocol != tcp counter name not_tcp
    ip saddr 203.0.113.2 counter name firewall
    ip saddr 203.0.113.4 counter name firewall2
    ip saddr 203.0.113.3 counter name gateway2
    ip saddr 10.0.2.4 counter name appliance
    ip saddr != { 203.0.113.0/24, 10.0.2.4 } counter name unnatted
  }
}
"""

# Nobody listens for the crafted packets of the tests; the ICMP errors that say so would come back and be counted.
SILENCE = """
table ip silence {
  chain delivered {
    type filter hook input priority filter; policy accept;
    udp dport 4001 drop
  }
}
"""

# A stateful firewall: what comes from inside is translated to its own outside address; from outside only replies enter. `inside`
# counts what the appliance sent to it, whatever happens to it afterwards.
FIREWALL_RULES = """
table ip lab {
  counter inside {}
  chain arriving {
    type filter hook prerouting priority raw; policy accept;
    iifname "inside" counter name inside
    ip ttl 1 drop comment "its ICMP error would be counted"
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "inside" oifname "outside" accept
    ct state established,related accept
  }
  chain translate {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "outside" masquerade
  }
}
"""


# What a cloud's network does with a private source that is not the sender's own: `foreign` counts and drops it.
ROUTER_RULES = """
table ip lab {
  counter inside {}
  counter foreign {}
  chain arriving {
    type filter hook prerouting priority raw; policy accept;
    iifname "inside" counter name inside
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "inside" ip saddr 10.0.2.4 accept
    iifname "inside" counter name foreign drop
    oifname "inside" ip daddr 10.0.2.4 accept
  }
}
"""

MASQUERADE = """
table ip lab {
  chain translate {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "outside" masquerade
  }
}
"""


class Lab:
    """Use as a context manager: everything is removed at the end, also after an exception, SIGINT or SIGTERM."""

    def __init__(self) -> None:
        namespace.remove_dead_runs()
        self.prefix = f"sk{os.getpid()}"
        self.folder = namespace.STATE / self.prefix
        self.keep = False
        self.processes: list[Process] = []
        # Of each appliance: how many frames found no room in a port's socket.
        self.no_room: list[Callable[[], int]] = []
        self._spaces: dict[str, Namespace] = {}
        self._handlers: dict[signal.Signals, object] = {}
        held = namespace.lock(self.prefix)
        if held is None:
            raise RuntimeError("this process has a lab already")
        self._lock = held

    def __enter__(self) -> Lab:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._interrupted)
        try:
            self.folder.mkdir(mode=0o700)
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def _interrupted(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    def close(self) -> None:
        if self.keep:
            self._lock.truncate(0)
            self._lock.write("keep\n")
            self._lock.close()
            return
        for number in self._handlers:
            signal.signal(number, signal.SIG_IGN)
        for process in reversed(self.processes):
            process.stop()
        namespace.remove_run(self.prefix)
        self._lock.close()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def __getitem__(self, name: str) -> Namespace:
        return self._spaces[name]

    def spawn(
        self, space: str, name: str, *command: str | Path, cpus: Sequence[int] = (), pipe: bool = False
    ) -> Process:
        """A process in a namespace; `cpus` keeps it off the CPU of the dataplane's worker."""
        pinned = ["taskset", "-c", ",".join(str(cpu) for cpu in cpus)] if cpus else []
        process = Process(name, self[space].command(*pinned, *command), self.folder / f"{name}.log", pipe)
        self.processes.append(process)
        return process

    def execute(
        self, space: str, *command: str | Path, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        return execute(*self[space].command(*command), timeout=timeout)

    def forget(self, process: Process) -> None:
        self.processes.remove(process)

    # --- building -------------------------------------------------------------------------------------------

    def _build(self) -> None:
        names = ("fabric", "onprem", "vnet", "nva", "firewall", "firewall2", "gateway2", "router", "internet")
        for name in names:
            self._spaces[name] = Namespace(f"{self.prefix}-{name}")
            self._spaces[name].create()
        self._build_fabric()
        self._build_inside()
        self._build_nva()
        for name, inside, outside in (
            ("firewall", FIREWALL, FIREWALL_OUTSIDE),
            ("firewall2", FIREWALL2, FIREWALL2_OUTSIDE),
            ("gateway2", GATEWAY2, GATEWAY2_OUTSIDE),
        ):
            self._build_gateway(name, inside, outside)
        self._build_router()
        self._build_internet()

    def _build_fabric(self) -> None:
        fabric = self["fabric"]
        for bridge in ("lan-br", "egress-br", "internet-br"):
            fabric.ip("link", "add", bridge, "type", "bridge", "mcast_snooping", "0", "stp_state", "0")
            fabric.ip("link", "set", bridge, "up")
        for table in ("iptables", "ip6tables", "arptables"):
            if Path("/proc/sys/net/bridge").is_dir():
                fabric.sysctl(f"net.bridge.bridge-nf-call-{table}", 0)

    def connect(self, space: str, name: str, bridge: str, address: str) -> None:
        fabric, inside = self["fabric"], self[space]
        port = f"{space}-{name}"[:15]
        fabric.ip(
            "link", "add", port, "type", "veth",
            "peer", "name", name, "netns", inside.name, "address", MACS[space, name],
        )  # fmt: skip
        fabric.ip("link", "set", port, "master", bridge)
        # Exact counts need one packet to be one frame with a checksum of its own, everywhere; and a VLAN tag that
        # travels beside its frame is invisible to an XDP program.
        off = "rx off tx off sg off tso off gso off gro off txvlan off rxvlan off tx-vlan-stag-hw-insert off".split()
        for where, netdev in ((fabric, port), (inside, name)):
            where.run("ethtool", "-K", netdev, *off)
        fabric.ip("link", "set", port, "up")
        inside.ip("address", "add", address, "brd", "+", "dev", name)
        inside.ip("link", "set", name, "up")

    def _build_inside(self) -> None:
        onprem, vnet = self["onprem"], self["vnet"]
        self.connect("onprem", "eth0", "lan-br", f"{ONPREM_GATEWAY}/24")
        onprem.ip("address", "add", f"{ONPREM}/32", "dev", "lo")
        onprem.ip("route", "add", "default", "via", LAN, "src", ONPREM)
        self.connect("vnet", "eth0", "lan-br", f"{VNET}/24")
        vnet.ip("route", "add", "default", "via", LAN)
        for space in (onprem, vnet):
            space.nft(SILENCE)
            space.sysctl("net.ipv4.conf.all.rp_filter", 0)
            space.sysctl("net.ipv4.conf.eth0.rp_filter", 0)

    def _build_nva(self) -> None:
        nva = self["nva"]
        self.connect("nva", "lan0", "lan-br", f"{LAN}/24")
        self.connect("nva", "egress0", "egress-br", f"{EGRESS}/24")
        # A kernel that would gladly forward: what the guard is for.
        nva.sysctl("net.ipv4.ip_forward", 1)
        for device in ("all", "default", "lan0", "egress0"):
            nva.sysctl(f"net.ipv4.conf.{device}.rp_filter", 0)
            nva.sysctl(f"net.ipv4.conf.{device}.send_redirects", 0)
        nva.ip("route", "add", "default", "via", FIREWALL)
        nva.ip("route", "add", "172.16.0.0/12", "via", ONPREM_GATEWAY)

    def _build_gateway(self, name: str, inside: str, outside: str) -> None:
        space = self[name]
        self.connect(name, "inside", "egress-br", f"{inside}/24")
        self.connect(name, "outside", "internet-br", f"{outside}/24")
        space.sysctl("net.ipv4.ip_forward", 1)
        space.ip("route", "add", "default", "via", INTERNET)
        space.nft(FIREWALL_RULES)
        self.link_up(name)

    def _build_router(self) -> None:
        router = self["router"]
        self.connect("router", "inside", "egress-br", f"{ROUTER}/24")
        self.connect("router", "outside", "internet-br", f"{ROUTER_OUTSIDE}/24")
        router.sysctl("net.ipv4.ip_forward", 1)
        router.ip("route", "add", "default", "via", INTERNET)
        router.nft(ROUTER_RULES)

    def _build_internet(self) -> None:
        internet = self["internet"]
        self.connect("internet", "eth0", "internet-br", f"{INTERNET}/24")
        for address in (WEB, STREAM, MOVED, KMS):
            internet.ip("address", "add", f"{address}/32", "dev", "lo")
        internet.ip("route", "add", f"{EGRESS}/32", "via", ROUTER_OUTSIDE)
        internet.nft(INTERNET_COUNTERS)
        internet.nft(SILENCE)
        self.accesses = self.folder / "internet.jsonl"
        server = Path(__file__).with_name("services.py")
        python = shutil.which("python3", path="/usr/bin") or "python3"
        services = self.spawn("internet", "services", python, server, self.accesses, WEB, KMS, str(KMS_PORT))
        wait_until("the Internet's servers", lambda: "ready" in services.output())

    def add_egress(self) -> None:
        """A port of its own towards the second firewall, which keeps its place behind the first port."""
        fabric = self["fabric"]
        fabric.ip("link", "add", "egress2-br", "type", "bridge", "mcast_snooping", "0", "stp_state", "0")
        fabric.ip("link", "set", "egress2-br", "up")
        self.connect("nva", "egress1", "egress2-br", f"{EGRESS2}/24")
        self.connect("firewall2", "in2", "egress2-br", f"{FIREWALL2_BEHIND_IT}/24")
        self["nva"].sysctl("net.ipv4.conf.egress1.rp_filter", 0)
        self["firewall2"].nft('add rule ip lab forward iifname "in2" oifname "outside" accept\n')

    def add_management(self) -> None:
        """A network for who logs in, whose router translates and takes whatever comes to the Internet, as they do."""
        self._spaces["management"] = Namespace(f"{self.prefix}-management")
        router = self["management"]
        router.create()
        fabric = self["fabric"]
        fabric.ip("link", "add", "mgmt-br", "type", "bridge", "mcast_snooping", "0", "stp_state", "0")
        fabric.ip("link", "set", "mgmt-br", "up")
        self.connect("nva", "mgmt0", "mgmt-br", f"{MANAGEMENT}/24")
        self.connect("management", "inside", "mgmt-br", f"{MANAGEMENT_GATEWAY}/24")
        self.connect("management", "outside", "internet-br", f"{MANAGEMENT_OUTSIDE}/24")
        router.sysctl("net.ipv4.ip_forward", 1)
        router.ip("route", "add", "default", "via", INTERNET)
        router.nft(MASQUERADE)
        self["nva"].sysctl("net.ipv4.conf.mgmt0.rp_filter", 0)

    # --- disturbing -----------------------------------------------------------------------------------------

    def use_manuals_neighbour_timers(self) -> None:
        """What the manual recommends to who cannot have a probe: otherwise Linux takes tens of seconds to miss a neighbour."""
        lines = re.findall(r"^(net\.ipv4\.neigh)\.egress0\.(\w+) = (\d+)$", MANUAL.read_text(), re.MULTILINE)
        assert lines, f"{MANUAL} names no neighbour timers"
        for prefix, setting, value in lines:
            for device in ("lan0", "egress0"):
                self["nva"].sysctl(f"{prefix}.{device}.{setting}", int(value))

    def link_down(self, gateway: str) -> None:
        self[gateway].ip("link", "set", "inside", "down")

    def link_up(self, gateway: str) -> None:
        """With the routes that went with the link."""
        self[gateway].ip("link", "set", "inside", "up")
        for private in ("172.16.0.0/12", "10.0.0.0/16"):
            self[gateway].ip("route", "replace", private, "via", EGRESS)

    def settle(self) -> None:
        """Returns when nothing but TCP was under way to the Internet any more: probes through a firewall never end."""

        def quiet() -> bool:
            before = self._under_way()
            time.sleep(0.05)
            return self._under_way() == before

        wait_until("silence at the Internet", quiet)

    def _under_way(self) -> int:
        return self.counters()["not_tcp"]

    # --- looking --------------------------------------------------------------------------------------------

    def counters(self, space: str = "internet") -> dict[str, int]:
        """Packets by the named nftables counters of a namespace."""
        found = json.loads(self[space].run("nft", "-j", "list", "counters", "table", "ip", "lab"))["nftables"]
        return {
            entry["counter"]["name"]: entry["counter"]["packets"] for entry in found if "counter" in entry
        }

    def interface(self, space: str, name: str) -> dict[str, int]:
        """The kernel's own counters of an interface."""
        stats = json.loads(run("ip", "-n", self[space].name, "-j", "-s", "link", "show", "dev", name))[0][
            "stats64"
        ]
        return {f"{way}_{what}": count for way in ("rx", "tx") for what, count in stats[way].items()}

    def seen_clients(self, service: str) -> list[str]:
        """Who connected to the web server or the KMS listener, in order, as they saw it."""
        if not self.accesses.exists():
            return []
        lines = [json.loads(line) for line in self.accesses.read_text().splitlines()]
        return [line["client"] for line in lines if line["service"] == service]

    def fetch(self, space: str = "onprem", url: str = f"http://{WEB}/", timeout: float = 20) -> str:
        return self[space].run("curl", "-sS", "--fail", "--max-time", str(timeout), url)

    def activate(self, space: str = "onprem") -> str:
        """Asks the KMS listener; what it answers."""
        with self[space].socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.settimeout(20)
            client.connect((KMS, KMS_PORT))
            return client.recv(64).decode().strip()
