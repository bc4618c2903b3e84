# SPDX-License-Identifier: BSD-3-Clause
"""Where a worker's time goes: samples of its thread, attributed to the stages of the pipeline.

Samples are of time (cpu-clock): a virtual machine may have no cycle counter. One is attributed by the innermost function that
is a stage, whatever was inlined into what; one in a driver's library by the driver.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from lab.process import run
from throughput.engine import BenchError

FREQUENCY, SECONDS = 4000, 1.5
PIPELINE = ("validate", "admit", "route", "resolve", "clamp", "fill", "rewrite", "transmit")
# Lookups and tallies are the same functions for several stages; what no stage encloses is the worker's loop.
STAGES = ("driver rx", *PIPELINE, "lookup", "tally", "driver tx", "other")
DRIVERS = {"librte_net_pcap": "driver rx", "librte_net_null": "driver tx"}
# Qualified or, where debug information has no linkage name for what was inlined, bare; with a template's arguments or without.
# The standard library has functions of the same names.
STAGE = re.compile(rf"(?:^|(?<!std)::)(?:(lookup|look_up)\w*|(tally|read_sixteens|{'|'.join(PIPELINE)}))(?:<.*>)?(?:\(|$)")
PARTS = {
    "read_sixteens": "validate",  # not inlined: made for another CPU than what calls it
    "look_up": "lookup",
}
# "    55d0c8a4f6b0 some::function(int)+0x1f (/usr/lib/x86_64-linux-gnu/librte_net_pcap.so.23.0)"
PLACE = re.compile(r"^\s*([0-9a-f]+) .*\(([^()]+)\)$")


def record(thread: int, file: Path) -> None:
    run(
        "perf", "record", "--quiet", "--event", "cpu-clock:u", "--freq", str(FREQUENCY), "--tid", str(thread),
        "--output", str(file), "--", "sleep", str(SECONDS),
    )  # fmt: skip


def _inlined(program: Path, addresses: list[str]) -> dict[str, list[str]]:
    """The functions at each address of the program, innermost first."""
    command = ("addr2line", "--exe", str(program), "--addresses", "--functions", "--inlines", "--demangle")
    chains: dict[str, list[str]] = {}
    chain: list[str] = []
    for line in run(*command, stdin="\n".join(addresses)).splitlines():
        if re.fullmatch(r"0x[0-9a-f]+", line):
            chain = chains.setdefault(f"{int(line, 16):x}", [])
        else:
            chain.append(line)
    return chains


def attribute(file: Path, program: Path) -> dict[str, float]:
    """The share of each stage."""
    text = run("perf", "script", "--input", str(file), "--fields", "ip,sym,symoff,dso", "--show-mmap-events")
    base, places = _samples(text, program)
    if not places:
        raise BenchError("perf took no samples of the worker")
    own = {ip: f"{int(ip, 16) - base:x}" for ip, dso in places if dso.endswith(f"/{program.name}")}
    chains = _inlined(program, sorted(set(own.values())))
    shares: Counter[str] = Counter()
    for (ip, dso), count in places.items():
        shares[_stage(dso, chains.get(own.get(ip, ""), []))] += count
    return {stage: shares[stage] / sum(shares.values()) for stage in STAGES}


def _samples(text: str, program: Path) -> tuple[int, Counter[tuple[str, str]]]:
    """Where the program was loaded, and how many samples were taken at each place."""
    base, places = 0, Counter[tuple[str, str]]()
    for line in text.splitlines():
        if "PERF_RECORD_MMAP" in line:
            # "... PERF_RECORD_MMAP2 12/12: [0x5581(0x1000) @ 0x2000 08:01 123 0]: r-xp /path/of/it"
            mapped = re.search(r"\[0x([0-9a-f]+)\(0x[0-9a-f]+\) @ (0x[0-9a-f]+|0) .*/([^/]+)$", line)
            if mapped and mapped.group(3) == program.name:
                base = int(mapped.group(1), 16) - int(mapped.group(2), 16)
        elif place := PLACE.match(line):
            places[place.group(1), place.group(2)] += 1
    return base, places


def _stage(dso: str, chain: list[str]) -> str:
    for library, stage in DRIVERS.items():
        if library in dso:
            return stage
    found = next((found[1] or found[2] for name in chain if (found := STAGE.search(name))), "other")
    return PARTS.get(found, found)
