# SPDX-License-Identifier: BSD-3-Clause
"""The highest rate with no more loss than a goal allows (RFC 2544, 26.1).

A plain bisection trusts each of its trials, and ends wherever one that the machine disturbed sends it. As MLRsearch does
(the IETF's benchmarking group describes it), short trials find where to look, longer ones decide by majority, and bounds that
a longer trial does not confirm are moved, by steps that double, until they hold.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass


@dataclass(frozen=True)
class Attempt:
    """A trial to make."""

    rate: float  # packets a second
    seconds: float


@dataclass(frozen=True)
class Trial:
    """What came of it."""

    offered: int
    received: int
    seconds: float
    limited: bool  # the generator did not reach the rate

    @property
    def loss(self) -> float:
        return 1 - self.received / self.offered if self.offered else 1.0


@dataclass(frozen=True)
class Phase:
    seconds: float
    precision: float
    votes: int


PHASES = (Phase(0.1, 0.05, 1), Phase(0.5, 0.01, 3))
QUICK_PHASES = (Phase(0.1, 0.05, 1), Phase(0.25, 0.02, 3))
LEAST_RATE = 10_000.0

Search = Generator[Attempt, Trial, float]
Verdict = Generator[Attempt, Trial, bool]


def _holds(rate: float, goal: float, phase: Phase) -> Verdict:
    """Whether most trials lose no more than the goal."""
    good = bad = 0
    while max(good, bad) <= phase.votes // 2:
        trial = yield Attempt(rate, phase.seconds)
        if trial.loss <= goal and not trial.limited:
            good += 1
        else:
            bad += 1
    return good > bad


def _narrow(start: float, maximum: float, goal: float, phase: Phase) -> Search:
    """From a rate that is thought to be near: a good one that a bad one follows within the precision."""
    step = 1 + phase.precision
    low, high = 0.0, math.inf
    rate = start
    while not (low and high < math.inf):
        if (yield from _holds(rate, goal, phase)):
            low = rate
            if rate >= maximum:
                return maximum
            rate = min(rate * step, maximum)
        else:
            high = rate
            if rate <= LEAST_RATE:
                return 0.0
            rate = max(rate / step, LEAST_RATE)
        step **= 2
    while high / low > 1 + phase.precision:
        middle = math.sqrt(low * high)
        if (yield from _holds(middle, goal, phase)):
            low = middle
        else:
            high = middle
    return low


def highest(goal: float, maximum: float, phases: tuple[Phase, ...] = PHASES, start: float = 0.0) -> Search:
    """`goal`: the share of packets that may be lost. 0 when none is good. `start`: where to look first."""
    rate = start
    if not rate:
        flood = yield Attempt(maximum, phases[0].seconds)
        rate = min(flood.received / flood.seconds, maximum)
    for phase in phases:
        rate = yield from _narrow(max(rate, LEAST_RATE), maximum, goal, phase)
    return rate
