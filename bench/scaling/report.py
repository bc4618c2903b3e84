# SPDX-License-Identifier: BSD-3-Clause
"""What a second worker adds: lines for people, Google Benchmark's shape for programs, and a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

from throughput.machine import MAIN_CPU, WORKER_CPU, Machine
from throughput.measure import Quartiles, Series, quartiles, ratios

ENGINES = ("sekisho", "testpmd-macswap")


def crew(engine: str, workers: int) -> str:
    return f"{engine}-{workers}"


def name(engine: str, way: str, table: str, workers: int) -> str:
    return f"scaling/{engine}/{way}/{table}/{workers}"


@dataclass(frozen=True)
class Result:
    way: str
    table: str
    engines: Sequence[str]
    series: dict[str, Series]  # by crew
    disturbed: int  # rounds that were measured again
    first_cpu: float  # share of the first CPU that Sekisho's second worker got

    def mpps(self, engine: str, workers: int) -> Quartiles:
        return quartiles(self.series[crew(engine, workers)].mpps)

    def gain(self, engine: str) -> Quartiles:
        """Of two workers to one, each of one round."""
        return ratios(self.series[crew(engine, 2)], self.series[crew(engine, 1)])


def header(machine: Machine) -> str:
    return (
        f"{machine.cpu}, {machine.cpus} CPUs; TSC {machine.tsc_mhz:.0f} MHz; virtual: {machine.hypervisor}; governor: {machine.governor}\n"
        f"one worker on CPU {WORKER_CPU}, the second on CPU {MAIN_CPU} with all else; Mpps are medians, the ratio a median of rounds, "
        "with quartiles\n\n"
        f"{'way/table/engine':<32} {'one':>7} {'two':>7}   {'two to one':<20} CPU {MAIN_CPU}"
    )


def lines(result: Result) -> str:
    found = []
    for engine in result.engines:
        gain = result.gain(engine)
        share = f"{result.first_cpu:.0%}" if engine == "sekisho" else ""
        found.append(
            f"{f'{result.way}/{result.table}/{engine}':<32} {result.mpps(engine, 1).median:7.2f} "
            f"{result.mpps(engine, 2).median:7.2f}   {f'{gain.median:.3f} ({gain.low:.3f}-{gain.high:.3f})':<20} {share:>5}".rstrip()
        )
    if result.disturbed:
        found.append(f"  {result.disturbed} rounds repeated")
    return "\n".join(found)


def benchmarks(result: Result) -> list[dict[str, Any]]:
    found = []
    for engine in result.engines:
        for workers in (1, 2):
            mpps = result.mpps(engine, workers)
            entry: dict[str, Any] = {
                "name": name(engine, result.way, result.table, workers),
                "run_name": name(engine, result.way, result.table, workers),
                "run_type": "iteration",
                "repetitions": len(result.series[crew(engine, workers)].windows),
                "threads": workers,
                "real_time": 1e3 / mpps.median,
                "cpu_time": workers * 1e3 / mpps.median,
                "time_unit": "ns",
                "items_per_second": mpps.median * 1e6,
                "items_per_second_q1": mpps.low * 1e6,
                "items_per_second_q3": mpps.high * 1e6,
                "rounds_repeated": result.disturbed,
            }
            if workers == 2:
                gain = result.gain(engine)
                entry |= {"ratio_to_one": gain.median, "ratio_q1": gain.low, "ratio_q3": gain.high}
                if engine == "sekisho":
                    entry["share_of_first_cpu"] = result.first_cpu
            found.append(entry)
    return found


def draw(file: Path, results: Sequence[Result], machine: Machine) -> None:
    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    bars = [
        (f"{result.way}\n{result.table}\n{engine}", result.gain(engine))
        for result in results
        for engine in result.engines
    ]
    low = [gain.median - gain.low for _, gain in bars]
    high = [gain.high - gain.median for _, gain in bars]
    axes.bar(range(len(bars)), [gain.median for _, gain in bars], yerr=(low, high), capsize=3, color="#4477aa")
    axes.axhline(2, color="#cc3311", linestyle="dashed")
    axes.set_xticks(range(len(bars)), [label for label, _ in bars], fontsize=7)
    axes.set_ylabel("packets a second of two workers, as a multiple of one's")
    figure.suptitle(machine.cpu, fontsize=8)
    figure.tight_layout()
    figure.savefig(file, dpi=120)
