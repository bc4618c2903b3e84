# SPDX-License-Identifier: BSD-3-Clause
"""`scripts/bind-nic`: its decisions on a generated /sys, with programs that stand in for driverctl, modprobe and ip.

tests/vm binds real NICs.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bind-nic"
UUID = "000d3a6e-1234-000d-3a6e-1234000d3a6e"
# Without them a developer's own session would decide.
OURS = {name: value for name, value in os.environ.items() if not name.startswith("SSH_")}

DRIVERCTL = """\
#!/bin/sh
echo "driverctl $*" >>"$SYSFS/calls"
device="$SYSFS/bus/$2/devices/$4"
rm -f "$device/driver"
[ "$3" = unset-override ] || ln -s "../../../drivers/$5" "$device/driver"
[ "$3" = set-override ] || ln -s ../../../drivers/virtio-pci "$device/driver"
"""
MODPROBE = '#!/bin/sh\necho "modprobe $*" >>"$SYSFS/calls"\n'
# eth0 has the default route and 10.0.0.4, eth1 10.0.1.4.
IP = """\
#!/bin/sh
case "$*" in
  "-4 route show default") cat "$SYSFS/default" 2>/dev/null ;;
  "-o address show to 10.0.0.4") echo "2: eth0    inet 10.0.0.4/24 brd 10.0.0.255 scope global eth0" ;;
  "-o address show dev eth0 scope global") echo "2: eth0    inet 10.0.0.4/24 brd 10.0.0.255 scope global eth0" ;;
  "-o address show dev eth1 scope global") echo "3: eth1    inet 10.0.1.4/24 scope global eth1"
                                           echo "3: eth1    inet6 fd00::4/64 scope global" ;;
