# SPDX-License-Identifier: BSD-3-Clause
"""The table for people, the same for programs, and a chart."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernel.measure import Window
from throughput.machine import Machine
from throughput.measure import Quartiles, quartiles

ENGINES = ("sekisho", "linux", "xdp-fib")
REFERENCE, WIRE = "linux", "wire"


@dataclass(frozen=True)
class Result:
    table: str
    load: str
    windows: dict[str, list[Window]]

    def name(self, engine: str) -> str:
        return f"kernel/{engine}/{self.table}/{self.load}"

    def per_packet(self, engine: str) -> Quartiles:
        """Microseconds of all CPUs, with the sender's and the sink's."""
        return quartiles([window.per_packet for window in self.windows[engine]])

    def own(self, engine: str) -> float:
        """What is left without the wire's."""
        return statistics.median(self._own(engine))

    def _own(self, engine: str) -> list[float]:
        pairs = zip(self.windows[engine], self.windows[WIRE], strict=True)
        return [mine.per_packet - wire.per_packet for mine, wire in pairs]

    def ratio(self, engine: str) -> Quartiles:
        """Packets a CPU second, as a part of the kernel's in the same round: more is better."""
        pairs = zip(self.windows[engine], self.windows[REFERENCE], strict=True)
        return quartiles([theirs.per_packet / mine.per_packet for mine, theirs in pairs])

    def own_ratio(self, engine: str) -> float | None:
        """None: the clock is too coarse to tell."""
        return self.own(REFERENCE) / self.own(engine) if self.own(engine) > 0 else None

    def rate(self, engine: str) -> Quartiles:
        return quartiles([window.received / window.seconds for window in self.windows[engine]])

    def lost(self, engine: str) -> float:
        return statistics.median(window.lost for window in self.windows[engine])

    def busy(self, engine: str) -> float:
        """CPUs."""
        return statistics.median(window.busy / window.seconds for window in self.windows[engine])


def header(machine: Machine) -> str:
    return (
        f"{machine.cpu}, {machine.cpus} CPUs; virtual: {machine.hypervisor}\n"
        "60-byte frames over veth. CPU: of all CPUs, with the sender's and the sink's; own: without theirs, as `wire` says them.\n"
        "x linux: packets a CPU second, median of rounds with quartiles; own x: the same without sender and sink\n\n"
        f"{'table/load/engine':<24} {'packets/s':>10} {'lost':>8} {'CPUs':>6} {'us CPU':>8} {'own us':>7}  "
        f"{'x linux':<22} {'own x':>6}"
    )


def lines(result: Result) -> str:
    found = []
    for engine in (*ENGINES, WIRE):
        start = (
            f"{f'{result.table}/{result.load}/{engine}':<24} {result.rate(engine).median:>10,.0f} {result.lost(engine):>8.2%} "
            f"{result.busy(engine):6.2f} {result.per_packet(engine).median:8.2f}"
        )
        if engine == WIRE:
            found.append(start)
            continue
        ratio = result.ratio(engine)
        said = f"{ratio.median:.3f} ({ratio.low:.3f}-{ratio.high:.3f})"
        found.append(f"{start} {result.own(engine):7.2f}  {said:<22} {result.own_ratio(engine) or float('nan'):6.2f}")
    return "\n".join(found)


def benchmarks(results: Sequence[Result]) -> list[dict[str, Any]]:
    found = []
    for result in results:
        for engine in (*ENGINES, WIRE):
            per_packet, rate = result.per_packet(engine), result.rate(engine)
            entry: dict[str, Any] = {
                "name": result.name(engine),
                "run_name": result.name(engine),
                "run_type": "iteration",
                "repetitions": len(result.windows[engine]),
                "threads": 1,
                "real_time": 1e3 * per_packet.median,
                "cpu_time": 1e3 * per_packet.median,
                "time_unit": "ns",
                "first_quartile": 1e3 * per_packet.low,
                "third_quartile": 1e3 * per_packet.high,
                "packets_per_second": rate.median,
                "lost": result.lost(engine),
                "cpus_busy": result.busy(engine),
            }
            if engine != WIRE:
                ratio = result.ratio(engine)
                entry |= {
                    "own_us": result.own(engine), "own_ratio": result.own_ratio(engine),
                    "ratio_to_linux": ratio.median, "ratio_q1": ratio.low, "ratio_q3": ratio.high,
                }  # fmt: skip
            found.append(entry)
    return found


def draw(file: Path, results: Sequence[Result], machine: Machine) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(max(7, 1.4 * len(results) + 3), 4.5))
    width = 0.8 / len(ENGINES)
    for number, engine in enumerate(ENGINES):
        found = [result.ratio(engine) for result in results]
        middles = [ratio.median for ratio in found]
        errors = ([ratio.median - ratio.low for ratio in found], [ratio.high - ratio.median for ratio in found])
        places = [at + (number - 1) * width for at in range(len(results))]
        axes.bar(places, middles, width, yerr=errors, capsize=3, label=engine)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks(range(len(results)), [f"{result.table}\n{result.load}" for result in results])
    axes.set_ylabel("packets a second of CPU time, as a part of Linux's")
    axes.set_title("The same policy over veth (CPU time of all CPUs, with the sender's)")
    axes.legend()
    figure.suptitle(machine.cpu, fontsize=8)
    figure.tight_layout()
    figure.savefig(file, dpi=120)
