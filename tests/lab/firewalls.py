# SPDX-License-Identifier: BSD-3-Clause
"""Ways in which a firewall of the lab fails, and what it takes to probe it."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.process import wait_until
from lab.topology import FIREWALL, FIREWALL2, MACS, Lab

BOTH = ("firewall", "firewall2")
ADDRESS = {"firewall": FIREWALL, "firewall2": FIREWALL2}
PROBED_PORT = 8080
PYTHON = shutil.which("python3", path="/usr/bin") or "python3"


class Firewalls:
    """Both answer HTTP on PROBED_PORT; and the fabric answers for them whatever they do."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def listen(self) -> None:
        for name in BOTH:
            server = self.lab.spawn(
                name, f"answerer-{name}", PYTHON, Path(__file__).with_name("answerer.py"), str(PROBED_PORT)
            )
            wait_until(f"{name} to listen", lambda: "ready" in server.output())  # noqa: B023

    def answer_every_arp(self) -> None:
        known = [f"{ADDRESS[name]}={MACS[name, 'inside']}" for name in BOTH]
        fabric = self.lab.spawn(
            "fabric", "arp", PYTHON, Path(__file__).with_name("fabric.py"), "nva-egress0", *known
        )
        wait_until("the fabric to answer ARP", lambda: "ready" in fabric.output())

    # --- Faults. What is not said to be lost goes on: ARP, for one.

    def closes_its_port(self, name: str) -> None:
        self._fault(name, f"type filter hook input priority 0; tcp dport {PROBED_PORT} reject with tcp reset")

    def drops_all(self, name: str) -> None:
        """Answers ARP, and nothing else."""
        self._fault(name, "type filter hook prerouting priority -400; drop")

    def forwards_nothing(self, name: str) -> None:
        """Answers ARP, ping and its own port."""
        self._fault(name, "type filter hook forward priority -400; drop")

    def loses_its_far_side(self, name: str) -> None:
        self.lab[name].ip("link", "set", "outside", "down")

    def falls_silent(self, name: str) -> None:
        """At layer 2: nothing comes, nothing goes, ARP neither."""
        self.lab.link_down(name)

    def recovers(self, name: str) -> None:
        space = self.lab[name]
        self.clear(name)
        space.ip("link", "set", "outside", "up")
        space.ip("route", "replace", "default", "via", "203.0.113.10")
        self.lab.link_up(name)

    def clear(self, name: str) -> None:
        """Ends a fault that left its links up."""
        self.lab[name].nft("add table inet fault\ndelete table inet fault\n")

    def _fault(self, name: str, chain: str) -> None:
        self.clear(name)
        self.lab[name].nft("table inet fault {\n  chain fault {\n" + chain.replace("; ", ";\n") + "\n  }\n}\n")
