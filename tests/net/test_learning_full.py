# SPDX-License-Identifier: BSD-3-Clause
"""As many routes as the Internet has, told by BGP itself, FRR to FRR: all of them are forwarded by, and `max_prefixes` bounds what is
kept. Collected with SEKISHO_FULL=1 alone (`scripts/test --full`): it takes minutes, and gigabytes for FRR's four daemons.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import config
from lab.appliance import Appliance
from lab.frr import Frr, importer
from lab.process import Process, wait_until
from lab.topology import LAN, ONPREM_GATEWAY, VNET, Lab

COUNT = 900_000
BOUND = 10_000
LENGTHS = (24, 24, 24, 24, 23, 22)
FIRST = 96 << 24  # nothing in the lab is there, nor behind it
TABLE = "100"
FOLLOWING = ("internet", "vnet")  # zones with "bgp" among their routes
PATIENCE = 600.0
SELDOM = 0.25  # seconds between two questions
PEER = f"""
router bgp 65515
 bgp router-id {ONPREM_GATEWAY}
 no bgp ebgp-requires-policy
 neighbor {LAN} remote-as 65010
 neighbor {LAN} timers connect 1
 address-family ipv4 unicast
  redistribute kernel
 exit-address-family
"""


def prefixes() -> Iterator[str]:
    address = FIRST
    for number in range(COUNT):
        length = LENGTHS[number % len(LENGTHS)]
        size = 1 << (32 - length)
        address = (address + size - 1) // size * size
        yield ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0)) + f"/{length}"
        address += size


def resident(process: Process | None) -> int:
    """MiB of memory that it has."""
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) // 1024


@pytest.fixture(scope="module")
def nva(lab: Lab) -> Iterator[Frr]:
    with Frr(lab, "nva", importer(TABLE, "shutdown")) as frr:
        yield frr


@pytest.fixture(scope="module")
def appliance(lab: Lab, nva: Frr) -> Appliance:
    appliance = Appliance(lab, config.learning(lab, f'frr = "{nva.name}"\nmax_prefixes = 1000000'))
    appliance.start()
    return appliance


@pytest.fixture(scope="module")
def without(appliance: Appliance) -> dict[str, int]:
    return in_dataplane(appliance)


@pytest.fixture(scope="module")
def peer(lab: Lab) -> Iterator[Frr]:
    """Has them all, and no session yet."""
    batch = "".join(f"route add blackhole {prefix}\n" for prefix in prefixes())
    lab["onprem"].run("ip", "-batch", "-", stdin=batch)
    with Frr(lab, "onprem", PEER) as frr:
        wait_until("the peer to have all", lambda: summary(frr).get("ribCount", 0) >= COUNT, PATIENCE, SELDOM)
        yield frr


def summary(frr: Frr) -> dict[str, int]:
    return dict(frr.json("show bgp ipv4 unicast summary"))


def in_dataplane(appliance: Appliance) -> dict[str, int]:
    return {zone["name"]: zone["table"]["routes"] for zone in appliance.json("show", "zones")}


def in_kernel(lab: Lab) -> int:
    """Prefixes of the table, as the kernel counts them: to list them takes seconds."""
    said = lab["nva"].run("cat", "/proc/net/fib_triestat")
    found = re.search(rf"^Id {TABLE}:.*?Prefixes:\s+(\d+)", said, re.DOTALL | re.MULTILINE)
    return int(found[1]) if found else 0


def wait_dataplane(appliance: Appliance, without: dict[str, int], count: int) -> None:
    wanted = {zone: size + (count if zone in FOLLOWING else 0) for zone, size in without.items()}
    wait_until(f"{count} routes in the dataplane", lambda: in_dataplane(appliance) == wanted, PATIENCE, SELDOM)


def say(lab: Lab, appliance: Appliance, nva: Frr, what: str) -> None:
    memory = {"control": appliance.control, "dataplane": appliance.dataplane, **nva.processes}
    print(
        f"{what}; tables {appliance.json('show', 'state')['dataplane']['table_memory_bytes'] >> 20} MiB; resident MiB: "
        + ", ".join(f"{name} {resident(process)}" for name, process in memory.items())
    )


def test_all_are_forwarded_by(lab: Lab, appliance: Appliance, without: dict[str, int], peer: Frr, nva: Frr) -> None:
    say(lab, appliance, nva, "before")
    began = time.monotonic()
    nva.configure("router bgp 65010", f"no neighbor {ONPREM_GATEWAY} shutdown")
    wait_until(
        "BGP to have all", lambda: nva.json("show bgp ipv4 unicast summary")["peers"][ONPREM_GATEWAY]["pfxRcd"] == COUNT, PATIENCE, SELDOM
    )
    in_bgpd = time.monotonic() - began
    wait_until("the kernel to have all", lambda: in_kernel(lab) == COUNT, PATIENCE, SELDOM)
    in_table = time.monotonic() - began
    wait_dataplane(appliance, without, COUNT)
    forwarding = time.monotonic() - began
    say(
        lab, appliance, nva,
        f"{COUNT} routes: in bgpd after {in_bgpd:.1f} s, in the kernel after {in_table:.1f} s, forwarded by after {forwarding:.1f} s",
    )  # fmt: skip
    last = list(prefixes())[-1].split("/")[0]
    assert appliance.explain(VNET, last)["dataplane"]["next_hop"] == "onprem-gateway"


def test_they_are_bounded(lab: Lab, appliance: Appliance, without: dict[str, int], peer: Frr, nva: Frr) -> None:
    text = appliance.config.read_text()
    appliance.config.write_text(text.replace("max_prefixes = 1000000", f"max_prefixes = {BOUND}"))
    appliance.reload(force=True)
    wait_dataplane(appliance, without, BOUND)
    problems = [problem["sentence"] for problem in appliance.json("show", "state")["problems"]]
    assert any("max_prefixes" in sentence for sentence in problems), problems
    say(lab, appliance, nva, f"{BOUND} of them")
