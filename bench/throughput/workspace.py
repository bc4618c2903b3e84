# SPDX-License-Identifier: BSD-3-Clause
"""A run's own folder and network namespace, its processes, and their removal whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from types import FrameType, TracebackType

from lab import namespace
from lab.namespace import Namespace
from lab.process import Process


def _drain(process: Process, log: Path) -> None:
    assert process.child.stdout is not None
    with log.open("ab") as out:
        shutil.copyfileobj(process.child.stdout, out)


class Workspace:
    """The guard and everything that control asks of the kernel stay in the namespace: the host is not touched."""

    def __init__(self, tag: str = "") -> None:
        """`tag`: tells it from another one of this process."""
        namespace.remove_dead_runs()
        self.prefix = f"skbench{os.getpid()}{tag}"
        self.folder = namespace.STATE / self.prefix
        self._space = Namespace(f"{self.prefix}-nva")
        self._processes: list[Process] = []
        held = namespace.lock(self.prefix)
        if held is None:
            raise RuntimeError("this process has a workspace already")
        self._lock = held

    def __enter__(self) -> Workspace:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupted)
        try:
            self.folder.mkdir(mode=0o700)
            self._space.create()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def _interrupted(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    def close(self) -> None:
        self.end_all()
        for folder in Path("/run/dpdk").glob(f"{self.prefix}*"):
            shutil.rmtree(folder, ignore_errors=True)
        namespace.remove_run(self.prefix)
        self._lock.close()

    def spawn(
        self, name: str, *command: str | Path, cpus: Sequence[int], pipe: bool = False, drained: bool = True
    ) -> Process:
        """`drained`: what comes out of the pipe goes to the log; otherwise who asks reads the answers."""
        pinned = ["taskset", "-c", ",".join(str(cpu) for cpu in sorted(set(cpus)))]
        log = self.folder / f"{name}.log"
        log.unlink(missing_ok=True)
        process = Process(name, self._space.command(*pinned, *command), log, pipe)
        if pipe and drained:  # what is not read would stop it once the pipe is full
            Thread(target=_drain, args=(process, log), daemon=True).start()
        self._processes.append(process)
        return process

    def end_all(self) -> None:
        for process in list(self._processes):
            self.end(process)

    def end(self, process: Process) -> None:
        if process.running():
            process.send(signal.SIGCONT)  # a stopped one hears nothing
        process.stop()
        self._processes.remove(process)
