# SPDX-License-Identifier: BSD-3-Clause
"""Ratios to macswap with their quartiles and targets, and where a packet's cycles go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes

from throughput.machine import Machine
from throughput.report import cycles
from throughput.run import Result
from throughput.stages import STAGES
from throughput.targets import STRETCH, TARGETS


def _label(result: Result) -> str:
    return f"{result.cell.table}\n{result.cell.traffic}\n{result.cell.size}"


def _ratios(axes: Axes, results: Sequence[Result]) -> None:
    found = [result.ratio() for result in results]
    low = [ratio.median - ratio.low for ratio in found]
    high = [ratio.high - ratio.median for ratio in found]
    axes.bar(range(len(found)), [ratio.median for ratio in found], yerr=(low, high), capsize=3, color="#4477aa")
    for at, result in enumerate(results):
        if result.cell.size == "64":
            goals = [TARGETS[result.cell.table]]
            goals += [STRETCH[result.cell.table]] if result.cell.table in STRETCH else []
            axes.hlines(goals, at - 0.45, at + 0.45, colors=["#cc3311", "#ee9955"][: len(goals)])
    axes.set_xticks(range(len(found)), [_label(result) for result in results], fontsize=7)
    axes.set_ylabel("packets a second, as a part of testpmd macswap's")
    axes.set_title("One worker, whole policy, against testpmd macswap (lines: targets)")


def _cycles(axes: Axes, results: Sequence[Result], machine: Machine) -> None:
    profiled = [result for result in results if result.stages]
    places = range(len(profiled))
    bottom = [0.0] * len(profiled)
    colours = pyplot.get_cmap("tab20").colors[: len(STAGES)]
    for stage, colour in zip(STAGES, colours, strict=True):
        height = [result.stages[stage] * cycles(result, "sekisho", machine) for result in profiled]
        axes.bar(places, height, bottom=bottom, label=stage, color=colour)
        bottom = [below + more for below, more in zip(bottom, height, strict=True)]
    for at, result in enumerate(profiled):
        io, macswap = (cycles(result, engine, machine) for engine in ("testpmd-io", "testpmd-macswap"))
        axes.hlines([io, macswap], at - 0.45, at + 0.45, colors="black", linestyles=["dotted", "dashed"])
    axes.set_xticks(places, [_label(result) for result in profiled], fontsize=7)
    axes.set_ylabel("TSC cycles a packet")
    axes.set_title("By stage (dotted: io, dashed: macswap)")
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))


def draw(file: Path, results: Sequence[Result], machine: Machine) -> None:
    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(max(12, 0.6 * len(results) + 6), 5), gridspec_kw={"width_ratios": [2, 1]}
    )
    _ratios(left, results)
    _cycles(right, results, machine)
    figure.suptitle(machine.cpu, fontsize=8)
    figure.tight_layout()
    figure.savefig(file, dpi=120)
