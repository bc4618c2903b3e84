# SPDX-License-Identifier: BSD-3-Clause
"""Windows of an eighth of a second, engines in rotation.

What a shared machine takes away comes and goes within seconds, so that a ratio compares neighbours in time: in each
round every engine has one window, and a round's ratio is of its own windows. All processes live as long as the cell does and
only one of them polls the worker's CPU: starting one for each window would cost seconds and cold caches, and a
time slice shared by two would measure the scheduler.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from throughput.engine import BenchError, Engine

WINDOW, WARM_UP = 0.12, 0.02
# Of a window: what the worker waited for its CPU, and by how much the two answers may be late.
MOST_WAITED, MOST_DOUBT = 0.02, 0.02
ATTEMPTS = 8


@dataclass(frozen=True)
class Window:
    mpps: float
    waited: float  # share of the window that the worker was ready and did not run


def _waited(thread: int) -> float:
    return int(Path(f"/proc/{thread}/schedstat").read_text().split()[1]) / 1e9


def _measure(engine: Engine) -> tuple[Window, bool]:
    engine.resume()
    try:
        time.sleep(WARM_UP)
        waited, first = _waited(engine.thread), engine.sample()
        time.sleep(WINDOW)
        last, waited = engine.sample(), _waited(engine.thread) - waited
    finally:
        engine.pause()
    seconds = last.at - first.at
    sent = last.tx - first.tx
    window = Window(sent / seconds / 1e6, waited / seconds)
    good = window.waited < MOST_WAITED and (first.doubt + last.doubt) / 2 < MOST_DOUBT * seconds
    return window, good


@dataclass(frozen=True)
class Series:
    """One engine's windows in a cell, one for each round."""

    windows: list[Window]

    @property
    def mpps(self) -> list[float]:
        return [window.mpps for window in self.windows]


def rounds(engines: Sequence[Engine], count: int) -> tuple[dict[str, Series], int]:
    """And how many rounds were disturbed and measured again."""
    windows: dict[str, list[Window]] = {engine.name: [] for engine in engines}
    disturbed = 0
    for number in range(count):
        for attempt in range(ATTEMPTS):
            at = (number + attempt) % len(engines)
            measured = {engine.name: _measure(engine) for engine in (*engines[at:], *engines[:at])}
            if all(good for _, good in measured.values()):
                break
            disturbed += 1
        else:
            raise BenchError(
                f"the worker's CPU was not left alone in {ATTEMPTS} rounds: end what else computes on it, or run "
                "this with CPUs of its own (taskset)"
            )
        for name, (window, _) in measured.items():
            windows[name].append(window)
    return {name: Series(of_engine) for name, of_engine in windows.items()}, disturbed


@dataclass(frozen=True)
class Quartiles:
    low: float
    median: float
    high: float


def quartiles(values: Sequence[float]) -> Quartiles:
    if len(values) == 1:
        return Quartiles(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Quartiles(low, median, high)


def ratios(of: Series, to: Series) -> Quartiles:
    return quartiles([mine / theirs for mine, theirs in zip(of.mpps, to.mpps, strict=True)])
