# SPDX-License-Identifier: BSD-3-Clause
"""CPU time a packet over veth, of all CPUs, with the same policy: Sekisho by AF_XDP, Linux's own forwarding (ip rules, nexthop
groups, nftables), and as upper mark forwarding in XDP by the kernel's table (bpf_fib_lookup), which filters nothing.

A generator in the kernel sends frames as a NIC's driver would bring them; a sink in XDP counts and drops. Both run on the first CPU and
are measured alone, too (`wire`). Loads: so many packets a second, and `most`, which each engine forwards losing at most
0.5 %. A worker that polls uses its CPU whatever comes: the low loads say how far it backs off. Each engine must first
forward everything, rewritten, to both firewalls.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from kernel import measure, report
from kernel.field import Field
from kernel.report import ENGINES, REFERENCE, WIRE, Result
from lab.process import CommandError, WaitTimeout
from throughput import machine as machines
from throughput.engine import BenchError
from throughput.inputs import Inputs
from throughput.options import bench_parser, parsed
from throughput.report import write_benchmarks
from throughput.workspace import Workspace

TABLES = ("nva", "tags", "full")
LOADS = {"1k": 1_000, "50k": 50_000, "200k": 200_000, "most": 0}
ROUNDS, QUICK_ROUNDS = 9, 3
SECONDS, QUICK_SECONDS = 1.0, 0.5
MOST_STEPS, STEP = 10, 0.9  # down from a rate that did not hold


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = bench_parser(
        "kernel",
        __doc__,
        "the beginning of TABLE/LOAD: nva/50k, full",
        f"windows an engine (default: {ROUNDS})",
        "kernel.json and kernel.png",
    )
    parser.add_argument("--quick", action="store_true", help="nva, fewer and shorter rounds; about a minute")
    parser.add_argument(
        "--shared", action="store_true",
        help="count the threads' own time, not all that is not idle: for a machine that computes for others. Leaves out what interrupts take "
        "from an idle CPU",
    )  # fmt: skip
    return parsed(parser, words)


def choose(options: argparse.Namespace) -> dict[str, list[str]]:
    """Loads by table."""
    tables = TABLES[:1] if options.quick and not options.filter else TABLES
    wanted = {
        table: [load for load in LOADS
                if not options.filter or f"{table}/{load}".startswith(tuple(options.filter))]
        for table in tables
    }  # fmt: skip
    return {table: loads for table, loads in wanted.items() if loads}


def require(build: Path) -> None:
    if os.geteuid() != 0:
        raise BenchError("network namespaces and XDP need root")
    if len(machines.CPUS) < 2:
        raise BenchError("two CPUs are needed: the worker's own, and one for everything else")
    for program in (
        "dataplane/sekisho-dataplane", "control/sekisho-control", "bench/kernel_traffic", "bench/traffic.bpf.o", "bench/fib.bpf.o"
    ):  # fmt: skip
        if not (build / program).exists():
            raise BenchError(f"{build / program} is missing: build it (scripts/bench does), or say --build")


def measure_table(field: Field, loads: Sequence[str], options: argparse.Namespace) -> Iterator[Result]:
    count = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    seconds = QUICK_SECONDS if options.quick else SECONDS

    def at(load: str, rates: dict[str, float]) -> Result:
        return Result(field.table, load, measure.rounds(field, rates, count, seconds, options.shared))

    for load in loads:
        if LOADS[load]:
            yield at(load, dict.fromkeys((*ENGINES, WIRE), float(LOADS[load])))
        else:
            yield measure_most(field, partial(at, load))


def measure_tables(chosen: dict[str, list[str]], options: argparse.Namespace) -> Iterator[Result]:
    with Workspace() as workspace:
        inputs = Inputs(workspace.folder, options.build / "routes")
        for table, loads in chosen.items():
            field = Field(workspace, inputs, options.build, table)
            yield from measure_table(field, loads, options)
            field.close()


def measure_most(field: Field, at: Callable[[dict[str, float]], Result]) -> Result:
    """A rate that held in the search's trials may not hold in the longer windows that are counted: it is lowered until it does."""
    rates = {engine.name: measure.most(field, engine) for engine in field.engines}
    if not all(rates.values()):
        raise BenchError(f"no rate without loss is found: {rates}")
    for _ in range(MOST_STEPS):
        result = at(rates | {WIRE: rates[REFERENCE]})
        too_high = [engine for engine in ENGINES if result.lost(engine) > measure.ALLOWED_LOSS]
        if not too_high:
            return result
        rates |= {engine: rates[engine] * STEP for engine in too_high}
    raise BenchError(f"after {MOST_STEPS} steps down, still more than {measure.ALLOWED_LOSS:.1%} is lost: {rates}")


def main(words: Sequence[str] | None = None) -> int:
    options = parse(words)
    chosen = choose(options)
    if options.list:
        print("\n".join(f"kernel/{table}/{load}" for table, loads in chosen.items() for load in loads))
        return 0
    if not chosen:
        print("scripts/bench kernel: nothing begins like that (--list names what there is)", file=sys.stderr)
        return 1
    try:
        require(options.build)
        os.sched_setaffinity(0, {machines.MAIN_CPU})
        machine = machines.look()
        print(report.header(machine), flush=True)
        results: list[Result] = []
        try:
            for result in measure_tables(chosen, options):
                print(report.lines(result), flush=True)
                results.append(result)
        finally:  # what was measured before an error, too
            if results:
                write_benchmarks(options.out / "kernel.json", "sekisho-dataplane", report.benchmarks(results), machine)
                report.draw(options.out / "kernel.png", results, machine)
                print(f"\n{options.out / 'kernel.json'} and kernel.png written")
    except (BenchError, CommandError, WaitTimeout) as error:
        print(f"scripts/bench kernel: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
