# SPDX-License-Identifier: BSD-3-Clause
"""Packets lost, and the longest silence, of a numbered stream through the whole appliance while something changes.

  table           all 901,899 routes of a tier-1 table get another next hop, twice
  overrides       10,000 overrides a second are replaced, in batches, over a table of a few routes
  overrides-full  the same over the tier-1 table
  control         SIGKILLed, and started again a second later
  ports           a reload adds a port, another removes it
  firewall        one of two dies and comes back; the stream goes by the other

Over AF_XDP ports, and over ports that DPDK owns (net_af_packet on the same veth pairs, with TAP companions). Columns: packets
lost (median and most of the rounds), those that a port's socket had no room for because its worker was not given a CPU, and
the longest silence in milliseconds, with the sender's own: sender, worker and receiver share two CPUs, and an undisturbed
stream of the same run says what that alone costs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import reconf  # noqa: F401, where the lab is found
from lab import config
from lab.appliance import ROOT, Appliance
from lab.stream import Stream, StreamResult
from lab.topology import FIREWALL, FIREWALL2, STREAM, Lab
from reconf.changes import CHANGES, full_table
from restart.main import companions_edits, take_from_kernel
from throughput import machine as machines
from throughput.report import write_benchmarks

RATE = 20_000
ROUNDS, QUICK_ROUNDS = 5, 1
WAYS = ("af_xdp", "companions")
UNDISTURBED = "nothing"
FULL = ("table", "overrides-full")  # with the tier-1 table


def nothing(appliance: Appliance, stream: Stream) -> str:
    stream.wait_more(2 * RATE)
    return "undisturbed"


def configure(lab: Lab, way: str) -> Path:
    two = (f'members = ["{FIREWALL}"]', f'members = ["{FIREWALL}", "{FIREWALL2}"]')
    if way == "af_xdp":
        return config.adapted(lab, two)
    take_from_kernel(lab)
    return config.adapted(lab, two, *companions_edits())


@dataclass(frozen=True)
class Play:
    result: StreamResult
    no_room: int  # packets that a port's socket did not take, since nobody emptied it in time
    said: str


def play(appliance: Appliance, act: Callable[[Appliance, Stream], str]) -> Play:
    before = appliance.no_room()
    with Stream(appliance.lab, STREAM, rate=RATE, seconds=120) as stream:
        stream.wait_received(RATE // 2)
        said = act(appliance, stream)
        stream.wait_more(RATE // 2)
        stream.stop()
        result = stream.finish()
    return Play(result, appliance.no_room() - before, said)


def measure(way: str, names: Sequence[str], rounds: int) -> list[dict[str, object]]:
    found = []
    with Lab() as lab:
        lab.use_manuals_neighbour_timers()
        appliance = Appliance(lab, configure(lab, way))
        appliance.start()
        for name in names:
            if name in FULL:
                config.overrides(appliance.config, full_table("firewall"))
                appliance.reload()
            act = CHANGES.get(name, nothing)
            plays = [play(appliance, act) for _ in range(rounds)]
            if name in FULL:
                config.overrides(appliance.config, [])
                appliance.reload(force=True)
            found.append(report(f"reconf/{way}/{name}", plays))
    return found


def report(name: str, plays: Sequence[Play]) -> dict[str, object]:
    results = [one.result for one in plays]
    lost = [result.lost for result in results]
    no_room = [one.no_room for one in plays]
    silences = [result.gap_us / 1000 for result in results]
    senders = statistics.median(result.sender_gap_us / 1000 for result in results)
    silence = statistics.median(silences)
    print(
        f"{name:<32} {statistics.median(lost):>6.0f} {max(lost):>6} {max(no_room):>8} {silence:8.1f} {senders:8.1f}   "
        f"{plays[-1].said}",
        flush=True,
    )
    return {
        "name": name, "run_type": "iteration", "real_time": silence, "time_unit": "ms",
        "lost": lost, "no_room": no_room, "silences_ms": silences, "sent": [result.sent for result in results],
        "duplicated": [result.duplicated for result in results], "said": [one.said for one in plays],
    }  # fmt: skip


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench reconf",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} round instead of {ROUNDS}")
    parser.add_argument("--list", action="store_true", help="print the names and measure nothing")
    parser.add_argument("filters", nargs="*", help="beginnings of names")
    options = parser.parse_args(words)
    names = (UNDISTURBED, *CHANGES)
    wanted = {
        way: [name for name in names
              if not options.filters or f"reconf/{way}/{name}".startswith(tuple(options.filters))]
        for way in WAYS
    }  # fmt: skip
    if options.list:
        print("\n".join(f"reconf/{way}/{name}" for way, chosen in wanted.items() for name in chosen))
        return 0
    machine = machines.look()
    print(f"{machine.cpu}, {machine.cpus} CPUs; {RATE} packets a second\n")
    print(
        f"{'change':<32} {'lost':>6} {'most':>6} {'no room':>8} {'silent':>8} {'sender':>8}   what happened"
    )
    benchmarks = []
    for way, chosen in wanted.items():
        if chosen:
            benchmarks += measure(way, chosen, QUICK_ROUNDS if options.quick else ROUNDS)
    write_benchmarks(ROOT / "build" / "bench" / "reconf.json", "sekisho-dataplane", benchmarks, machine)
    return 0


if __name__ == "__main__":
    sys.exit(main())
