# SPDX-License-Identifier: BSD-3-Clause
"""Windows in rotation: what an engine forwarded, and what CPU time it took meanwhile.

Two measures. All that is not idle, of all CPUs, is the whole truth on a machine that does nothing else: interrupts that wake a worker are in
it. The threads' own time (generator, product, ksoftirqd) leaves those out, and what others compute beside, too. A window in which
others took more than a little is measured again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kernel.field import Engine, Field
from loss_free.search import Phase, highest
from throughput.engine import BenchError

WARM_UP = 0.1
ALLOWED_LOSS = 0.005  # as loss-free's partial drop rate
PHASES = (Phase(0.1, 0.1, 1), Phase(0.25, 0.03, 3))
# More than anything forwards here.
MAXIMUM = 8e6
# Share of a CPU that others, and interrupts that no thread pays for, may take.
MOST_FOREIGN = 0.15
ATTEMPTS = 8
_HZ = os.sysconf("SC_CLK_TCK")


def _idle() -> float:
    """Seconds, summed over all CPUs. The kernel notes when a CPU goes idle and when it comes back, and tells it in ticks of 10 ms: at
    1,000 packets a second and a window of a second that is 10 us a packet."""
    words = Path("/proc/stat").read_text().splitlines()[0].split()
    return (int(words[4]) + int(words[5])) / _HZ


def _tasks(field: Field) -> list[Path]:
    softirqs = [path.parent for path in Path("/proc").glob("[0-9]*/comm") if _name(path).startswith("ksoftirqd/")]
    return [*softirqs, *(task for pid in field.pids for task in Path(f"/proc/{pid}/task").iterdir())]


def _name(comm: Path) -> str:
    try:
        return comm.read_text()
    except OSError:  # it has just ended
        return ""


def _ran(tasks: Sequence[Path]) -> float:
    """Seconds that these threads had a CPU."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


@dataclass(frozen=True)
class Window:
    seconds: float
    offered: int
    received: int
    busy: float  # CPU seconds, with the sender's and the sink's

    @property
    def per_packet(self) -> float:
        """Microseconds of CPU."""
        return 1e6 * self.busy / self.received if self.received else float("inf")

    @property
    def lost(self) -> float:
        return 1 - self.received / self.offered


def _window(field: Field, engine: Engine, rate: float, seconds: float, shared: bool) -> tuple[Window, bool]:
    engine.resume()
    try:
        field.send(engine, rate, WARM_UP)
        tasks = _tasks(field)
        ran, idle, start = _ran(tasks), _idle(), time.monotonic()
        answer = field.send(engine, rate, seconds)
        took, idle, ran = time.monotonic() - start, _idle() - idle, _ran(tasks) - ran
    finally:
        engine.pause()
    not_idle = max(0.0, (os.cpu_count() or 1) * took - idle)
    window = Window(took, answer.offered, answer.received, ran if shared else not_idle)
    return window, window.busy > 0 and (shared or not_idle - ran < MOST_FOREIGN * took)


def window(field: Field, engine: Engine, rate: float, seconds: float, shared: bool) -> Window:
    for _ in range(ATTEMPTS):
        found, undisturbed = _window(field, engine, rate, seconds, shared)
        if undisturbed:
            return found
    raise BenchError(
        f"others computed in {ATTEMPTS} windows: end what else runs, or count the threads' own time alone (--shared)"
    )


def most(field: Field, engine: Engine) -> float:
    """The highest rate at which no more than that is lost."""
    engine.resume()
    try:
        search = highest(ALLOWED_LOSS, MAXIMUM, PHASES)
        attempt = next(search)
        while True:
            attempt = search.send(field.trial(engine, attempt.rate, attempt.seconds))
    except StopIteration as end:
        found: float = end.value
        return found
    finally:
        engine.pause()


def rounds(field: Field, rates: dict[str, float], count: int, seconds: float, shared: bool) -> dict[str, list[Window]]:
    """`rates`: by engine, the wire among them. An engine's windows are in the order of the rounds."""
    engines: Sequence[Engine] = [*field.engines, field.wire]
    found: dict[str, list[Window]] = {engine.name: [] for engine in engines}
    for number in range(count):
        at = number % len(engines)
        for engine in (*engines[at:], *engines[:at]):
            found[engine.name].append(window(field, engine, rates[engine.name], seconds, shared))
    return found
