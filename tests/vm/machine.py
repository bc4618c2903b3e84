# SPDX-License-Identifier: BSD-3-Clause
"""The lab with a virtual machine in place of its `nva` namespace.

    lan bridge    10.0.1.0/24 --- tap nva-lan    === 0000:00:04.0 lan    [ guest ]
    egress bridge 10.0.2.0/24 --- tap nva-egress === 0000:00:05.0 egress [ guest ]

Everything around it is the lab's: on-premises, VNet, firewalls, the Internet and its servers.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.appliance import Appliance
from lab.frames import Injector, fence
from lab.process import Process
from lab.topology import MACS, Lab
from scapy.packet import Packet

from vm import image
from vm.guest import Guest, GuestProcess, Nic

LAN_NIC = Nic("0000:00:04.0", "nva-lan", MACS["nva", "lan0"])
EGRESS_NIC = Nic("0000:00:05.0", "nva-egress", MACS["nva", "egress0"])

READY_SECONDS = 180  # as BOOT_SECONDS

# A kernel that would gladly forward, that would notice a dead neighbour soon, and that says nothing by itself.
SETTINGS = """
sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.default.disable_ipv6=1
for scope in all default; do
  sysctl -q -w net.ipv4.conf.$scope.rp_filter=0 net.ipv4.conf.$scope.send_redirects=0
done
"""


class VirtualLab(Lab):
    guest: Guest

    def _build_nva(self) -> None:
        self.attach(Guest(self, "fabric", image.build().machine(), [LAN_NIC, EGRESS_NIC]))
        self.guest.run(SETTINGS)

    def attach(self, guest: Guest) -> None:
        self.guest = guest
        for bridge, nic in (("lan-br", LAN_NIC), ("egress-br", EGRESS_NIC)):
            self["fabric"].ip("link", "set", nic.tap, "master", bridge, "up")

    def close(self) -> None:
        # The guest's processes end with it, also when it does not answer any more.
        self.processes = [process for process in self.processes if not isinstance(process, GuestProcess)]
        super().close()

    def spawn(
        self, space: str, name: str, *command: str | Path, cpus: Sequence[int] = (), pipe: bool = False
    ) -> Process:
        if space != "nva":
            return super().spawn(space, name, *command, cpus=cpus, pipe=pipe)
        process = GuestProcess(self.guest, name, *command)
        self.processes.append(process)
        return process

    def execute(
        self, space: str, *command: str | Path, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        if space != "nva":
            return super().execute(space, *command, timeout=timeout)
        return self.guest.execute("timeout", f"{timeout}", *command)


def appliance(lab: VirtualLab, config: Path) -> Appliance:
    """The configuration's folder, copied into the guest, and a worker on its second CPU."""
    for file in filter(Path.is_file, config.parent.iterdir()):
        lab.guest.write(file, file.read_text())
    return Appliance(lab, config, workers=[1], main=0)


def send(lab: VirtualLab, injector: Injector, packet: Packet, hundreds: int) -> int:
    """Never more at once than a virtio queue of 256 descriptors holds: what does not fit is lost in front of the guest. How
    many packets of its own went the same way, each behind a hundred of them."""
    for _ in range(hundreds):
        injector.send(packet, 100)
        fence(lab, READY_SECONDS)
    return hundreds
