# SPDX-License-Identifier: BSD-3-Clause
"""What may happen to the appliance's interfaces, and back. Roles are `lan` and `egress`; names are what changes."""

from __future__ import annotations

import contextlib
import json

from lab.process import CommandError
from lab.topology import (
    EGRESS,
    LAN,
    MACS,
    MANAGEMENT_GATEWAY,
    ONPREM_GATEWAY,
    ROUTER,
    Lab,
)
from lab.transit import BY_MANAGEMENT, BY_MANAGEMENT6, BY_PORT, BY_PORT6

NAMES = {"lan": "lan0", "egress": "egress0"}
ADDRESSES = {"lan": (f"{LAN}/24", "fd00:1::4/64"), "egress": (f"{EGRESS}/24", "fd00:2::4/64")}
BRIDGES = {"lan": "lan-br", "egress": "egress-br"}
MTU = 1500
BRIDGE = "br0"
ELSEWHERE = "vnet"  # a namespace to move into


class Interfaces:
    """The appliance's two interfaces by role, and a kernel with routes to the Internet by one of them and by `mgmt0`."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.nva = lab["nva"]
        self.names = dict(NAMES)
        self.macs = {role: MACS["nva", name] for role, name in NAMES.items()}
        self.mtus = dict.fromkeys(NAMES, MTU)
        self.bridged: str | None = None
        for key in ("all", "default", "lan0", "egress0", "mgmt0"):
            self.nva.sysctl(f"net.ipv6.conf.{key}.disable_ipv6", 0)
            self.nva.sysctl(f"net.ipv6.conf.{key}.accept_dad", 0)
        self.nva.ip("address", "replace", "fd00:9::4/64", "dev", "mgmt0", "nodad")
        for role in NAMES:
            self.dress(role)

    def forward(self, on: bool) -> None:
        """Before anything of ours runs: what the operating system's configuration says."""
        self.nva.sysctl("net.ipv4.ip_forward", int(on))
        self.nva.sysctl("net.ipv6.conf.all.forwarding", int(on))

    def dress(self, role: str) -> None:
        """The addresses and the routes by them, as cloud-init or networkd puts them on whatever the interface is called."""
        device = self.holder(role)
        ip = self.nva.ip
        ip("link", "set", "dev", device, "mtu", str(self.mtus[role]), "up")
        for address in ADDRESSES[role]:
            ip("address", "replace", address, *(("brd", "+") if "." in address else ("nodad",)), "dev", device)
        for neighbour, mac, by in (
            ("fd00:2::1", MACS["router", "inside"], device if role == "egress" else None),
            ("fd00:9::1", MACS["management", "inside"], "mgmt0"),
        ):
            if by:
                ip("-6", "neighbour", "replace", neighbour, "lladdr", mac, "dev", by, "nud", "permanent")
        if role == "egress":
            ip("route", "replace", f"{BY_PORT}/32", "via", ROUTER, "dev", device)
            ip("-6", "route", "replace", f"{BY_PORT6}/128", "via", "fd00:2::1", "dev", device)
            ip("route", "replace", "default", "via", ROUTER, "dev", device)
        else:
            ip("route", "replace", "172.16.0.0/12", "via", ONPREM_GATEWAY, "dev", device)
        ip("route", "replace", f"{BY_MANAGEMENT}/32", "via", MANAGEMENT_GATEWAY, "dev", "mgmt0")
        ip("-6", "route", "replace", f"{BY_MANAGEMENT6}/128", "via", "fd00:9::1", "dev", "mgmt0")
        self.nva.sysctl(f"net.ipv4.conf.{device}.rp_filter", 0)

    def holder(self, role: str) -> str:
        """The interface that has the addresses of a role: the port's own, or the bridge above it."""
        return BRIDGE if self.bridged == role else self.names[role]

    def received(self, role: str) -> int:
        return self.lab.interface("nva", self.names[role])["rx_packets"]

    # --- acts -----------------------------------------------------------------------------------------------

    def rename(self, role: str, name: str) -> None:
        self.nva.ip("link", "set", "dev", self.names[role], "name", name)
        self.names[role] = name

    def rename_both(self) -> None:
        self.rename("lan", "ens5")
        self.rename("egress", "ens6")

    def swap(self) -> None:
        self.rename("lan", "swapped")
        self.rename("egress", NAMES["lan"])
        self.rename("lan", NAMES["egress"])

    def altname(self, role: str) -> None:
        """What the configuration calls it becomes an alternative name of an interface that is called otherwise."""
        self.rename(role, "ens7")
        self.nva.ip("link", "property", "add", "dev", "ens7", "altname", NAMES[role])

    def recreate(self, role: str, name: str) -> None:
        """A NIC that is pulled and comes back, with its MAC and under another name."""
        self.nva.ip("link", "delete", "dev", self.names[role])
        self.lab.connect("nva", NAMES[role], BRIDGES[role], ADDRESSES[role][0])
        self.names[role] = NAMES[role]
        if name != NAMES[role]:
            self.rename(role, name)
        self.dress(role)

    def move_and_return(self, role: str) -> None:
        name, elsewhere = self.names[role], self.lab[ELSEWHERE]
        self.nva.ip("link", "set", "dev", name, "netns", elsewhere.name)
        elsewhere.ip("link", "set", "dev", name, "netns", self.nva.name)
        self.dress(role)

    def new_mac(self, role: str) -> None:
        mac = self.macs[role].replace("02:", "06:", 1)
        self.nva.ip("link", "set", "dev", self.names[role], "address", mac)
        self.macs[role] = mac

    def enslave(self, role: str) -> None:
        ip = self.nva.ip
        ip("link", "add", BRIDGE, "address", self.macs[role], "type", "bridge", "mcast_snooping", "0", "stp_state", "0")
        ip("link", "set", "dev", self.names[role], "master", BRIDGE)
        ip("address", "flush", "dev", self.names[role])
        self.bridged = role
        self.dress(role)

    def xdp_off(self) -> None:
        for name in self.names.values():
            for mode in ("xdp", "xdpgeneric"):
                with contextlib.suppress(CommandError):
                    self.nva.ip("link", "set", "dev", name, mode, "off")

    def tc_off(self) -> None:
        for name in self.names.values():
            with contextlib.suppress(CommandError):
                self.nva.run("tc", "qdisc", "delete", "dev", name, "clsact")

    def forwarding_on(self) -> None:
        for name in (*self.names.values(), "default"):
            self.nva.sysctl(f"net.ipv4.conf.{name}.forwarding", 1)
            self.nva.sysctl(f"net.ipv6.conf.{name}.forwarding", 1)
        self.nva.sysctl("net.ipv6.conf.all.forwarding", 1)

    def toggle_ip_forward(self) -> None:
        """What a container runtime does at its start: from 0 to 1 sets every interface."""
        self.forward(False)
        self.forward(True)

    def delete_guard(self) -> None:
        with contextlib.suppress(CommandError):
            self.nva.run("nft", "delete", "table", "inet", "sekisho")

    def empty_guard(self) -> None:
        with contextlib.suppress(CommandError):
            self.nva.run("nft", "flush", "chain", "inet", "sekisho", "forward")

    # --- back -----------------------------------------------------------------------------------------------

    def restore(self) -> None:
        """Under their own names, with their own MACs, addresses and routes; what is right already is not touched."""
        ip = self.nva.ip
        if self.bridged:
            ip("link", "set", "dev", self.names[self.bridged], "nomaster")
            ip("link", "delete", "dev", BRIDGE)
            self.bridged = None
        for role, name in NAMES.items():
            link = json.loads(ip("-j", "link", "show", "dev", self.names[role]))[0]
            for alternative in link.get("altnames", []):
                ip("link", "property", "del", "dev", self.names[role], "altname", alternative)
            if link["mtu"] != self.mtus[role]:
                ip("link", "set", "dev", self.names[role], "mtu", str(self.mtus[role]))
            if self.macs[role] != MACS["nva", name]:
                ip("link", "set", "dev", self.names[role], "address", MACS["nva", name])
                self.macs[role] = MACS["nva", name]
        wrong = [role for role, name in NAMES.items() if self.names[role] != name]
        for role in wrong:
            self.rename(role, f"{role}-back")
        for role in wrong:
            self.rename(role, NAMES[role])
        for role in NAMES:
            self.dress(role)
