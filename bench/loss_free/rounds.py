# SPDX-License-Identifier: BSD-3-Clause
"""Searches of all engines side by side: a trial of each in rotation, so that all meet the same machine."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from loss_free.engines import Entrant
from loss_free.generator import Answer, Generator
from loss_free.search import Attempt, Phase, Search, highest
from throughput.engine import BenchError, Engine

PDR = 0.005  # the share that a partial drop rate may lose
LOADS = (0.1, 0.5, 0.9)  # of the loss-free rate, at which latency is measured
LATENCY_SECONDS = 0.5
MOST_WAITED = 0.002  # share of a trial that the worker was ready and did not run
ATTEMPTS, LATE_ATTEMPTS = 12, 3
WARM_UP = 0.02
# A real-time thread may have 95 % of each second (sched(7)); whoever takes more is stopped in the midst of a trial.
REST = 0.06


@dataclass
class Score:
    """Of one engine in one round."""

    ndr: float = 0.0
    pdr: float = 0.0
    limited: bool = False  # the generator went no faster: the engine may
    latency_us: dict[float, dict[str, float]] = field(default_factory=dict)  # by share of the ndr


def _waited(engine: Engine) -> int:
    return int(Path(f"/proc/{engine.thread}/schedstat").read_text().split()[1])


class Bench:
    def __init__(self, generator: Generator, entrants: list[Entrant], maximum: float) -> None:
        self._generator = generator
        self._entrants = entrants
        self._maximum = maximum
        self.disturbed = 0  # trials that were made again
        self._limits: dict[str, float] = {}  # the lowest rate that the generator did not reach, by engine

    def round(self, phases: tuple[Phase, ...]) -> dict[str, Score]:
        scores = {entrant.engine.name: Score() for entrant in self._entrants}
        self._limits = {}
        found = self._search({name: highest(0.0, self._maximum, phases) for name in scores})
        for name, rate in found.items():
            scores[name].ndr = rate
            scores[name].limited = rate * (1 + phases[-1].precision) >= self._limits.get(name, self._maximum)
        # What may lose a little is never less than what may lose nothing.
        found = self._search({name: highest(PDR, self._maximum, phases, rate) for name, rate in found.items()})
        for name, rate in found.items():
            scores[name].pdr = rate
        for load in LOADS:
            for entrant in self._entrants:
                score = scores[entrant.engine.name]
                if score.ndr:
                    answer = self._trial(entrant, Attempt(load * score.ndr, LATENCY_SECONDS))
                    score.latency_us[load] = answer.latency_us
        return scores

    def _search(self, searches: dict[str, Search]) -> dict[str, float]:
        found: dict[str, float] = {}
        attempts = {name: next(search) for name, search in searches.items()}
        while attempts:
            for entrant in self._entrants:
                name = entrant.engine.name
                if name not in attempts:
                    continue
                answer = self._trial(entrant, attempts[name])
                try:
                    attempts[name] = searches[name].send(answer.trial)
                except StopIteration as end:
                    found[name] = end.value
                    del attempts[name]
        return found

    def _trial(self, entrant: Entrant, attempt: Attempt) -> Answer:
        """Made again when the worker, or the generator without need, was kept off its CPU."""
        late = 0
        for _ in range(ATTEMPTS):
            answer, waited = self._once(entrant, attempt)
            late += answer.trial.limited
            if waited <= MOST_WAITED and (not answer.trial.limited or late >= LATE_ATTEMPTS):
                if answer.trial.limited:
                    name = entrant.engine.name
                    self._limits[name] = min(attempt.rate, self._limits.get(name, attempt.rate))
                return answer
            self.disturbed += 1
        raise BenchError(
            f"the worker's CPU was not left alone in {ATTEMPTS} trials: end what else computes on it, or run this with "
            "CPUs of its own (taskset)"
        )

    def _once(self, entrant: Entrant, attempt: Attempt) -> tuple[Answer, float]:
        engine = entrant.engine
        engine.resume()
        try:
            time.sleep(WARM_UP)
            before = _waited(engine)
            answer = self._generator.run(entrant.socket, attempt)
            waited = (_waited(engine) - before) / 1e9
        finally:
            engine.pause()
        time.sleep(REST)
        return answer, waited / attempt.seconds
