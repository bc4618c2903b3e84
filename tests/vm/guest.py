# SPDX-License-Identifier: BSD-3-Clause
"""A virtual machine under QEMU's software emulation, and what runs inside it.

Commands travel over a virtio-serial port to tests/vm/guest/agent; the kernel's console is the QEMU process's log.
"""

from __future__ import annotations

import base64
import shlex
import signal
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.process import CommandError, Process, WaitTimeout, wait_until
from lab.topology import Lab

from vm.architecture import GUEST

MEMORY_MB = 1536
CPUS = 2
# Far more than either takes: emulation is slow on a machine with other work.
BOOT_SECONDS = 180
ANSWER_SECONDS = 60


class GuestLost(AssertionError):
    """The guest's agent does not answer; the message carries the console."""


@dataclass(frozen=True)
class Nic:
    address: str  # PCI, in the guest
    tap: str  # on the host
    mac: str

    def arguments(self) -> list[str]:
        slot = self.address.partition(":")[2].partition(":")[2].removesuffix(".0")
        # One frame is one packet with a checksum of its own: a TAP without a virtio header offers the guest no offloads.
        return [
            "-netdev", f"tap,id={self.tap},ifname={self.tap},script=no,downscript=no,vnet_hdr=off",
            "-device", f"virtio-net-pci,netdev={self.tap},mac={self.mac},addr={slot},disable-legacy=on,romfile=",
        ]  # fmt: skip


class Guest:
    def __init__(
        self, lab: Lab, space: str, machine: Sequence[str | Path], nics: list[Nic], boot_seconds: float = BOOT_SECONDS
    ) -> None:
        """`machine`: QEMU's words for the machine and what it boots."""
        path = lab.folder / "agent.sock"
        path.unlink(missing_ok=True)  # of a machine before this one
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            listener.settimeout(boot_seconds)
            self.process: Process = lab.spawn(space, "vm", *self._command(machine, nics, path))
            try:
                self._agent, _ = listener.accept()
            except TimeoutError as error:
                raise GuestLost(f"QEMU does not start\n{self.process.output()}") from error
        self._answers = self._agent.makefile("r")
        if self._answer(boot_seconds) != "ready":
            raise GuestLost(f"the guest's agent does not start\n{self.process.output()}")

    @staticmethod
    def _command(machine: Sequence[str | Path], nics: list[Nic], agent: Path) -> list[str | Path]:
        return [
            GUEST.emulator, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", *machine,
            "-accel", "tcg,thread=multi", "-cpu", GUEST.cpu, "-smp", str(CPUS), "-m", str(MEMORY_MB),
            "-serial", "stdio",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={agent},server=off",
            "-device", "virtserialport,chardev=agent",
            *(word for nic in nics for word in nic.arguments()),
        ]  # fmt: skip

    def _answer(self, timeout: float) -> str:
        self._agent.settimeout(timeout)
        try:
            line = self._answers.readline()
        except TimeoutError as error:
            raise GuestLost(f"no answer within {timeout:g} s\n{self.process.output()}") from error
        if not line:
            raise GuestLost(f"the guest ended\n{self.process.output()}")
        return line.removesuffix("\n")

    def close(self) -> None:
        self._answers.close()
        self._agent.close()

    # --- commands in the guest --------------------------------------------------------------------------------

    def shell(self, script: str, timeout: float = ANSWER_SECONDS) -> subprocess.CompletedProcess[str]:
        line = script.strip().replace("\\", "\\\\").replace("\n", "\\n")
        self._agent.sendall(line.encode() + b"\n")
        code, out, err = self._answer(timeout).split(" ")
        return subprocess.CompletedProcess(
            script, int(code), *(base64.b64decode(text).decode(errors="replace") for text in (out, err))
        )

    def execute(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return self.shell(shlex.join(str(word) for word in command))

    def run(self, script: str) -> str:
        done = self.shell(script)
        if done.returncode != 0:
            raise CommandError(f"in the guest: {script}: exit code {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def write(self, path: Path, text: str) -> None:
        content = base64.b64encode(text.encode()).decode()
        self.run(f"mkdir -p {path.parent} && echo {content} | base64 -d >{path}")

    def bind(self, nic: Nic, driver: str) -> None:
        """Gives a NIC to a kernel driver."""
        device = f"/sys/bus/pci/devices/{nic.address}"
        self.run(
            f"set -e; modprobe {driver}; echo {driver} >{device}/driver_override\n"
            f"[ ! -e {device}/driver ] || echo {nic.address} >{device}/driver/unbind\n"
            f"echo {nic.address} >/sys/bus/pci/drivers_probe; test -e {device}/driver"
        )

    def netdev(self, nic: Nic, name: str) -> None:
        """Leaves a NIC to the kernel, as an interface of that name."""
        self.bind(nic, "virtio-pci")
        self.run(
            f"modprobe virtio_net; ip link set $(ls /sys/bus/pci/devices/{nic.address}/virtio*/net) name {name}"
        )


class GuestProcess(Process):
    """A long-running process in the guest, with its output in a file there."""

    def __init__(self, guest: Guest, name: str, *command: str | Path) -> None:
        self.guest = guest
        self.name = name
        self.log = Path(f"/run/{name}.log")
        words = shlex.join(str(word) for word in command)
        self._pid = int(guest.run(f"setsid {words} >{self.log} 2>&1 & echo $!"))

    @property
    def pid(self) -> int:
        return self._pid

    def running(self) -> bool:
        return self.guest.shell(f"test -d /proc/{self.pid}").returncode == 0

    def send(self, number: signal.Signals) -> None:
        self.guest.shell(f"kill -{int(number)} {self.pid}")

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        wait_until(f"the end of {self.name}", lambda: not self.running())

    def stop(self, timeout: float = 15) -> int:
        """As Process.stop; the exit code stays in the guest."""
        self.send(signal.SIGTERM)
        try:
            wait_until(f"the end of {self.name}", lambda: not self.running(), timeout)
        except WaitTimeout:
            self.kill()
        return 0

    def output(self) -> str:
        return self.guest.run(f"cat {self.log}")
