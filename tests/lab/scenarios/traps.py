# SPDX-License-Identifier: BSD-3-Clause
"""A route table of Azure that does harm, put in place, and the one that mends it: packets are sent through both, and
`sekisho check` reads the very same table."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from lab.azure.site import AzureLab
from lab.process import wait_until
from lab.report import Report
from lab.scenarios import traffic
from lab.scenarios.appliance import Nva


def table(name: str, *routes: tuple[str, str], propagation: bool) -> dict[str, Any]:
    """Routes as (prefix, next-hop type or address of an appliance)."""
    entries = []
    for number, (prefix, hop) in enumerate(routes):
        where = (
            {"nextHopType": "VirtualAppliance", "nextHopIpAddress": hop} if hop[0].isdigit() else {"nextHopType": hop}
        )
        entries.append({"name": f"route{number + 1}", "addressPrefix": prefix, **where})
    return {"name": name, "disableBgpRoutePropagation": not propagation, "routes": entries}


def put(lab: AzureLab, nva: Nva, subnet: str, content: dict[str, Any]) -> None:
    """In force in the fabric, and what the appliance's configuration says the subnet's table is."""
    (nva.config.parent / f"{subnet}.json").write_text(json.dumps(content, indent=1))
    lab.fabric.set_table(subnet, content)


def loops(lab: AzureLab, report: Report, times: int, where: str, count: Callable[[], int]) -> None:
    """What leaves by the firewall comes back until its TTL is spent; `count`: marked packets there so far."""
    at_internet, sent, seen = lab.counters()["marked"], 0, 0
    many = times * traffic.MARKED

    def looped() -> bool:
        """The probe through the firewall loops, too: once it fails nothing is advertised, and for a moment nothing loops. So each attempt is
        held against what it sent itself."""
        nonlocal sent, seen
        before, seen = count(), 0
        traffic.send_marked(lab, "onprem")
        sent += traffic.MARKED
        while True:
            time.sleep(0.2)
            now = count() - before
            if now == seen:
                break
            seen = now
        return seen > many

    wait_until("a loop", looped)
    report.equal(f"of {sent} packets came to the Internet", 0, lab.counters()["marked"] - at_internet)
    report.check(f"but {traffic.MARKED} came to {where}", f"> {many} times", f"{seen} times", seen > many)


def found(nva: Nva, report: Report, rule: str, there: bool = True) -> None:
    offences = nva.offences()
    report.check(
        f"`sekisho check` {'names' if there else 'does not name'} {rule}", rule if there else f"no {rule}",
        ", ".join(offences) or "nothing", (rule in offences) == there,
    )  # fmt: skip
