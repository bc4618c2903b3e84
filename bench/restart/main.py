# SPDX-License-Identifier: BSD-3-Clause
"""SIGKILL to the first packet forwarded again, as the receiver of a stream through the whole appliance sees it.

Two ways: AF_XDP ports, and ports that DPDK owns (net_af_packet on the same veth pairs, of which the kernel then sees
nothing) with TAP companions. The dataplane is started again at once, as systemd would; control lives on.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path

import restart  # noqa: F401, where the lab is found
from lab import config
from lab.appliance import ROOT, Appliance
from lab.process import wait_until
from lab.stream import Stream
from lab.topology import EGRESS, LAN, STREAM, Lab

RATE = 10_000
DEMANDED_MS = 1000
PORTS = (("lan0", LAN), ("egress0", EGRESS))


def af_xdp(lab: Lab) -> Path:
    return config.adapted(lab)


def take_from_kernel(lab: Lab) -> None:
    """The kernel sees nothing of what comes to the ports, which DPDK owns."""
    nva = lab["nva"]
    for netdev, _ in PORTS:
        nva.ip("address", "flush", "dev", netdev)
        hook = f"type filter hook ingress device {netdev} priority 0; policy drop;"
        nva.run("nft", f"add table netdev dpdk; add chain netdev dpdk {netdev} {{ {hook} }}")


def companions_edits() -> list[tuple[str, str]]:
    return [
        (f'"af_xdp:{netdev}"\n', f'"net_af_packet{number},iface={netdev}"\naddress = ["{address}/24"]\n')
        for number, (netdev, address) in enumerate(PORTS)
    ]


def companions(lab: Lab) -> Path:
    take_from_kernel(lab)
    return config.adapted(lab, *companions_edits())


WAYS = {"af_xdp": af_xdp, "companions": companions}


def silences(way: str, rounds: int) -> list[float]:
    """Milliseconds. Whatever came through meanwhile came through the firewall, or this is no measurement."""
    found = []
    with Lab() as lab:
        appliance = Appliance(lab, WAYS[way](lab))
        appliance.start()
        past_the_firewall = lab.counters()["unnatted"]
        for _ in range(rounds):
            with Stream(lab, STREAM, rate=RATE, seconds=5) as stream:
                stream.wait_received(RATE)
                appliance.kill_dataplane()
                appliance.start_dataplane()
                found.append(stream.finish().gap_us / 1000)
            wait_until("the appliance to forward", appliance.ready)
        if lab.counters()["unnatted"] != past_the_firewall:
            raise SystemExit(f"restart/{way}: packets went past the firewall while the dataplane was away")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench restart", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 9")
    parser.add_argument("--list", action="store_true", help="print the names and measure nothing")
    parser.add_argument("filters", nargs="*", help="beginnings of names")
    options = parser.parse_args(arguments)
    names = [f"restart/{way}" for way in WAYS]
    wanted = [name for name in names if not options.filters or name.startswith(tuple(options.filters))]
    if options.list:
        print("\n".join(wanted))
        return
    benchmarks = []
    for name in wanted:
        times = silences(name.removeprefix("restart/"), 3 if options.quick else 9)
        first, median, third = statistics.quantiles(times, n=4)
        verdict = "met" if median <= DEMANDED_MS else "MISSED"
        print(f"{name:<20} {median:7.0f} ms  [{first:.0f} {third:.0f}]  at most {DEMANDED_MS} ms: {verdict}")
        benchmarks.append(
            {"name": name, "run_type": "iteration", "real_time": median, "time_unit": "ms",
             "first_quartile": first, "third_quartile": third, "all": times}
        )  # fmt: skip
    out = ROOT / "build" / "bench"
    out.mkdir(parents=True, exist_ok=True)
    (out / "restart.json").write_text(json.dumps({"context": {"rate": RATE}, "benchmarks": benchmarks}, indent=1))


if __name__ == "__main__":
    main()
