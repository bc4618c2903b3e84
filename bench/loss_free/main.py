# SPDX-License-Identifier: BSD-3-Clause
"""The highest rate that one worker forwards without losing a packet, and latency below it, against dpdk-testpmd.

Two processes over memif: a generator on the first CPU stamps and counts, the engine has the last one. Engines take turns,
a trial each; a trial in which either was kept off its CPU is made again. The product forwards with its whole policy.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.process import CommandError, WaitTimeout
from loss_free import report
from loss_free.engines import Field
from loss_free.generator import Generator
from loss_free.report import Result
from loss_free.rounds import Bench
from loss_free.search import PHASES, QUICK_PHASES
from throughput import machine as machines
from throughput import priority, traffic
from throughput.cell import Cell
from throughput.engine import BenchError
from throughput.inputs import Inputs
from throughput.options import bench_parser, parsed
from throughput.report import write_benchmarks
from throughput.workspace import Workspace

SIZES = ("64", "512", "1514", "imix")
TABLES = ("nva", "full")
FLOWS = 4096
ROUNDS, QUICK_ROUNDS = 5, 3
HUGEPAGES_MB = 640  # of the generator, the engines and the product's tables
# More than anything forwards through memif's copies.
MAXIMUM = 30e6


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = bench_parser(
        "loss-free",
        __doc__,
        "the beginning of TABLE/SIZE: nva/64, full",
        f"searches an engine (default: {ROUNDS})",
        "loss-free.json",
    )
    parser.add_argument("--quick", action="store_true", help="nva, 64 bytes, fewer rounds; about a minute")
    parser.add_argument(
        "--engine", action="append", default=[], metavar="NAME=COMMAND",
        help="another engine beside them: {lan} and {egress} in its command are the devices that it opens as DPDK names them, "
        "{socket} their socket (memif's server, ids 0 and 1), {cpu} its CPU",
    )  # fmt: skip
    options = parsed(parser, words)
    for engine in options.engine:
        name, equals, command = engine.partition("=")
        if not (name.isidentifier() and equals and command):
            parser.error(f"--engine {engine}: NAME=COMMAND is wanted")
    return options


def choose(options: argparse.Namespace) -> list[Cell]:
    cells = [Cell(table, FLOWS, False, size) for table in TABLES for size in SIZES]
    if options.quick and not options.filter:
        return cells[:1]
    return [
        cell for cell in cells
        if not options.filter or any(f"{cell.table}/{cell.size}".startswith(word) for word in options.filter)
    ]  # fmt: skip


def require(build: Path) -> None:
    if os.geteuid() != 0:
        raise BenchError("network namespaces and reserved pages need root")
    if len(machines.CPUS) < 2:
        raise BenchError("two CPUs are needed: the worker's own, and one for everything else")
    for program in ("dataplane/sekisho-dataplane", "control/sekisho-control", "bench/loss_free_generator"):
        if not (build / program).exists():
            raise BenchError(f"{build / program} is missing: build it (scripts/bench does), or say --build")
    if machines.free_hugepage_mb() < HUGEPAGES_MB:
        raise BenchError(
            f"{HUGEPAGES_MB} MB of free 2 MB pages are needed: sysctl vm.nr_hugepages={HUGEPAGES_MB // 2} or more"
        )


def measure_cell(workspace: Workspace, inputs: Inputs, options: argparse.Namespace, cell: Cell) -> Result:
    capture = workspace.folder / f"stamped-{cell.size}.pcap"
    traffic.write(capture, cell, None, stamped=True)
    field = Field(workspace, inputs, options.build, cell, options.engine)
    field.connect()
    generator = Generator(workspace, options.build, capture, field.sockets)
    field.connected()
    bench = Bench(generator, field.entrants, MAXIMUM)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    with priority.measuring([*field.processes, generator.pid]):
        found = [bench.round(QUICK_PHASES if options.quick else PHASES) for _ in range(rounds)]
    field.sekisho.resume()
    field.check()
    workspace.end_all()
    return Result(cell.table, cell.size, found, bench.disturbed)


def main() -> int:
    options = parse()
    cells = choose(options)
    if options.list:
        print("\n".join(f"{cell.table}/{cell.size}" for cell in cells))
        return 0
    if not cells:
        print("scripts/bench loss-free: nothing begins like that (--list names what there is)", file=sys.stderr)
        return 1
    try:
        require(options.build)
        os.sched_setaffinity(0, {machines.MAIN_CPU})
        machine = machines.look()
        print(report.header(machine), flush=True)
        results = []
        with Workspace() as workspace:
            inputs = Inputs(workspace.folder, options.build / "routes")
            for cell in cells:
                results.append(measure_cell(workspace, inputs, options, cell))
                print(report.lines(results[-1]), flush=True)
        file = options.out / "loss-free.json"
        write_benchmarks(file, "sekisho-dataplane", report.benchmarks(results), machine)
        print(f"\n{file} written")
    except (BenchError, CommandError, WaitTimeout) as error:
        print(f"scripts/bench loss-free: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
