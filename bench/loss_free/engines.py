# SPDX-License-Identifier: BSD-3-Clause
"""Who forwards between two memif ports: the product, dpdk-testpmd, and what the user names."""

from __future__ import annotations

import shlex
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.process import Process, wait_until
from throughput import configuration
from throughput.cell import Cell
from throughput.engine import BenchError, Engine, Sample
from throughput.inputs import Inputs
from throughput.machine import WORKER_CPU
from throughput.sekisho import Sekisho
from throughput.testpmd import Mode, Testpmd
from throughput.traffic import STATION
from throughput.workspace import Workspace

MEMORY_MB = 96
BUFFERS = 16_384
START_SECONDS = 1.0  # after which a poll-mode engine's worker is its busiest thread


@dataclass(frozen=True)
class Entrant:
    """An engine and the socket of its ports: two modes of one testpmd share theirs."""

    engine: Engine
    socket: str


class External(Engine):
    """A command of the user's, stopped whole when it is not its turn."""

    def __init__(self, workspace: Workspace, name: str, command: str, socket: Path) -> None:
        self.name = name
        lan, egress = devices(socket)
        words = shlex.split(command.format(lan=lan, egress=egress, socket=socket, cpu=WORKER_CPU))
        self._process: Process = workspace.spawn(name, *words, cpus=[WORKER_CPU])
        wait_until(f"{name} to open {socket}", socket.exists)
        time.sleep(START_SECONDS)
        self._thread = self._busiest()

    def _busiest(self) -> int:
        tasks = Path(f"/proc/{self._process.pid}/task")
        return max(
            (int(task.name) for task in tasks.iterdir()),
            key=lambda task: int((tasks / str(task) / "schedstat").read_text().split()[0]),
        )

    def resume(self) -> None:
        self._process.send(signal.SIGCONT)

    def pause(self) -> None:
        self._process.send(signal.SIGSTOP)

    def sample(self) -> Sample:
        raise BenchError(f"{self.name} is not asked for its counters")

    @property
    def thread(self) -> int:
        return self._thread

    @property
    def pid(self) -> int:
        return self._process.pid


def devices(socket: Path) -> tuple[str, str]:
    """The engine serves, the generator connects. The frames are addressed to this station."""
    mac = ":".join(f"{byte:02x}" for byte in STATION)
    common = f"role=server,socket={socket},socket-abstract=no"
    return f"net_memif0,{common},id=0,mac={mac}", f"net_memif1,{common},id=1"


class Field:
    """All engines, paused, each with a pair of ports that a generator can connect to."""

    def __init__(self, workspace: Workspace, inputs: Inputs, build: Path, cell: Cell, others: Sequence[str]) -> None:
        self.sockets: dict[str, Path] = {}
        self._workspace = workspace
        config = workspace.folder / "sekisho.toml"
        config.write_text(
            configuration.text(cell.table, devices(self._socket("sekisho")), inputs.routes(cell.table))
        )
        self.sekisho = Sekisho(workspace, build, config, MEMORY_MB, huge=True, driven=False)
        self.sekisho.pause()
        self.testpmd = Testpmd(workspace, devices(self._socket("testpmd")), MEMORY_MB, BUFFERS, huge=True)
        self.processes = [*self.sekisho.processes, self.testpmd.process]
        self.entrants = [
            Entrant(self.sekisho, "sekisho"),
            Entrant(Mode(self.testpmd, "macswap"), "testpmd"),
            Entrant(Mode(self.testpmd, "io"), "testpmd"),
        ]
        for other in others:
            name, _, command = other.partition("=")
            external = External(workspace, name, command, self._socket(name))
            external.pause()
            self.processes.append(external.pid)
            self.entrants.append(Entrant(external, name))

    def _socket(self, name: str) -> Path:
        # A path of a Unix socket has at most 107 characters.
        return self.sockets.setdefault(name, self._workspace.folder / f"{name}.memif")

    def connect(self) -> None:
        """Before a generator starts: memif's handshake needs both ends."""
        for entrant in self.entrants:
            if not isinstance(entrant.engine, Mode):
                entrant.engine.resume()

    def connected(self) -> None:
        wait_until("sekisho to forward", lambda: self.sekisho.show("state")["verdict"] == "forwarding")
        self.sekisho.hang_up()
        for entrant in self.entrants:
            if not isinstance(entrant.engine, Mode):
                entrant.engine.pause()

    def check(self) -> None:
        """That what was timed was forwarding with the whole policy. What a full ring did not take is a loss, counted as such."""
        full = "transmit_full"
        drops = [drop for drop in self.sekisho.show("drops") if drop["packets"] and drop["reason"] != full]
        if drops:
            raise BenchError(f"sekisho dropped {drops}: this is no measurement of forwarding")
