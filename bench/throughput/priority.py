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

REAL_TIME, BEFORE_WORKERS = os.sched_param(1), os.sched_param(2)
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


@contextmanager
def sharing(processes: Sequence[int], waiting: Sequence[int]) -> Iterator[None]:
    """The same where a worker shares its CPU with what asks and what answers: these have precedence over workers, save `waiting`,
    threads that spin until a worker has stopped: it never would."""
    everyone = [os.getpid(), *processes]
    workers = {thread for process in processes for thread in worker_threads(process)}
    _set(everyone, os.SCHED_RR, BEFORE_WORKERS)
    for thread in {*workers, *waiting}:
        os.sched_setscheduler(thread, os.SCHED_RR, REAL_TIME)
    try:
        yield
    finally:
        _set(everyone, os.SCHED_OTHER, ORDINARY)
