# SPDX-License-Identifier: BSD-3-Clause
"""What every engine can do: forward on the worker's CPU or keep off it, and say what it has forwarded."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.process import Process, wait_until
from throughput.machine import WORKER_CPU


class BenchError(RuntimeError):
    """A measurement that cannot be made, or that would not be one."""


@dataclass(frozen=True)
class Sample:
    """Packets so far, and when: between the question and the answer."""

    at: float
    doubt: float  # seconds from the question to the answer
    rx: int
    tx: int


def sample(ask: Callable[[], tuple[int, int]]) -> Sample:
    before = time.perf_counter()
    rx, tx = ask()
    after = time.perf_counter()
    return Sample((before + after) / 2, after - before, rx, tx)


class Engine(ABC):
    name: str

    @abstractmethod
    def resume(self) -> None: ...

    @abstractmethod
    def pause(self) -> None: ...

    @abstractmethod
    def sample(self) -> Sample: ...

    @property
    @abstractmethod
    def thread(self) -> int:
        """The worker's, as the kernel numbers it."""


def worker_threads(process: int) -> list[int]:
    """`ip netns exec` and `taskset` became the program by exec, and DPDK names the threads of its lcores."""

    return [
        int(task.name)
        for task in Path(f"/proc/{process}/task").iterdir()
        if (task / "comm").read_text().strip().startswith(("rte-worker", "lcore-worker"))
    ]


def worker_thread(process: Process) -> int:
    """Of several the one on the last CPU, which it has for itself."""

    def find() -> int | None:
        own = [thread for thread in worker_threads(process.pid) if os.sched_getaffinity(thread) == {WORKER_CPU}]
        return own[0] if own else None

    found = wait_until(f"the worker of {process.name}", find)
    assert found is not None
    return found
