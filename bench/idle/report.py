# SPDX-License-Identifier: BSD-3-Clause
"""CPU use and latency by rate: lines for people, Google Benchmark's shape for programs, and a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

from throughput.machine import WORKER_CPU, Machine
from throughput.measure import Quartiles, quartiles

ENGINES = ("sekisho", "testpmd-macswap")


@dataclass(frozen=True)
class Load:
    """One trial."""

    cpu: float  # share of its CPU that the worker took
    latency_us: dict[str, float]  # p50, p99, p99.9, max; none at rate 0
    offered: int
    received: int


@dataclass(frozen=True)
class Result:
    engine: str
    rate: int  # packets a second
    loads: Sequence[Load]

    @property
    def cpu(self) -> Quartiles:
        return quartiles([load.cpu for load in self.loads])

    def latency(self, percentile: str) -> Quartiles | None:
        """Of trials in which something came back."""
        found = [load.latency_us[percentile] for load in self.loads if load.received]
        return quartiles(found) if found else None

    @property
    def lost(self) -> int:
        return sum(load.offered - load.received for load in self.loads)


def name(engine: str, rate: int) -> str:
    return f"idle/{engine}/{rate}"


def header(machine: Machine) -> str:
    return (
        f"{machine.cpu}, {machine.cpus} CPUs, worker on CPU {WORKER_CPU}; TSC {machine.tsc_mhz:.0f} MHz; virtual: "
        f"{machine.hypervisor}; governor: {machine.governor}\n"
        "medians of trials with quartiles: the worker's share of its CPU, and microseconds from memif to memif\n\n"
        f"{'engine/packets a second':<30} {'CPU %':>20} {'p50':>24} {'p99':>24} {'max':>24}"
    )


def _text(found: Quartiles | None, scale: float = 1.0) -> str:
    return "-" if found is None else f"{found.median * scale:.1f} ({found.low * scale:.1f}-{found.high * scale:.1f})"


def line(result: Result) -> str:
    latencies = " ".join(f"{_text(result.latency(key)):>24}" for key in ("p50", "p99", "max"))
    lost = f"   {result.lost} lost" if result.lost else ""
    return f"{f'{result.engine}/{result.rate}':<30} {_text(result.cpu, 100):>20} {latencies}{lost}"


def benchmark(result: Result) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": name(result.engine, result.rate),
        "run_name": name(result.engine, result.rate),
        "run_type": "iteration",
        "repetitions": len(result.loads),
        "time_unit": "us",
        "cpu_share": result.cpu.median,
        "cpu_share_q1": result.cpu.low,
        "cpu_share_q3": result.cpu.high,
        "lost": result.lost,
    }
    for key in ("p50", "p99", "max"):
        if found := result.latency(key):
            entry |= {f"{key}_us": found.median, f"{key}_us_q1": found.low, f"{key}_us_q3": found.high}
    # What is compared: how soon a packet is through or, where none comes, the CPU that it takes to wait.
    p50 = result.latency("p50") if result.rate else None
    scale = 1.0 if p50 else 1e6
    compared = p50 or result.cpu
    entry["real_time"] = entry["cpu_time"] = compared.median * scale
    entry |= {"first_quartile": compared.low * scale, "third_quartile": compared.high * scale}
    return entry


def draw(file: Path, results: Sequence[Result], machine: Machine) -> None:
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.5))
    for engine, colour in zip(ENGINES, ("#4477aa", "#cc3311"), strict=True):
        mine = [result for result in results if result.engine == engine]
        # A logarithmic axis has no zero.
        places = [max(result.rate, 0.1) for result in mine]
        left.plot(places, [100 * result.cpu.median for result in mine], "o-", color=colour, label=engine)
        for key, style in (("p50", "o-"), ("p99", "o:")):
            told = [(result.rate, found.median) for result in mine if (found := result.latency(key))]
            right.plot(
                [rate for rate, _ in told], [value for _, value in told], style, color=colour, label=f"{engine} {key}"
            )
    left.set_xscale("log")
    left.set_ylabel("% of the worker's CPU")
    left.set_xlabel("packets a second (0.1: none)")
    left.legend()
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_ylabel("microseconds, memif to memif")
    right.set_xlabel("packets a second")
    right.legend(fontsize=8)
    figure.suptitle(machine.cpu, fontsize=8)
    figure.tight_layout()
    figure.savefig(file, dpi=120)
