# SPDX-License-Identifier: BSD-3-Clause
"""DPDK's own forwarder on the same devices: one process that changes its mode."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from pathlib import Path

from lab.process import wait_until
from throughput.engine import BenchError, Engine, Sample, sample, worker_thread
from throughput.machine import MAIN_CPU, WORKER_CPU
from throughput.workspace import Workspace

LONGEST_ANSWER = 16384


class Testpmd:
    """Driven by its command line, read by its telemetry. Between `stop` and `start` its worker sleeps."""

    def __init__(
        self, workspace: Workspace, devices: Sequence[str], memory: int, buffers: int, huge: bool,
        workers: Sequence[int] = (WORKER_CPU,), queues: int = 1,
    ) -> None:  # fmt: skip
        self._workspace = workspace
        prefix = f"{workspace.prefix}-testpmd"
        self._process = workspace.spawn(
            "testpmd",
            "dpdk-testpmd",
            "--lcores", ",".join([f"0@{MAIN_CPU}", *(f"{lcore}@{cpu}" for lcore, cpu in enumerate(workers, 1))]),
            "--main-lcore", "0",
            "--no-pci",
            "--iova-mode=va",
            f"--file-prefix={prefix}",
            "-m", str(memory),
            "--in-memory" if huge else "--no-huge",
            *(f"--vdev={device}" for device in devices),
            "--",
            "--interactive",
            f"--nb-cores={len(workers)}",
            f"--rxq={queues}",
            f"--txq={queues}",
            # Each start would read a capture without end for a while, in a thread of the same priority as what answers.
            "--no-flush-rx",
            f"--total-num-mbufs={buffers}",
            cpus=[MAIN_CPU, WORKER_CPU],
            pipe=True,
        )  # fmt: skip
        self.process = self._process.pid
        self.thread = worker_thread(self._process)
        self._telemetry = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = Path("/run/dpdk") / prefix / "dpdk_telemetry.v2"
        wait_until("testpmd's telemetry", path.exists)
        self._telemetry.connect(str(path))
        self._telemetry.recv(LONGEST_ANSWER)  # who it is

    def close(self) -> None:
        self._telemetry.close()
        self._workspace.end(self._process)

    def command(self, *lines: str) -> None:
        assert self._process.child.stdin is not None
        self._process.child.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self._process.child.stdin.flush()

    def packets(self) -> tuple[int, int]:
        return self._counter(0, "ipackets"), self._counter(1, "opackets")

    def _counter(self, port: int, name: str) -> int:
        question = f"/ethdev/stats,{port}"
        self._telemetry.send(question.encode())
        stats = json.loads(self._telemetry.recv(LONGEST_ANSWER))[ "/ethdev/stats"]
        if stats is None:
            raise BenchError(f"testpmd has no port {port}")
        return int(stats[name])


class Mode(Engine):
    """`io` touches no packet; `macswap` swaps the addresses of each: what a forwarder can not do less than."""

    def __init__(self, testpmd: Testpmd, mode: str) -> None:
        self.name = f"testpmd-{mode}"
        self._testpmd = testpmd
        self._mode = mode

    def resume(self) -> None:
        self._testpmd.command(f"set fwd {self._mode}", "start")

    def pause(self) -> None:
        before = -1
        self._testpmd.command("stop")

        def stands() -> bool:
            nonlocal before
            last, before = before, self._testpmd.packets()[1]
            return last == before

        wait_until("testpmd to stop", stands)

    def sample(self) -> Sample:
        return sample(self._testpmd.packets)

    @property
    def thread(self) -> int:
        return self._testpmd.thread
