# SPDX-License-Identifier: BSD-3-Clause
"""The threads of a measurement run before everything else while windows are open, and no longer.

What asks for counters and what answers share a CPU with whatever else the machine does, and a question that waits there
makes the window's end uncertain. The worker is meant to own its CPU. As soon as no window is open they are ordinary again:
loading a table must not stop the machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from throughput.engine import worker_threads

REAL_TIME = os.sched_param(1)
ORDINARY = os.sched_param(0)


def _set(processes: Sequence[int], policy: int, parameters: os.sched_param) -> None:
    for process in processes:
        for task in Path(f"/proc/{process}/task").iterdir():
            os.sched_setscheduler(int(task.name), policy, parameters)


@contextmanager
def measuring(processes: Sequence[int]) -> Iterator[None]:
    _set([os.getpid(), *processes], os.SCHED_RR, REAL_TIME)
    try:
        yield
    finally:
        _set([os.getpid(), *processes], os.SCHED_OTHER, ORDINARY)


def prefer(processes: Sequence[int]) -> None:
    """Before what else the machine does, by weight, and workers behind the others: what shares a CPU with one gets it at once."""
    for process in processes:
        workers = worker_threads(process)
        for task in Path(f"/proc/{process}/task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(task.name), -18 if int(task.name) in workers else -20)
