# SPDX-License-Identifier: BSD-3-Clause
"""The image under QEMU, between the lab's networks; cloud-init configures it from a disk of its own, as a cloud would."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab import config
from lab.process import run
from lab.topology import EGRESS, FIREWALL, LAN, ONPREM_GATEWAY
from vm.guest import Guest
from vm.image import SOURCES
from vm.machine import EGRESS_NIC, LAN_NIC, VirtualLab

# A whole Debian, emulated, on a machine with other work.
BOOT_SECONDS = 1200
FIRMWARE = Path("/usr/share/OVMF")
AGENT = "[Service]\nExecStart=/bin/sh /usr/local/sbin/agent\n[Install]\nWantedBy=multi-user.target\n"


def secure_boot(folder: Path) -> list[str | Path]:
    """UEFI that starts what Microsoft has signed, and nothing else: Azure's trusted launch."""
    variables = folder / "variables.fd"
    shutil.copy(FIRMWARE / "OVMF_VARS_4M.ms.fd", variables)
    return [
        "-M", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on",
        "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={FIRMWARE}/OVMF_CODE_4M.ms.fd",
        "-drive", f"if=pflash,unit=1,format=raw,file={variables}",
    ]  # fmt: skip


class ImageLab(VirtualLab):
    def __init__(self, disk: Path) -> None:
        super().__init__()
        self.disk = disk

    def _build_nva(self) -> None:
        self.seed = make_seed(self.folder, config.adapted(self))
        self.boot(secure_boot(self.folder))

    def boot(self, firmware: Sequence[str | Path]) -> None:
        disks = [f"if=virtio,format=qcow2,file={self.disk}", f"if=virtio,format=raw,readonly=on,file={self.seed}"]
        machine = [*firmware, *(word for disk in disks for word in ("-drive", disk))]
        self.attach(Guest(self, "fabric", machine, [LAN_NIC, EGRESS_NIC], BOOT_SECONDS))


def make_seed(folder: Path, sekisho: Path) -> Path:
    """cloud-init's NoCloud: a small file system named CIDATA."""
    files = {
        "/etc/sekisho/sekisho.toml": sekisho.read_text(),
        "/etc/sekisho/overrides.txt": sekisho.with_name("overrides.txt").read_text(),
        "/usr/local/sbin/agent": (SOURCES / "agent").read_text(),
        "/etc/systemd/system/agent.service": AGENT,
    }
    user = {
        "write_files": [
            {"path": path, "encoding": "b64", "content": base64.b64encode(text.encode()).decode()} for path, text in files.items()
        ],
        "runcmd": [
            "systemctl is-enabled sekisho-guard sekisho-dataplane sekisho-control >/run/enabled-before",
            "systemctl enable --now sekisho-control",
            "systemctl enable --now agent",
        ],
    }
    network = {
        "version": 2,
        "ethernets": {
            "lan": ethernet(LAN_NIC.mac, "lan0", LAN, {"to": "172.16.0.0/12", "via": ONPREM_GATEWAY}),
            "egress": ethernet(EGRESS_NIC.mac, "egress0", EGRESS, {"to": "0.0.0.0/0", "via": FIREWALL}),
        },
    }
    seed = folder / "seed.raw"
    run("truncate", "--size", "1M", seed)
    run("mkfs.vfat", "-n", "CIDATA", seed)
    for name, text in {
        "meta-data": json.dumps({"instance-id": "lab", "local-hostname": "checkpoint"}),
        "user-data": "#cloud-config\n" + json.dumps(user),
        "network-config": json.dumps(network),
    }.items():
        (folder / name).write_text(text)
        run("mcopy", "-i", seed, folder / name, f"::{name}")
    return seed


def ethernet(mac: str, name: str, address: str, route: dict[str, str]) -> dict[str, Any]:
    return {"match": {"macaddress": mac}, "set-name": name, "addresses": [f"{address}/24"], "routes": [route]}