esac
"""


class Machine:
    """A /sys with NICs, and what is on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.sys = folder / "sys"
        self.path = folder / "bin"
        self.search = os.environ["PATH"].split(":")  # behind it
        self.path.mkdir(parents=True)
        for name in ("class/net", "bus/pci", "bus/vmbus", "module", "drivers"):
            (self.sys / name).mkdir(parents=True)
        for name, script in (("driverctl", DRIVERCTL), ("modprobe", MODPROBE), ("ip", IP)):
            self.program(name, script)
        self.program("modinfo", "#!/bin/sh\nexit 1\n")
        self.pci("0000:00:04.0", "virtio-pci", "eth0", inside="virtio1")
        self.pci("0000:00:05.0", "virtio-pci", "eth1", inside="virtio2")
        self.pci("0000:00:01.0", "ahci", device_class="0x010601")
        (self.sys / "default").write_text("default via 10.0.0.1 dev eth0 proto dhcp metric 100\n")

    def program(self, name: str, script: str) -> None:
        file = self.path / name
        file.write_text(script)
        file.chmod(0o755)

    def device(self, bus: str, address: str, driver: str, interface: str = "", inside: str = "") -> Path:
        device = self.sys / "devices" / bus / address
        (device / inside).mkdir(parents=True)
        (device / "subsystem").symlink_to(self.sys / "bus" / bus)
        (device / "driver_override").write_text("(null)\n")
        if driver:
            (device / "driver").symlink_to(f"../../../drivers/{driver}")
        (self.sys / "bus" / bus / "devices").mkdir(exist_ok=True)
        (self.sys / "bus" / bus / "devices" / address).symlink_to(device)
        if interface:
            net = device / inside / "net" / interface
            net.mkdir(parents=True)
            (net / "device").symlink_to(device / inside)
            (self.sys / "class" / "net" / interface).symlink_to(net)
        return device

    def pci(
        self, address: str, driver: str, interface: str = "", inside: str = "", *, device_class: str = "0x020000",
        vendor: str = "0x1af4",
    ) -> Path:  # fmt: skip
        device = self.device("pci", address, driver, interface, inside)
        (device / "class").write_text(device_class + "\n")
        (device / "vendor").write_text(vendor + "\n")
        return device

    def netvsc(self, interface: str) -> Path:
        device = self.device("vmbus", UUID, "hv_netvsc", interface)
        (device / "class_id").write_text("{f8615163-df3e-46c5-913f-f2d2f965ed0e}\n")
        return device

    def software(self, interface: str, *lowers: str) -> None:
        """A bridge, a VLAN, ..."""
        (self.sys / "class" / "net" / interface).mkdir()
        self.above(interface, *lowers)

    def above(self, interface: str, *lowers: str) -> None:
        for lower in lowers:
            (self.sys / "class" / "net" / lower / f"upper_{interface}").mkdir()

    def group(self, number: int, *addresses: str) -> None:
        group = self.sys / "kernel" / "iommu_groups" / str(number)
        (group / "devices").mkdir(parents=True)
        for address in addresses:
            (group / "devices" / address).mkdir()
            (self.sys / "devices" / "pci" / address / "iommu_group").symlink_to(group)

    def driver(self, device: str) -> str:
        return (self.sys / "bus" / device / "driver").readlink().name

    def calls(self) -> list[str]:
        file = self.sys / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def run(self, *words: str, session: str = "") -> subprocess.CompletedProcess[str]:
        environment = OURS | {"SYSFS": str(self.sys), "PATH": ":".join([str(self.path), *self.search])}
        # A session from nowhere: the test's own, if it has one, is not asked.
        environment["SSH_CONNECTION"] = session or "192.0.2.1 50000 192.0.2.2 22"
        return subprocess.run(
            ["/bin/bash", SCRIPT, *words], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def bind(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *words: str, session: str = "") -> str:
        before = self.calls()
        done = self.run(*words, session=session)
        assert done.returncode == 1, done
        assert done.stderr.startswith("bind-nic: ") and done.stderr.count("\n") == 1, done.stderr
        assert self.calls() == before, "it was refused, and changed something"
        return done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_an_iommu_it_is_uio(machine: Machine) -> None:
    said = machine.bind("eth1")
    assert machine.calls() == ["modprobe uio_pci_generic", "driverctl -b pci set-override 0000:00:05.0 uio_pci_generic"]
    assert machine.driver("pci/devices/0000:00:05.0") == "uio_pci_generic"
    assert "eth1 disappears" in said and "10.0.1.4/24" in said
    assert 'device  = "0000:00:05.0"\n  address = ["10.0.1.4/24"]\n' in said and 'address = ["fd00' not in said


@pytest.mark.parametrize("name", ["0000:00:05.0", "00:05.0", "eth1"])
def test_names_of_a_nic(machine: Machine, name: str) -> None:
    machine.bind(name)
    assert machine.calls()[-1] == "driverctl -b pci set-override 0000:00:05.0 uio_pci_generic"


def test_behind_an_iommu_it_is_vfio(machine: Machine) -> None:
    machine.group(7, "0000:00:05.0")
    machine.bind("eth1")
    assert machine.driver("pci/devices/0000:00:05.0") == "vfio-pci"


def test_no_iommu_mode_that_is_on_is_used(machine: Machine) -> None:
    parameters = machine.sys / "module" / "vfio" / "parameters"
    parameters.mkdir(parents=True)
    (parameters / "enable_unsafe_noiommu_mode").write_text("Y\n")
    machine.bind("eth1")
    assert machine.driver("pci/devices/0000:00:05.0") == "vfio-pci"


def test_a_group_is_bound_as_a_whole(machine: Machine) -> None:
    machine.pci("0000:00:06.0", "ixgbe", "eth2")
    machine.pci("0000:00:00.1", "pcieport", device_class="0x060400")
    machine.group(7, "0000:00:05.0", "0000:00:06.0", "0000:00:00.1")
    assert "0000:00:06.0 too, bound to ixgbe" in machine.refused("eth1")
    machine.bind("eth1", "eth2")
    assert machine.driver("pci/devices/0000:00:06.0") == "vfio-pci"


def test_netvsc(machine: Machine) -> None:
    machine.netvsc("eth2")
    said = machine.bind("eth2")
    assert machine.calls() == ["modprobe uio_hv_generic", f"driverctl -b vmbus set-override {UUID} uio_hv_generic"]
    assert f'device  = "vmbus:{UUID}"' in said
    assert "bound to uio_hv_generic already" in machine.bind(f"vmbus:{UUID}")


@pytest.mark.parametrize("driver", ["mlx4_core", "mlx5_core", "mana"])
def test_shared_nics_stay(machine: Machine, driver: str) -> None:
    machine.pci("0001:00:02.0", driver, "enP1")
    assert 'device = "0001:00:02.0" as it is' in machine.refused("enP1")
    machine.netvsc("eth2")
    machine.above("eth2", "enP1")
    assert "bind eth2, the interface above it" in machine.refused("0001:00:02.0")


def test_the_ssh_session_stays_even_by_force(machine: Machine) -> None:
    session = "203.0.113.9 50000 10.0.0.4 22"
    assert "carries your SSH session" in machine.refused("eth0", session=session)
    assert "carries your SSH session" in machine.refused("--force", "0000:00:04.0", session=session)


def test_the_ssh_session_on_a_bridge(machine: Machine) -> None:
    machine.software("br0", "eth1")
    machine.program("ip", '#!/bin/sh\n[ "$*" != "-o address show to 10.0.9.4" ] || echo "9: br0@eth1    inet 10.0.9.4/24"\n')
    assert "eth1 carries your SSH session" in machine.refused("eth1", session="203.0.113.9 50000 10.0.9.4 22")


def test_the_default_route_needs_force(machine: Machine) -> None:
    assert "default route" in machine.refused("eth0")
    machine.bind("--force", "eth0")
    assert machine.driver("pci/devices/0000:00:04.0") == "uio_pci_generic"


def test_one_that_is_refused_keeps_all_unbound(machine: Machine) -> None:
    machine.refused("eth1", "eth0")
    assert machine.driver("pci/devices/0000:00:05.0") == "virtio-pci"


def test_ena_needs_igb_uio(machine: Machine) -> None:
    machine.pci("0000:00:07.0", "ena", "ens7", vendor="0x1d0f")
    assert "dpdk-kmods-dkms" in machine.refused("ens7")
    machine.program("modinfo", "#!/bin/sh\nexit 0\n")
    machine.bind("ens7")
    assert machine.driver("pci/devices/0000:00:07.0") == "igb_uio"


def test_secure_boot(machine: Machine) -> None:
    security = machine.sys / "kernel" / "security"
    security.mkdir(parents=True)
    (security / "lockdown").write_text("none [integrity] confidentiality\n")
    assert "Secure Boot" in machine.refused("eth1")
    machine.group(7, "0000:00:05.0")
    machine.bind("eth1")
    assert machine.driver("pci/devices/0000:00:05.0") == "vfio-pci"


def test_a_driver_of_ones_own_choice(machine: Machine) -> None:
    machine.bind("--driver", "igb_uio", "eth1")
    assert machine.driver("pci/devices/0000:00:05.0") == "igb_uio"


def test_a_driver_that_does_not_take_it(machine: Machine) -> None:
    machine.program("driverctl", "#!/bin/sh\n")
    done = machine.run("eth1")
    assert done.returncode == 1 and "still bound to virtio-pci" in done.stderr


def test_dry_run_changes_nothing(machine: Machine) -> None:
    said = machine.bind("--dry-run", "eth1")
    assert "+ driverctl -b pci set-override 0000:00:05.0 uio_pci_generic" in said
    assert machine.calls() == [] and machine.driver("pci/devices/0000:00:05.0") == "virtio-pci"


def test_unbind(machine: Machine) -> None:
    machine.bind("eth1")
    machine.bind("--unbind", "0000:00:05.0")
    assert machine.calls()[-1] == "driverctl -b pci unset-override 0000:00:05.0"
    assert machine.driver("pci/devices/0000:00:05.0") == "virtio-pci"


def test_without_driverctl_until_the_restart(machine: Machine) -> None:
    """What is written where; nothing rebinds in a /sys of plain files."""
    (machine.path / "driverctl").unlink()
    machine.search = [folder for folder in machine.search if not Path(folder, "driverctl").exists()]
    device = machine.sys / "devices" / "pci" / "0000:00:05.0"
    (machine.sys / "devices" / "drivers").symlink_to(machine.sys / "drivers")
    (machine.sys / "drivers" / "virtio-pci").mkdir()
    done = machine.run("eth1")
    assert "until the machine restarts" in done.stdout
    assert (device / "driver_override").read_text() == "uio_pci_generic\n"
    assert (machine.sys / "drivers" / "virtio-pci" / "unbind").read_text() == "0000:00:05.0\n"
    assert (machine.sys / "bus" / "pci" / "drivers_probe").read_text() == "0000:00:05.0\n"
    assert done.returncode == 1 and "still bound" in done.stderr


def test_status(machine: Machine) -> None:
    machine.netvsc("eth2")
    machine.group(7, "0000:00:05.0")
    done = machine.run(session="203.0.113.9 50000 10.0.0.4 22")
    rows = [line.split(maxsplit=5) for line in done.stdout.splitlines()]
    assert rows == [
        ["NIC", "DRIVER", "INTERFACE", "ADDRESSES", "IOMMU-GROUP", "NOTE"],
        ["0000:00:04.0", "virtio-pci", "eth0", "10.0.0.4/24", "-", "your SSH session, default route"],
        ["0000:00:05.0", "virtio-pci", "eth1", "10.0.1.4/24,fd00::4/64", "7", "-"],
        [f"vmbus:{UUID}", "hv_netvsc", "eth2", "-", "-", "-"],
    ]
    assert machine.run("--status").stdout == machine.run().stdout


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("eth9", "no such interface"),
        ("br0", "made of software"),
        ("0000:00:09.0", "no such device"),
        ("0000:00:01.0", "no NIC"),
        (f"vmbus:{UUID}", "no such device"),
    ],
)
def test_what_is_no_nic(machine: Machine, name: str, why: str) -> None:
    machine.software("br0", "eth1")
    assert why in machine.refused(name)


@pytest.mark.parametrize("words", [["--unbind"], ["--force"], ["--driver"], ["--driver", "a/b", "eth1"], ["--nonsense"],
                                   ["--status", "eth1"]])  # fmt: skip
def test_wrong_usage(machine: Machine, words: list[str]) -> None:
    done = machine.run(*words)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and not done.stdout
    assert machine.calls() == []


def test_help(machine: Machine) -> None:
    assert "--unbind" in machine.bind("--help")
