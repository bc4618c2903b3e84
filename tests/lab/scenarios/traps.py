# SPDX-License-Identifier: BSD-3-Clause
"""A route table of Azure that does harm, put in place, and the one that mends it: packets are sent through both, and
`sekisho check` reads the very same table."""

from __future__ import annotations

import json
from typing import Any

from lab.azure.site import AzureLab
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


def loops(lab: AzureLab, nva: Nva, report: Report) -> None:
    """What leaves the appliance by its egress port comes back to it until its TTL is spent."""
    before = lab.fabric.marked_to("nva-lan0")
    report.equal(f"of {traffic.MARKED} packets came to the Internet", 0, traffic.marked(lab))
    seen = lab.fabric.marked_to("nva-lan0") - before
    report.check("but came to the appliance", f"> {10 * traffic.MARKED} times", f"{seen} times", seen > 10 * traffic.MARKED)


def found(nva: Nva, report: Report, rule: str, there: bool = True) -> None:
    offences = nva.offences()
    report.check(
        f"`sekisho check` {'names' if there else 'does not name'} {rule}", rule if there else f"no {rule}",
        ", ".join(offences) or "nothing", (rule in offences) == there,
    )  # fmt: skip
