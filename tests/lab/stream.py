# SPDX-License-Identifier: BSD-3-Clause
"""A numbered UDP stream through the lab and what its receiver says (tests/net/stream.cpp)."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from lab.appliance import BUILD, MAIN_CPU
from lab.process import Process, wait_until
from lab.topology import STREAM_PORT, Lab

PROGRAM = BUILD / "tests" / "net" / "stream"


@dataclass(frozen=True)
class StreamResult:
    sent: int
    received: int
    duplicated: int
    reordered: int
    gap_us: int
    sender_gap_us: int
    rate: int
    seconds: float
    # The first runs of numbers that never came.
    missing: tuple[tuple[int, int], ...] = ()

    @property
    def lost(self) -> int:
        return self.sent - self.received

    def __str__(self) -> str:
        return (
            f"{self.sent} sent at {self.rate}/s for {self.seconds:.1f} s, {self.lost} lost{self._which()}, {self.duplicated} duplicated, "
            f"{self.reordered} out of order, longest silence {self.gap_us / 1000:.1f} ms "
            f"(of which the sender's own {self.sender_gap_us / 1000:.1f} ms)"
        )

    def _which(self) -> str:
        runs = [str(first) if first == last else f"{first} to {last}" for first, last in self.missing]
        return f" (numbers {', '.join(runs)})" if runs else ""


# Results that show nothing: packets were lost, and a port's socket had no room for as many while they were sent. Who should have emptied it
# was not given a CPU.
UNFIT: list[StreamResult] = []


class Stream:
    """Runs from `with` until `finish`."""

    def __init__(
        self,
        lab: Lab,
        address: str,
        rate: int = 10_000,
        seconds: float = 120,
        source: str = "onprem",
        sink: str = "internet",
        port: int = STREAM_PORT,
        source_port: int = 0,
    ) -> None:
        self.lab = lab
        self.address = address
        self.rate = rate
        self.seconds = seconds
        self.source = source
        self.sink = sink
        self.port = port
        self.source_port = source_port
        self._processes: list[Process] = []

    def __enter__(self) -> Stream:
        self._no_room = self._count_no_room()
        self.receiver = self._spawn(self.sink, "receiver", "receive", str(self.port))
        self._answer(self.receiver)
        words = (
            "send",
            self.address,
            str(self.port),
            "--source-port",
            str(self.source_port),
            "--rate",
            str(self.rate),
            "--seconds",
            str(self.seconds),
        )
        self.sender = self._spawn(self.source, "sender", *words)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            self.lab.forget(process)
        # Of several streams, the last to end: what another still sends is no silence.
        others = any(process.name == "sender" and process.running() for process in self.lab.processes)
        if error is None and not others:
            self.lab.settle()

    def _spawn(self, space: str, name: str, *words: str) -> Process:
        process = self.lab.spawn(space, name, PROGRAM, *words, cpus=[MAIN_CPU], pipe=True)
        self._processes.append(process)
        return process

    @staticmethod
    def _answer(process: Process) -> dict[str, Any]:
        assert process.child.stdout is not None
        line = process.child.stdout.readline()
        if not line:
            raise AssertionError(f"{process.name} ended: {process.output()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ask(self, what: bytes) -> dict[str, Any]:
        assert self.receiver.child.stdin is not None
        self.receiver.child.stdin.write(what + b"\n")
        self.receiver.child.stdin.flush()
        return self._answer(self.receiver)

    def _count_no_room(self) -> int:
        return sum(count() for count in self.lab.no_room)

    def status(self) -> dict[str, int]:
        return self._ask(b"status")

    def missing(self, sent: int) -> tuple[tuple[int, int], ...]:
        """Which of so many have not come."""
        said = self._ask(b"missing")
        runs = [(first, last) for first, last in said["missing"]]
        after = said["highest"] + 1
        return tuple(runs if after >= sent else [*runs, (after, sent - 1)])

    def running(self) -> bool:
        return self.sender.running()

    def wait_more(self, packets: int) -> None:
        self.wait_received(self.status()["received"] + packets)

    def wait_received(self, packets: int, timeout: float = 20) -> None:
        wait_until(f"{packets} packets of the stream", lambda: self.status()["received"] >= packets, timeout)

    def stop(self) -> None:
        """The sender ends now: enough has happened."""
        assert self.running(), f"the stream of {self.seconds:g} s ended too early"
        self.sender.send(signal.SIGTERM)

    def finish(self) -> StreamResult:
        """Waits for the sender's end, then until all has arrived or nothing more does."""
        sent = self._answer(self.sender)
        self.sender.child.wait(timeout=20)
        before, quiet_since = -1, time.monotonic()
        while True:
            status = self.status()
            if status["received"] != before:
                before, quiet_since = status["received"], time.monotonic()
            if status["received"] >= sent["sent"] or time.monotonic() - quiet_since > 1:
                break
            time.sleep(0.02)
        counted = {
            key: status[key] for key in ("received", "duplicated", "reordered", "gap_us", "sender_gap_us")
        }
        missing = self.missing(sent["sent"]) if counted["received"] < sent["sent"] else ()
        result = StreamResult(
            sent=sent["sent"], rate=sent["rate"], seconds=sent["seconds"], missing=missing, **counted
        )
        if 0 < result.lost <= self._count_no_room() - self._no_room:
            UNFIT.append(result)
        return result
