# SPDX-License-Identifier: BSD-3-Clause
"""The table for people, and the same for programs: JSON in Google Benchmark's shape."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loss_free.rounds import LOADS, Score
from throughput.machine import WORKER_CPU, Machine
from throughput.measure import Quartiles, quartiles

REFERENCE = "testpmd-macswap"
PERCENTILES = ("p50", "p99", "p99.9")


@dataclass(frozen=True)
class Result:
    table: str
    size: str
    rounds: list[dict[str, Score]]
    disturbed: int

    def name(self, engine: str) -> str:
        return f"loss-free/{engine}/{self.table}/{self.size}"

    @property
    def engines(self) -> list[str]:
        return list(self.rounds[0])

    def ndr(self, engine: str) -> Quartiles:
        return quartiles([scores[engine].ndr for scores in self.rounds])

    def pdr(self, engine: str) -> Quartiles:
        return quartiles([scores[engine].pdr for scores in self.rounds])

    def ratio(self, engine: str) -> Quartiles | None:
        """Of loss-free rates, each of one round."""
        pairs = [(scores[engine].ndr, scores[REFERENCE].ndr) for scores in self.rounds]
        return quartiles([mine / theirs for mine, theirs in pairs]) if all(theirs for _, theirs in pairs) else None

    def limited(self, engine: str) -> bool:
        return any(scores[engine].limited for scores in self.rounds)

    def latency(self, engine: str, load: float) -> dict[str, float]:
        found = [scores[engine].latency_us[load] for scores in self.rounds if load in scores[engine].latency_us]
        return {key: statistics.median(one[key] for one in found) for key in (*PERCENTILES, "max")} if found else {}


def header(machine: Machine) -> str:
    loads = " ".join(f"{f'us at {load:.0%}':>20}" for load in LOADS)
    return (
        f"{machine.cpu}, {machine.cpus} CPUs, worker on CPU {WORKER_CPU}; TSC {machine.tsc_mhz:.0f} MHz; virtual: "
        f"{machine.hypervisor}\n"
        "Mpps without loss (NDR) and with 0.5 % (PDR); x macswap is the median ratio of rounds, with its quartiles;\n"
        f"latency: {' / '.join(PERCENTILES)} in microseconds at shares of the loss-free rate\n\n"
        f"{'engine/table/size':<28} {'NDR':>7} {'PDR':>7}  {'x macswap':<20} {loads}"
    )


def lines(result: Result) -> str:
    found = []
    for engine in result.engines:
        ratio = result.ratio(engine)
        said = f"{ratio.median:.3f} ({ratio.low:.3f}-{ratio.high:.3f})" if ratio else "-"
        latencies = [result.latency(engine, load) for load in LOADS]
        times = " ".join(
            f"{' / '.join(f'{times[key]:.0f}' for key in PERCENTILES) if times else '-':>20}" for times in latencies
        )
        label = f"{engine}/{result.table}/{result.size}"
        ndr, pdr = result.ndr(engine).median / 1e6, result.pdr(engine).median / 1e6
        note = "  limited by the generator" if result.limited(engine) else ""
        found.append(f"{label:<28} {ndr:7.2f} {pdr:7.2f}  {said:<20} {times}{note}")
    if result.disturbed:
        found.append(f"{'':<28} {result.disturbed} trials repeated")
    return "\n".join(found)


def benchmarks(results: Sequence[Result]) -> list[dict[str, Any]]:
    found = []
    for result in results:
        for engine in result.engines:
            ndr, pdr, ratio = result.ndr(engine), result.pdr(engine), result.ratio(engine)
            entry: dict[str, Any] = {
                "name": result.name(engine),
                "run_name": result.name(engine),
                "run_type": "iteration",
                "repetitions": len(result.rounds),
                "threads": 1,
                "real_time": 1e9 / ndr.median if ndr.median else 0.0,
                "time_unit": "ns",
                "items_per_second": ndr.median,
                "items_per_second_q1": ndr.low,
                "items_per_second_q3": ndr.high,
                "limited_by_generator": result.limited(engine),
                "pdr_per_second": pdr.median,
                "trials_repeated": result.disturbed,
                "latency_us": {f"{load:.0%}": result.latency(engine, load) for load in LOADS},
            }
            if ratio:
                entry |= {"ratio_to_macswap": ratio.median, "ratio_q1": ratio.low, "ratio_q3": ratio.high}
            found.append(entry)
    return found
