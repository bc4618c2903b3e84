# SPDX-License-Identifier: BSD-3-Clause
"""FRR in a namespace: zebra and bgpd of an instance of its own (`-N NAME`), which may each die and come back.

Everything of an instance lies in folders of its name, /etc/frr/NAME and /run/frr/NAME, and goes with it. The daemons
run as `frr`, as Debian's do, and the host's own FRR, if one runs, is left alone.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

from lab.process import Process, execute, wait_until
from lab.topology import LAN, ONPREM_GATEWAY, Lab

DAEMONS = Path("/usr/lib/frr")
ETC = Path("/etc/frr")
RUN = Path("/run/frr")


def importer(table: str, *session: str) -> str:
    """frr.conf of the appliance: what on-premises tells goes to a table of the kernel's, which nothing but Sekisho reads."""
    lines = "".join(f" neighbor {ONPREM_GATEWAY} {line}\n" for line in ("timers connect 1", *session))
    return f"""
route-map learned permit 10
 set table {table}
!
router bgp 65010
 bgp router-id {LAN}
 no bgp ebgp-requires-policy
 neighbor {ONPREM_GATEWAY} remote-as 65515
{lines} address-family ipv4 unicast
  neighbor {ONPREM_GATEWAY} route-map learned in
 exit-address-family
"""


class Frr:
    """One router. Use as a context manager, or call close()."""

    def __init__(self, lab: Lab, space: str, configuration: str, daemons: tuple[str, ...] = ("zebra", "bgpd")) -> None:
        self.lab = lab
        self.space = space
        # FRR makes Unix sockets of the name: short.
        self.name = f"{lab.prefix}-{space}"
        self.daemons = daemons
        self.processes: dict[str, Process] = {}
        self._started = 0
        self.file = ETC / self.name / "frr.conf"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        (RUN / self.name).mkdir(parents=True, exist_ok=True)
        shutil.chown(RUN / self.name, "frr", "frr")
        self.write(configuration)

    def __enter__(self) -> Frr:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, configuration: str) -> None:
        """What the daemons read when they start."""
        self.file.write_text(configuration)
        # Otherwise vtysh says so, each time.
        (self.file.parent / "vtysh.conf").touch()

    def start(self) -> None:
        for daemon in self.daemons:
            self.start_daemon(daemon)
        wait_until(f"{self.name} to answer", self.answers)

    def start_daemon(self, daemon: str) -> None:
        """Returns when it answers, not when it has peers."""
        self._started += 1
        command = [DAEMONS / daemon, "-N", self.name, "-f", self.file, "-A", "127.0.0.1"]
        if daemon == "bgpd":
            command += ["--log-level", "notifications"]
        self.processes[daemon] = self.lab.spawn(self.space, f"{self.name}-{daemon}-{self._started}", *command)
        try:
            wait_until(f"{daemon} of {self.name} to answer", lambda: self.daemon_answers(daemon))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.processes[daemon].output()[-4000:]}") from error

    def kill_daemon(self, daemon: str) -> None:
        """SIGKILL."""
        process = self.processes.pop(daemon)
        process.kill()
        self.lab.forget(process)

    def stop_daemon(self, daemon: str) -> None:
        """SIGTERM, as systemd does it."""
        process = self.processes.pop(daemon)
        process.stop()
        self.lab.forget(process)

    def close(self) -> None:
        for daemon in reversed(list(self.processes)):
            with contextlib.suppress(ValueError):
                self.stop_daemon(daemon)
        for folder in (self.file.parent, RUN / self.name):
            shutil.rmtree(folder, ignore_errors=True)

    # --- vtysh ------------------------------------------------------------------------------------------------

    def vtysh(self, *commands: str) -> str:
        """What these commands print, one after the other; an error when one is refused."""
        words = [word for command in commands for word in ("-c", command)]
        done = execute("vtysh", "-N", self.name, *words, timeout=20)
        if done.returncode != 0 or "% " in done.stdout:
            raise AssertionError(f"vtysh {commands}: {done.stdout}{done.stderr}")
        return done.stdout

    def configure(self, *lines: str) -> None:
        self.vtysh("configure terminal", *lines)

    def read(self, file: Path) -> None:
        """Configures all that the file says, quickly."""
        done = execute("vtysh", "-N", self.name, "-f", file, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"vtysh -f {file}: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    def json(self, command: str) -> Any:
        return json.loads(self.vtysh(command + " json"))

    def daemon_answers(self, daemon: str) -> bool:
        done = execute("vtysh", "-N", self.name, "-d", daemon, "-c", "show version", timeout=20)
        return done.returncode == 0 and "FRRouting" in done.stdout

    def answers(self) -> bool:
        return all(self.daemon_answers(daemon) for daemon in self.daemons)

    def established(self) -> int:
        """Sessions that are up."""
        peers = self.json("show bgp ipv4 unicast summary").get("peers", {})
        return sum(peer["state"] == "Established" for peer in peers.values())

    def wait_established(self, sessions: int = 1, timeout: float = 30) -> None:
        wait_until(f"{sessions} sessions of {self.name}", lambda: self.established() >= sessions, timeout)
