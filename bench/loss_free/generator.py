# SPDX-License-Identifier: BSD-3-Clause
"""The generator's process, asked for trials."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loss_free.search import Attempt, Trial
from throughput.engine import BenchError
from throughput.machine import MAIN_CPU
from throughput.workspace import Workspace

MOST_LATE = 0.01  # share of the packets that the generator may have left out


@dataclass(frozen=True)
class Answer:
    trial: Trial
    latency_us: dict[str, float]  # p50, p99, p99.9, max


class Generator:
    """Its engines have to be there when it starts: each pair of ports connects once."""

    def __init__(self, workspace: Workspace, build: Path, capture: Path, sockets: dict[str, Path]) -> None:
        self._process = workspace.spawn(
            "generator",
            build / "bench" / "loss_free_generator",
            "--capture", capture,
            "--file-prefix", f"{workspace.prefix}-generator",
            "--cpu", str(MAIN_CPU),
            *(word for name, path in sockets.items() for word in ("--engine", f"{name}={path}")),
            cpus=[MAIN_CPU],
            pipe=True,
            drained=False,
        )  # fmt: skip
        self._workspace = workspace
        self._read()

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        self._workspace.end(self._process)

    def run(self, engine: str, attempt: Attempt) -> Answer:
        stdin = self._process.child.stdin
        assert stdin is not None
        question = {"engine": engine, "rate": attempt.rate, "seconds": attempt.seconds}
        stdin.write(json.dumps(question).encode() + b"\n")
        stdin.flush()
        said = self._read()
        trial = Trial(said["offered"], said["received"], said["seconds"], limited=said["late"] > MOST_LATE)
        return Answer(trial, said["latency_us"])

    def _read(self) -> dict[str, Any]:
        stdout = self._process.child.stdout
        assert stdout is not None
        for line in stdout:
            if line.startswith(b"{"):  # DPDK writes there, too
                found: dict[str, Any] = json.loads(line)
                return found
        raise BenchError(f"the generator ended:\n{self._process.output()[-2000:]}")
