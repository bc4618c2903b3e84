# SPDX-License-Identifier: BSD-3-Clause
"""Packets a second of one worker with the whole policy on, against dpdk-testpmd on the same devices.

The built dataplane is configured by the built control, in a network namespace of its own. net_pcap repeats a capture
without end and net_null takes what is sent. Three engines have windows in rotation on the last CPU; everything else has
the first. Each cell ends with the appliance's own account: a cell in which anything was dropped, or a firewall of a
group got no share, is an error and not a number.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.process import CommandError, WaitTimeout
from throughput import cell as cells
from throughput import machine as machines
from throughput import report
from throughput.cell import ENGINES, Cell
from throughput.chart import draw
from throughput.engine import BenchError
from throughput.inputs import Inputs
from throughput.options import bench_parser, parsed
from throughput.run import Result, measure_cell
from throughput.workspace import Workspace

ROUNDS, QUICK_ROUNDS = 21, 15


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = bench_parser(
        "throughput",
        __doc__,
        "the beginning of a benchmark's name, a regular expression",
        f"windows an engine (default: {ROUNDS})",
        "throughput.json and throughput.png",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--quick", action="store_true", help="nva and full, 4,096 flows, 64 bytes; under a minute")
    what.add_argument("--all", action="store_true", help="every table with all flows and sizes; about 20 minutes")
    return parsed(parser, words)


def profiled(cell: Cell) -> bool:
    """Each table once, and full's own destinations: what more flows or longer frames cost, the totals tell."""
    return cell.flows == 4096 and cell.size == "64" and (not cell.routed or cell.table == "full")


def require(build: Path) -> None:
    if os.geteuid() != 0:
        raise BenchError("network namespaces and reserved pages need root")
    if len(machines.CPUS) < 2:
        raise BenchError("two CPUs are needed: the worker's own, and one for everything else")
    for program in ("dataplane/sekisho-dataplane", "control/sekisho-control"):
        if not (build / program).exists():
            raise BenchError(f"{build / program} is missing: build it (scripts/bench does), or say --build")


def measure(options: argparse.Namespace, chosen: Sequence[Cell]) -> list[Result]:
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    machine = machines.look()
    print(report.header(machine), flush=True)
    results = []
    with Workspace() as workspace:
        inputs = Inputs(workspace.folder, options.build / "routes")
        for cell in chosen:
            profile = profiled(cell) or len(chosen) == 1
            results.append(measure_cell(workspace, inputs, options.build, cell, rounds, profile))
            print(report.line(results[-1], machine), flush=True)
    print(report.profile(results, machine))
    report.write_json(options.out / "throughput.json", results, machine)
    draw(options.out / "throughput.png", results, machine)
    print(f"\n{options.out / 'throughput.json'} and throughput.png written")
    return results


def main() -> int:
    options = parse()
    matrix = cells.QUICK if options.quick else cells.ALL if options.all else cells.DEFAULT
    try:
        chosen = cells.select(matrix, options.filter)
    except re.error as error:
        print(f"scripts/bench throughput: a filter is no regular expression: {error}", file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(cell.name(engine) for cell in chosen for engine in ENGINES))
        return 0
    if not chosen:
        print("scripts/bench throughput: no benchmark begins like that (--list names them)", file=sys.stderr)
        return 1
    try:
        require(options.build)
        os.sched_setaffinity(0, {machines.MAIN_CPU})
        os.setpriority(os.PRIO_PROCESS, 0, -20)  # what a busy machine does beside would only make it take longer
        measure(options, chosen)
    except (BenchError, CommandError, WaitTimeout) as error:
        print(f"scripts/bench throughput: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
