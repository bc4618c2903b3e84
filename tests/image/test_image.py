# SPDX-License-Identifier: BSD-3-Clause
"""The image as it lies there, then as a machine, which starts by UEFI under Secure Boot."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.appliance import ROOT
from lab.frames import Capture, Injector, fence, frame
from lab.process import run, wait_until
from lab.topology import FIREWALL_OUTSIDE
from vm.machine import READY_SECONDS

from image.machine import ImageLab

# --- as it lies there -------------------------------------------------------------------------------------------


class Files:
    """The root file system's, read without mounting it."""

    def __init__(self, disk: Path) -> None:
        table = json.loads(run("sfdisk", "--json", disk))["partitiontable"]
        self.where = f"{disk}?offset={table['partitions'][-1]['start'] * table['sectorsize']}"

    def _ask(self, request: str) -> str:
        return run("/usr/sbin/debugfs", "-R", request, self.where)

    def names(self, folder: str) -> set[str]:
        """Lines are /inode/mode/uid/gid/name/size/."""
        return {line.split("/")[5] for line in self._ask(f"ls -p {folder}").splitlines() if line} - {".", ".."}

    def text(self, file: str) -> str:
        return self._ask(f"cat {file}")


@pytest.fixture(scope="module")
def files(disk: Path) -> Iterator[Files]:
    raw = disk.with_suffix(".raw")
    run("qemu-img", "convert", "-O", "raw", disk, raw)
    yield Files(raw)
    raw.unlink()


def test_no_password_and_no_key(files: Files) -> None:
    passwords = {line.split(":")[0]: line.split(":")[1] for line in files.text("/etc/shadow").splitlines()}
    assert {"root", "sekisho", "frr"} <= passwords.keys()
    assert {word[0] for word in passwords.values()} <= {"*", "!"}, passwords
    assert "sshd_config" in files.names("/etc/ssh") and not any("host" in name for name in files.names("/etc/ssh"))
    assert not files.names("/root/.ssh") and not files.names("/home")


def test_no_identity(files: Files) -> None:
    """Two machines of one image are two machines, and none is the one that made it."""
    assert "machine-id" in files.names("/etc") and files.text("/etc/machine-id") == ""
    assert "hostname" not in files.names("/etc")
    assert "random-seed" not in files.names("/var/lib/systemd") and not files.names("/var/lib/dbus")
    ours = ROOT / "scripts/packaging/image-files/etc/apt/sources.list.d/debian.sources"
    assert files.names("/etc/apt/sources.list.d") == {ours.name} and "sources.list" not in files.names("/etc/apt")
    assert files.text(f"/etc/apt/sources.list.d/{ours.name}") == ours.read_text()


# --- as a machine -----------------------------------------------------------------------------------------------


def test_secure_boot(lab: ImageLab) -> None:
    value = lab.guest.run("od -An -tu1 /sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c")
    assert value.split()[-1] == "1"
    assert "[none]" not in lab.guest.run("cat /sys/kernel/security/lockdown")


def test_the_console_has_a_login(lab: ImageLab) -> None:
    wait_until("a login", lambda: "checkpoint login: " in lab.guest.process.output(), READY_SECONDS)


def test_cloud_init_did_what_it_was_told(lab: ImageLab) -> None:
    assert "status: done" in lab.guest.shell("cloud-init status --wait", READY_SECONDS).stdout
    assert lab.guest.run("hostname") == "checkpoint\n"
    assert re.fullmatch(r"[0-9a-f]{32}\n", lab.guest.run("cat /etc/machine-id"))
    assert lab.guest.run("systemctl is-active ssh; ls /etc/ssh").count("ssh_host_") >= 4
    assert int(lab.guest.run("df --output=size --block-size=1M / | tail -1")) > 5000, "it fills the disk"


def test_installed_and_not_enabled(lab: ImageLab) -> None:
    """Until cloud-init said so: neither a first start nor Debian's presets do."""
    assert lab.guest.run("dpkg-query --show --showformat='${db:Status-Abbrev}' sekisho") == "ii "
    assert lab.guest.run("cat /run/enabled-before").split() == ["disabled"] * 3


def test_packets_go_through_the_firewall(lab: ImageLab) -> None:
    wait_until("the verdict", lambda: lab.guest.shell("sekisho show state").returncode == 0, READY_SECONDS, interval=1)
    seen = len(lab.seen_clients("web"))
    assert "Hello from behind the checkpoint" in lab.fetch("onprem", timeout=60)
    assert lab.seen_clients("web")[seen:] == [FIREWALL_OUTSIDE]
    injector = Injector(lab, "onprem")
    with Capture(lab, "internet") as seen_there:
        injector.send(frame(), 100)
        fence(lab, READY_SECONDS)
        seen_there.wait(100)
    injector.close()
