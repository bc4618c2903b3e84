# SPDX-License-Identifier: BSD-3-Clause
"""Transit that has to stop, and who saw it all the same.

Every frame goes to UDP port 4001, which nothing else in the lab uses, and is counted where it enters a machine, before that
machine's own rules: by its router and by the management network's router it went *past* the firewall; with a source that its
wire cannot carry it is *spoofed* wherever it is seen.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from types import TracebackType

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from lab import trouble
from lab.frames import Injector
from lab.topology import MACS, MOVED, ONPREM, ROUTER, STREAM, Lab

BY_PORT = STREAM  # the kernel's route to it leaves by the egress port, to the subnet's router
BY_MANAGEMENT = MOVED  # and to this one by the management interface
BY_PORT6 = "2001:db8:1::1"
BY_MANAGEMENT6 = "2001:db8:2::1"
SPOOFED = "8.8.8.8"  # from the LAN
FOREIGN = "172.16.0.99"  # on-premises, from the router's side
DPORT = 4001

WATCH = """
table netdev transit {{
  counter past {{}}
  counter spoofed {{}}
  counter through {{}}
  chain transit {{
{rules}
  }}
  chain arriving {{
    type filter hook ingress device "{device}" priority 0; policy accept;
    udp dport 4001 meta pkttype host jump transit comment "the others were flooded by a bridge"
  }}
}}
"""
ANY = "    counter name past\n"
OF_SPOOFED = f"    ip saddr {{ {SPOOFED}, {FOREIGN} }} counter name spoofed\n"
THROUGH = f"    ip saddr {ONPREM} counter name through\n    meta protocol ip6 counter name past\n"
# At the Internet, whoever translated it; the routers' own counters have it already, this one trusts no router.
NOT_BY_FIREWALL = "    ip saddr != { 203.0.113.2, 203.0.113.3, 203.0.113.4 } counter name past\n"

WATCHERS = {
    ("router", "inside"): ANY + OF_SPOOFED,
    ("management", "inside"): ANY + OF_SPOOFED,
    ("firewall", "inside"): THROUGH + OF_SPOOFED,
    ("gateway2", "inside"): ANY + OF_SPOOFED,
    ("onprem", "eth0"): OF_SPOOFED,
    ("internet", "eth0"): NOT_BY_FIREWALL,
}


class Seen:
    """Frames that arrived somewhere, by where and as what."""

    def __init__(self, counts: Counter[tuple[str, str]]) -> None:
        self.counts = counts

    def __add__(self, more: Seen) -> Seen:
        return Seen(self.counts + more.counts)

    def __sub__(self, before: Seen) -> Seen:
        return Seen(self.counts - before.counts)

    def __repr__(self) -> str:
        return ", ".join(f"{packets} {what} at {space}" for (space, what), packets in self.counts.items()) or "nothing"

    def total(self, what: str) -> int:
        return sum(packets for (_, name), packets in self.counts.items() if name == what)

    @property
    def past(self) -> int:
        return self.total("past")

    @property
    def spoofed(self) -> int:
        return self.total("spoofed")

    @property
    def through(self) -> int:
        return self.total("through")


class Watch:
    """The counters of all that a frame may reach."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        for (space, device), rules in WATCHERS.items():
            lab[space].nft(WATCH.format(device=device, rules=rules))

    def seen(self) -> Seen:
        found: Counter[tuple[str, str]] = Counter()
        for space, _ in WATCHERS:
            listed = self.lab[space].run("nft", "-j", "list", "counters", "table", "netdev", "transit")
            for entry in json.loads(listed)["nftables"]:
                if "counter" in entry:
                    found[space, entry["counter"]["name"]] = entry["counter"]["packets"]
        return Seen(found)


def udp(source: str, destination: str, source_mac: str, mac: str) -> bytes:
    layer: Packet = IPv6(src=source, dst=destination) if ":" in source else IP(src=source, dst=destination)
    return bytes(Ether(src=source_mac, dst=mac) / layer / UDP(sport=4000, dport=DPORT) / Raw(b"transit"))


class Transit:
    """Frames of every kind towards the appliance, a few thousand a second, while a `with` block runs; `send` sends more.

    `lan` and `egress` are the MACs of the appliance that the frames go to. `troublesome`: with what it has to answer or divide, too.
    """

    def __init__(
        self, lab: Lab, lan: str = MACS["nva", "lan0"], egress: str = MACS["nva", "egress0"], troublesome: bool = False
    ) -> None:
        self.injectors = (Injector(lab, "onprem"), Injector(lab, "router", "inside"))
        self.troublesome = troublesome
        self.address(lan, egress)
        self.sent = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def address(self, lan: str, egress: str) -> None:
        here, there = MACS["onprem", "eth0"], MACS["router", "inside"]
        self.frames = (
            tuple(
                udp(source, destination, here, lan)
                for source, destination in (
                    (ONPREM, BY_PORT),
                    (ONPREM, BY_MANAGEMENT),
                    (SPOOFED, BY_PORT),
                    (SPOOFED, BY_MANAGEMENT),
                    ("fd00:1::10", BY_PORT6),
                    ("fd00:1::10", BY_MANAGEMENT6),
                )
            )
            + (trouble.frames(here, lan) if self.troublesome else ()),  # fmt: skip
            (udp(FOREIGN, ONPREM, there, egress), udp(ROUTER, BY_MANAGEMENT, there, egress)),
        )

    def send(self, rounds: int) -> tuple[int, int]:
        """So many of each kind; how many frames that were, at the LAN and at the egress port."""
        for _ in range(rounds):
            for injector, frames in zip(self.injectors, self.frames, strict=True):
                for data in frames:
                    injector.socket.send(data)
                    self.sent += 1
        return rounds * len(self.frames[0]), rounds * len(self.frames[1])

    def _run(self) -> None:
        while not self._ends.is_set():
            self.send(1)
            time.sleep(0.001)

    def __enter__(self) -> Transit:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self._thread.join()

    def close(self) -> None:
        for injector in self.injectors:
            injector.close()
