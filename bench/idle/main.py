# SPDX-License-Identifier: BSD-3-Clause
"""CPU that a worker takes at low rates, and the latency of a packet that finds it asleep, against dpdk-testpmd, which polls always.

Packets come evenly, so that at 1, 100 and 1,000 a second each one comes after a second, 10 ms and 1 ms of idleness: the
rate's latency is that of waking up. A generator on the first CPU stamps and counts, by memif; the engine has the last one.
What a small burst costs, `scripts/bench stages/60/2` tells.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from idle import report
from idle.report import Load, Result
from lab.process import CommandError, WaitTimeout
from loss_free.engines import Entrant, Field
from loss_free.generator import Generator
from loss_free.main import require
from loss_free.search import Attempt
from throughput import machine as machines
from throughput import priority, traffic
from throughput.cell import Cell
from throughput.engine import BenchError, Engine
from throughput.inputs import Inputs
from throughput.options import bench_parser, parsed
from throughput.report import write_benchmarks
from throughput.workspace import Workspace

CELL = Cell("nva", 4096, False, "64")
ROUNDS, QUICK_ROUNDS = 7, 3
RATES = (0, 1, 100, 1_000, 10_000, 100_000, 1_000_000)
SECONDS, QUICK_SECONDS = 1.0, 0.5
SLOWEST_SECONDS = 4.0  # at a packet a second
SETTLE = 0.05  # after it was stopped: an idle worker's sleeps have their full length


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = bench_parser(
        "idle",
        __doc__,
        "the beginning of a benchmark's name, a regular expression",
        f"trials an engine and rate (default: {ROUNDS})",
        "idle.json and idle.png",
    )
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds; under a minute")
    return parsed(parser, words)


def select(filters: Sequence[str]) -> list[int]:
    """Rates of which some engine's name begins like one of the filters: no engine is measured without the other."""
    names = {rate: [report.name(engine, rate) for engine in report.ENGINES] for rate in RATES}
    return [
        rate
        for rate, all_names in names.items()
        if not filters or any(re.match(text, one) for text in filters for one in all_names)
    ]


def _ran(engine: Engine) -> int:
    """Nanoseconds of CPU so far."""
    return int(Path(f"/proc/{engine.thread}/schedstat").read_text().split()[0])


def trial(generator: Generator, entrant: Entrant, rate: int, seconds: float) -> Load:
    engine = entrant.engine
    engine.resume()
    try:
        time.sleep(SETTLE)
        ran, began = _ran(engine), time.perf_counter()
        if rate == 0:
            time.sleep(seconds)
            answer = None
        else:
            answer = generator.run(entrant.socket, Attempt(rate, seconds))
        cpu = (_ran(engine) - ran) / 1e9 / (time.perf_counter() - began)
    finally:
        engine.pause()
    if answer is None:
        return Load(cpu, {}, 0, 0)
    return Load(cpu, answer.latency_us, answer.trial.offered, answer.trial.received)


def measure(options: argparse.Namespace, rates: Sequence[int]) -> list[Result]:
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    seconds = QUICK_SECONDS if options.quick else SECONDS
    loads: dict[tuple[str, int], list[Load]] = {}
    with Workspace() as workspace:
        inputs = Inputs(workspace.folder, options.build / "routes")
        capture = workspace.folder / "stamped.pcap"
        traffic.write(capture, CELL, None, stamped=True)
        field = Field(workspace, inputs, options.build, CELL, [])
        field.connect()
        generator = Generator(workspace, options.build, capture, field.sockets)
        field.connected()
        entrants = [entrant for entrant in field.entrants if entrant.engine.name in report.ENGINES]
        with priority.measuring([*field.processes, generator.pid]):
            for _ in range(rounds):
                for rate in rates:
                    for entrant in entrants:
                        load = trial(generator, entrant, rate, SLOWEST_SECONDS if rate == 1 else seconds)
                        loads.setdefault((entrant.engine.name, rate), []).append(load)
        field.sekisho.resume()
        field.check()
    for (engine, rate), found in loads.items():
        if rate and not any(load.received for load in found):
            raise BenchError(f"{engine} forwarded nothing at {rate} packets a second")
    return [Result(engine, rate, loads[engine, rate]) for rate in rates for engine in report.ENGINES]


def main() -> int:
    options = parse()
    try:
        rates = select(options.filter)
    except re.error as error:
        print(f"scripts/bench idle: a filter is no regular expression: {error}", file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(report.name(engine, rate) for rate in rates for engine in report.ENGINES))
        return 0
    if not rates:
        print("scripts/bench idle: no benchmark begins like that (--list names them)", file=sys.stderr)
        return 1
    try:
        require(options.build)
        os.sched_setaffinity(0, {machines.MAIN_CPU})
        machine = machines.look()
        print(report.header(machine), flush=True)
        results = measure(options, rates)
        for result in results:
            print(report.line(result))
        file = options.out / "idle.json"
        write_benchmarks(file, "sekisho-dataplane", [report.benchmark(result) for result in results], machine)
        report.draw(options.out / "idle.png", results, machine)
        print(f"\n{file} and idle.png written")
    except (BenchError, CommandError, WaitTimeout) as error:
        print(f"scripts/bench idle: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
