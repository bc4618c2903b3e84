# SPDX-License-Identifier: BSD-3-Clause
"""Runs stages, lanes of them beside each other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from suite.count import Count
from suite.shell import Shell
from suite.stages import COMPUTING, FIRST, LAST, STAGES, Stage
from suite.task import apart


def with_needed(chosen: Sequence[Stage]) -> list[Stage]:
    """In the order of STAGES, with the stages that they need."""
    names = {stage.name for stage in chosen} | {stage.needs for stage in chosen}
    return [stage for stage in STAGES if stage.name in names]


class Run:
    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = stages
        self.counts: dict[str, Count] = {}
        self.seconds: dict[str, float] = {}

    def all(self) -> Count:
        """Everything but FIRST and LAST at once."""
        between = [stage.lane for stage in self.stages if stage.lane not in (FIRST, LAST)]
        self._lane(FIRST)
        with ThreadPoolExecutor(max(1, len(set(between)))) as pool:
            list(pool.map(self._lane, dict.fromkeys(between)))
        self._lane(LAST)
        return self._sum()

    def _lane(self, lane: str) -> None:
        for stage in self.stages:
            if stage.lane == lane:
                started = time.monotonic()
                self.counts[stage.name] = self._stage(stage)
                self.seconds[stage.name] = time.monotonic() - started

    def _stage(self, stage: Stage) -> Count:
        if stage.needs is not None and self.counts[stage.needs].failed:
            return Count(failed=[f"{stage.name}: did not run, because {stage.needs} failed"])
        if stage.lane in (FIRST, LAST):
            print(f"\n=== {stage.name}: {stage.what}", flush=True)
            return stage.run(Shell())
        print(f"=== {stage.name}: {stage.what}", flush=True)
        return apart(stage.name, stage.lane == COMPUTING, stage.run)

    def _sum(self) -> Count:
        total = Count()
        print()
        for stage in self.stages:
            count = self.counts[stage.name]
            print(f"{stage.name:<10} {self.seconds[stage.name]:6.0f} s   {count}")
            total += count
        for kind, names in (("FAILED", total.failed), ("SKIPPED", total.skipped)):
            for name in names:
                print(f"{kind} {name}")
        return total
