# SPDX-License-Identifier: BSD-3-Clause
"""The table for people, and the same for programs: JSON in Google Benchmark's shape."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from throughput.cell import ENGINES
from throughput.machine import WORKER_CPU, Machine
from throughput.run import Result
from throughput.stages import STAGES
from throughput.targets import verdict

HEAD = (
    f"{'table/flows/size':<24} {'sekisho':>8} {'macswap':>8} {'io':>8}   {'x macswap':<20} {'cycles':>7} "
    f"{'macswap':>7} {'io':>5} {'above io':>8}   target"
)


def header(machine: Machine) -> str:
    return (
        f"{machine.cpu}, {machine.cpus} CPUs, worker on CPU {WORKER_CPU}; TSC {machine.tsc_mhz:.0f} MHz; virtual: "
        f"{machine.hypervisor}; governor: {machine.governor}; load {os.getloadavg()[0]:.1f}\n"
        "Mpps and TSC cycles a packet are medians; the ratio to macswap is a median of rounds, with its quartiles\n\n" + HEAD
    )


def cycles(result: Result, engine: str, machine: Machine) -> float:
    return machine.tsc_mhz / result.mpps(engine).median


def line(result: Result, machine: Machine) -> str:
    mpps = [result.mpps(engine).median for engine in ENGINES]
    spent = [cycles(result, engine, machine) for engine in ENGINES]
    ratio = result.ratio()
    notes = [verdict(result)]
    notes += [f"{result.disturbed} rounds repeated"] if result.disturbed else []
    notes += [] if result.hugepages else ["without hugepages"]
    cell = f"{result.cell.table}/{result.cell.traffic}/{result.cell.size}"
    return (
        f"{cell:<24} {mpps[0]:8.2f} {mpps[1]:8.2f} {mpps[2]:8.2f}   "
        f"{f'{ratio.median:.3f} ({ratio.low:.3f}-{ratio.high:.3f})':<20} {spent[0]:7.1f} {spent[1]:7.1f} "
        f"{spent[2]:5.1f} {spent[0] - spent[2]:8.1f}   {', '.join(note for note in notes if note)}"
    ).rstrip()


def _per_packet(result: Result, engine: str) -> dict[str, float]:
    events = result.events.get(engine, {})
    packets = result.mpps(engine).median * 1e6
    found = {f"{name}_per_packet": rate / packets for name, rate in events.items() if name != "cycles"}
    if {"instructions", "cycles"} <= events.keys():
        found["ipc"] = events["instructions"] / events["cycles"]
    return found


def profile(results: Sequence[Result], machine: Machine) -> str:
    """Stages as columns, so that tables can be compared; then what the hardware counted."""
    profiled = [result for result in results if result.stages]
    if not profiled:
        return ""
    lines = [
        "",
        "TSC cycles a packet by stage (samples of the worker's time)",
        f"{'table/flows/size':<24} " + " ".join(f"{stage:>9}" for stage in STAGES),
    ]
    for result in profiled:
        total = cycles(result, "sekisho", machine)
        cell = f"{result.cell.table}/{result.cell.traffic}/{result.cell.size}"
        lines.append(f"{cell:<24} " + " ".join(f"{result.stages[stage] * total:9.1f}" for stage in STAGES))
    lines.append("")
    for result in profiled:
        for engine in ENGINES:
            counted = ", ".join(f"{name} {value:.3f}" for name, value in _per_packet(result, engine).items())
            if counted:
                lines.append(f"{result.cell.name(engine):<44} {counted}")
    if not any(result.events.get("sekisho") for result in profiled):
        lines.append("IPC and cache misses: not counted, this machine offers no hardware counters (perf stat)")
    return "\n".join(lines)


def _benchmark(result: Result, engine: str, machine: Machine) -> dict[str, Any]:
    mpps = result.mpps(engine)
    name = result.cell.name(engine)
    entry: dict[str, Any] = {
        "name": name,
        "run_name": name,
        "run_type": "iteration",
        "repetitions": len(result.series[engine].windows),
        "threads": 1,
        "real_time": 1e3 / mpps.median,
        "cpu_time": 1e3 / mpps.median,
        "time_unit": "ns",
        "items_per_second": mpps.median * 1e6,
        "items_per_second_q1": mpps.low * 1e6,
        "items_per_second_q3": mpps.high * 1e6,
        "tsc_cycles_per_packet": cycles(result, engine, machine),
        "tsc_cycles_above_io": cycles(result, engine, machine) - cycles(result, "testpmd-io", machine),
        "hugepages": result.hugepages,
        "rounds_repeated": result.disturbed,
        **_per_packet(result, engine),
    }
    if engine == "sekisho":
        ratio = result.ratio()
        entry |= {"ratio_to_macswap": ratio.median, "ratio_q1": ratio.low, "ratio_q3": ratio.high}
        total = cycles(result, engine, machine)
        entry |= {f"cycles_{stage.replace(' ', '_')}": share * total for stage, share in result.stages.items()}
        if said := verdict(result):
            entry["verdict"] = said
    return entry


def write_json(file: Path, results: Sequence[Result], machine: Machine) -> None:
    benchmarks = [_benchmark(result, engine, machine) for result in results for engine in ENGINES]
    write_benchmarks(file, "sekisho-dataplane", benchmarks, machine)


def write_benchmarks(file: Path, program: str, benchmarks: Sequence[dict[str, Any]], machine: Machine) -> None:
    context = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "host_name": platform.node(),
        "executable": program,
        "num_cpus": machine.cpus,
        "mhz_per_cpu": round(machine.tsc_mhz),
        "cpu_scaling_enabled": machine.governor not in ("performance", "not the guest's to set"),
        "load_avg": list(os.getloadavg()),
        "cpu": machine.cpu,
        "governor": machine.governor,
        "hypervisor": machine.hypervisor,
        "hugepages_2mb": machine.hugepages_total,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"context": context, "benchmarks": list(benchmarks)}, indent=1) + "\n")
