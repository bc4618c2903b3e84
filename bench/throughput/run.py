# SPDX-License-Identifier: BSD-3-Clause
"""One cell from its files to its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from throughput import counters, measure, priority, stages
from throughput.cell import Cell
from throughput.engine import Engine
from throughput.forwarding import check
from throughput.inputs import Inputs
from throughput.machine import free_hugepage_mb
from throughput.measure import Quartiles, Series, quartiles, ratios
from throughput.sekisho import Sekisho
from throughput.testpmd import Mode, Testpmd
from throughput.workspace import Workspace

BUFFER = 2432 + 64  # bytes of a packet buffer and its share of the pool's own memory
IN_FLIGHT = 8192  # buffers beyond those that hold the capture
TABLES_MB = 160  # of the zones and their sources, beside the buffers


@dataclass(frozen=True)
class Result:
    cell: Cell
    hugepages: bool
    disturbed: int  # rounds that were measured again
    series: dict[str, Series]
    events: dict[str, dict[str, float]]  # by engine: hardware events a second
    stages: dict[str, float]  # shares of the worker's time; empty when not profiled

    def mpps(self, engine: str) -> Quartiles:
        return quartiles(self.series[engine].mpps)

    def ratio(self, engine: str = "sekisho", to: str = "testpmd-macswap") -> Quartiles:
        return ratios(self.series[engine], self.series[to])


def _events(engines: Sequence[Engine]) -> dict[str, dict[str, float]]:
    found = {}
    for engine in engines:
        engine.resume()
        found[engine.name] = counters.count(engine.thread)
        engine.pause()
    return found


def _stages(sekisho: Sekisho, folder: Path, program: Path) -> dict[str, float]:
    file = folder / "perf.data"
    sekisho.resume()
    stages.record(sekisho.thread, file)
    sekisho.pause()
    return stages.attribute(file, program)


def measure_cell(
    workspace: Workspace, inputs: Inputs, build: Path, cell: Cell, rounds: int, profile: bool
) -> Result:
    buffers = cell.flows + IN_FLIGHT
    memory = max(64, buffers * BUFFER // (1 << 20) * 4 // 3)
    huge = free_hugepage_mb() >= 2 * memory + TABLES_MB
    sekisho = Sekisho(workspace, build, inputs.config(cell), memory, huge)
    try:
        sekisho.pause()
        testpmd = Testpmd(workspace, inputs.devices(cell), memory, buffers, huge)
        try:
            engines = (sekisho, Mode(testpmd, "macswap"), Mode(testpmd, "io"))
            with priority.measuring([*sekisho.processes, testpmd.process]):
                series, disturbed = measure.rounds(engines, rounds)
            events = _events(engines) if profile else {}
        finally:
            testpmd.close()
        program = build / "dataplane" / "sekisho-dataplane"
        shares = _stages(sekisho, workspace.folder, program) if profile else {}
        sekisho.resume()
        check(sekisho, cell)
        return Result(cell, huge and sekisho.hugepages, disturbed, series, events, shares)
    finally:
        sekisho.close()
