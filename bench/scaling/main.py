# SPDX-License-Identifier: BSD-3-Clause
"""Packets a second of two workers on two CPUs, against one worker on the last CPU with the same receive queues.

By queues: one port with two of them, as a NIC spreads flows by RSS. By ports: two ports with one each. What testpmd's macswap gains from a second CPU is what the machine gives.
The first CPU is not its worker's alone: the writer, the host thread, control and this program run there, and have precedence. They sleep while a window is open.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from lab.process import CommandError, WaitTimeout
from scaling import report
from scaling.report import Result
from throughput import configuration, measure, priority, traffic
from throughput import machine as machines
from throughput.cell import Cell
from throughput.engine import BenchError, Engine
from throughput.forwarding import check
from throughput.inputs import Inputs
from throughput.options import bench_parser, parsed
from throughput.main import require
from throughput.report import write_benchmarks
from throughput.run import BUFFER, IN_FLIGHT, TABLES_MB
from throughput.sekisho import Sekisho
from throughput.testpmd import Mode, Testpmd
from throughput.workspace import Workspace

ROUNDS, QUICK_ROUNDS = 21, 9
FLOWS = 4096
WAYS = {"queues": report.ENGINES, "ports": ("sekisho",)}
TABLES = ("nva", "full")
CREWS = {1: (machines.WORKER_CPU,), 2: (machines.WORKER_CPU, machines.MAIN_CPU)}
SHARE_SECONDS = 0.3
SECOND_STATION = traffic.STATION[:-1] + b"\x01"
# Nothing is sent there, but each worker needs a queue to do so, and a net_pcap has as many as it is given files.
TWO_TO_TRANSMIT = ",tx_pcap=/dev/null" * 2


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = bench_parser(
        "scaling",
        __doc__,
        "the beginning of a benchmark's name, a regular expression",
        f"windows an engine (default: {ROUNDS})",
        "scaling.json and scaling.png",
    )
    parser.add_argument("--quick", action="store_true", help="nva alone, fewer rounds; under a minute")
    return parsed(parser, words)


def select(tables: Sequence[str], filters: Sequence[str]) -> list[tuple[str, str]]:
    """Ways and tables of which some crew's name begins like one of the filters: crews are measured together."""
    found = []
    for way, engines in WAYS.items():
        for table in tables:
            names = [report.name(engine, way, table, workers) for engine in engines for workers in CREWS]
            if not filters or any(re.match(text, one) for text in filters for one in names):
                found.append((way, table))
    return found


def _config(workspace: Workspace, inputs: Inputs, way: str, cell: Cell) -> Path:
    """Two receive queues, whoever polls them."""
    capture = inputs.capture(cell)
    lan, egress = configuration.repeating(capture)
    routes = inputs.routes(cell.table)
    if way == "queues":
        text = configuration.text(cell.table, (_two_queues(lan, capture), egress), routes)
    else:
        text = configuration.text(cell.table, (lan + TWO_TO_TRANSMIT, egress), routes)
        text = _with_second_port(text, _second_lan(workspace, capture))
    file = workspace.folder / "sekisho.toml"
    file.write_text(text)
    return file


def _second_lan(workspace: Workspace, capture: Path) -> str:
    """Its frames are for the MAC address of a process's second net_pcap."""
    other = workspace.folder / "second.pcap"
    other.write_bytes(capture.read_bytes().replace(traffic.STATION, SECOND_STATION))
    device, _ = configuration.repeating(other)
    return device.replace("net_pcap0", "net_pcap1") + TWO_TO_TRANSMIT


def _with_second_port(text: str, device: str) -> str:
    return text.replace("[port.egress]", f'[port.lan2]\ndevice = "{device}"\n[port.egress]').replace(
        'port = ["lan"]', 'port = ["lan", "lan2"]'
    )


def _two_queues(device: str, capture: Path) -> str:
    return device.replace(f"rx_pcap={capture}", f"rx_pcap={capture},rx_pcap={capture}")


def _share_of_first_cpu(engine: Engine, thread: int) -> float:
    def ran() -> int:
        return int(Path(f"/proc/{thread}/schedstat").read_text().split()[0])

    engine.resume()
    try:
        time.sleep(measure.WARM_UP)
        before, began = ran(), time.perf_counter()
        time.sleep(SHARE_SECONDS)
        return (ran() - before) / 1e9 / (time.perf_counter() - began)
    finally:
        engine.pause()


def measure_cell(build: Path, way: str, cell: Cell, rounds: int) -> Result:
    buffers = 2 * cell.flows + 2 * IN_FLIGHT
    memory = max(64, buffers * BUFFER // (1 << 20) * 4 // 3)
    huge = machines.free_hugepage_mb() >= 4 * memory + 2 * TABLES_MB
    with ExitStack() as stack:
        engines: list[Engine] = []
        processes: list[int] = []
        waiting: list[int] = []
        crews: dict[int, Sekisho] = {}
        for workers, cpus in CREWS.items():
            workspace = stack.enter_context(Workspace(f"w{workers}"))
            inputs = Inputs(workspace.folder, build / "routes")
            sekisho = Sekisho(workspace, build, _config(workspace, inputs, way, cell), memory, huge, workers=cpus)
            sekisho.name = report.crew("sekisho", workers)
            sekisho.pause()
            crews[workers] = sekisho
            engines.append(sekisho)
            processes += sekisho.processes
            if "testpmd-macswap" in WAYS[way]:
                capture = inputs.capture(cell)
                lan, egress = configuration.repeating(capture)
                devices = (_two_queues(lan, capture), egress)
                testpmd = Testpmd(workspace, devices, memory, buffers, huge, workers=cpus, queues=2)
                processes.append(testpmd.process)
                waiting.append(testpmd.process)  # its main thread
                mode = Mode(testpmd, "macswap")
                mode.name = report.crew("testpmd-macswap", workers)
                engines.append(mode)
        with priority.sharing(processes, waiting):
            series, disturbed = measure.rounds(engines, rounds)
            (first,) = set(crews[2].threads) - {crews[2].thread}
            share = _share_of_first_cpu(crews[2], first)
        for sekisho in crews.values():
            sekisho.resume()
            check(sekisho, cell)
            sekisho.pause()
        return Result(way, cell.table, WAYS[way], series, disturbed, share)


def main() -> int:
    options = parse()
    try:
        chosen = select(TABLES[:1] if options.quick else TABLES, options.filter)
    except re.error as error:
        print(f"scripts/bench scaling: a filter is no regular expression: {error}", file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(
            report.name(engine, way, table, workers)
            for way, table in chosen for engine in WAYS[way] for workers in CREWS
        ))  # fmt: skip
        return 0
    if not chosen:
        print("scripts/bench scaling: no benchmark begins like that (--list names them)", file=sys.stderr)
        return 1
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    try:
        require(options.build)
        os.sched_setaffinity(0, {machines.MAIN_CPU})
        os.setpriority(os.PRIO_PROCESS, 0, -20)
        machine = machines.look()
        print(report.header(machine), flush=True)
        results = []
        for way, table in chosen:
            results.append(measure_cell(options.build, way, Cell(table, FLOWS, False, "64"), rounds))
            print(report.lines(results[-1]), flush=True)
        file = options.out / "scaling.json"
        write_benchmarks(
            file, "sekisho-dataplane", [entry for result in results for entry in report.benchmarks(result)], machine
        )
        report.draw(options.out / "scaling.png", results, machine)
        print(f"\n{file} and scaling.png written")
    except (BenchError, CommandError, WaitTimeout) as error:
        print(f"scripts/bench scaling: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
