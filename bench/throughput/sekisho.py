# SPDX-License-Identifier: BSD-3-Clause
"""The appliance itself: the built dataplane, configured by the built control."""

from __future__ import annotations

import json
import signal
import socket
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.process import wait_until
from throughput.engine import BenchError, Engine, Sample, sample, worker_thread, worker_threads
from throughput.machine import MAIN_CPU, WORKER_CPU
from throughput.workspace import Workspace

LOAD_TIMEOUT = 60.0


class Sekisho(Engine):
    """A paused one is stopped whole (SIGSTOP): control waits for its answers meanwhile, and nothing polls."""

    name = "sekisho"

    def __init__(
        self, workspace: Workspace, build: Path, config: Path, memory: int, huge: bool, driven: bool = True,
        workers: Sequence[int] = (WORKER_CPU,),
    ) -> None:  # fmt: skip
        """`driven`: its ports bring packets by themselves, so that it forwards when it is ready."""
        self._workspace = workspace
        self._driven = driven
        dataplane, control = workspace.folder / "dataplane.sock", workspace.folder / "control.sock"
        self._dataplane = workspace.spawn(
            "dataplane",
            build / "dataplane" / "sekisho-dataplane",
            "--socket", dataplane,
            "--main", str(MAIN_CPU),
            "--workers", ",".join(str(cpu) for cpu in workers),
            "--memory", str(memory),
            "--file-prefix", f"{workspace.prefix}-sekisho",
            *([] if huge else ["--no-huge"]),
            cpus=[MAIN_CPU, WORKER_CPU],
        )  # fmt: skip
        self._control = workspace.spawn(
            "control",
            build / "control" / "sekisho-control",
            "--config", config,
            "--dataplane-socket", dataplane,
            "--socket", control,
            cpus=[MAIN_CPU],
        )  # fmt: skip
        self._socket = control
        self._connection: socket.socket | None = None
        wait_until("sekisho to forward", self._ready, LOAD_TIMEOUT)
        self._thread = worker_thread(self._dataplane)

    def hang_up(self) -> None:
        """Before a long silence: control ends a conversation in which nothing is said."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        self.hang_up()
        self._workspace.end(self._control)
        self._workspace.end(self._dataplane)

    def resume(self) -> None:
        self._dataplane.send(signal.SIGCONT)

    def pause(self) -> None:
        self._dataplane.send(signal.SIGSTOP)

    @property
    def thread(self) -> int:
        return self._thread

    @property
    def threads(self) -> list[int]:
        """Of all workers."""
        return worker_threads(self._dataplane.pid)

    @property
    def processes(self) -> list[int]:
        return [self._dataplane.pid, self._control.pid]

    @property
    def hugepages(self) -> bool:
        return "with reserved hugepages" in self._dataplane.output()

    def sample(self) -> Sample:
        return sample(self._packets)

    def _packets(self) -> tuple[int, int]:
        ports = {port["name"]: port for port in self.show("stats")["ports"]}
        sent = ports.pop("egress")["tx"]
        return sum(port["rx"] for port in ports.values()), sent

    def show(self, what: str) -> Any:
        """As `sekisho show` asks, without a process for each question."""
        if self._connection is None:
            self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._connection.settimeout(LOAD_TIMEOUT)
            self._connection.connect(str(self._socket))
        request = json.dumps({"command": "show", "what": what}).encode()
        self._connection.sendall(struct.pack("!I", len(request)) + request)
        (length,) = struct.unpack("!I", self._read(4))
        reply = json.loads(self._read(length))
        if not reply["ok"]:
            raise BenchError(f"sekisho show {what}: {reply['error']}")
        return reply["result"]

    def _read(self, size: int) -> bytes:
        assert self._connection is not None
        data = b""
        while len(data) < size:
            piece = self._connection.recv(size - len(data))
            if not piece:
                raise BenchError(f"sekisho-control ended the connection:\n{self._control.output()[-2000:]}")
            data += piece
        return data

    def _ready(self) -> bool:
        for process in (self._dataplane, self._control):
            if not process.running():
                raise BenchError(f"{process.name} does not start:\n{process.output()[-2000:]}")
        if not self._socket.exists():
            return False
        try:
            return self._packets()[1] > 0 or not self._driven
        except (BenchError, ConnectionError, KeyError):
            return False
