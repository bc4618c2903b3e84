# SPDX-License-Identifier: BSD-3-Clause
"""Plays a scenario and says whether all that was expected was seen."""

from __future__ import annotations

import textwrap

from lab.azure.site import AzureLab
from lab.namespace import existing
from lab.report import Report
from lab.scenarios import expressroute, forced_tunnel, scale_out, vpn, vwan
from lab.scenarios.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    module.SCENARIO.name: module.SCENARIO for module in (expressroute, vpn, vwan, forced_tunnel, scale_out)
}


def describe(lab: AzureLab) -> str:
    """How to look around in a lab that stays."""
    appliances = [space for space in ("nva", "nva2") if space in lab.spaces()]
    lines = [f"The lab {lab.prefix} is up: namespaces {lab.prefix}-NAME of {', '.join(lab.spaces())}. To look around:"]
    for space in appliances:
        another = "" if space == "nva" else f"{space}-"
        command = f"ip netns exec {lab.prefix}-{space} build/control/sekisho --socket {lab.folder}/{another}control.sock"
        lines += [f"  {command} show {what}" for what in ("state", "bgp", "learned")]
        lines += [f"  {command} explain 172.16.0.10 198.51.100.80 --port lan"]
    host = "onprem" if "onprem" in lab.spaces() else "site1"
    lines += [f"  vtysh -N {frr.name} -c 'show bgp ipv4 unicast'" for frr in lab.frr.values()]
    lines += [
        f"  ip netns exec {lab.prefix}-{host} curl http://198.51.100.80/",
        f"  ip netns exec {lab.prefix}-internet nft list counters",
        f"  ip netns exec {lab.prefix}-fabric nft list counters",
        f"The fabric: {lab.folder}/effective.json has each subnet's effective routes; edit fabric.json there for others.",
        f"Logs and configuration: {lab.folder}",
        f"To remove it: scripts/lab down {lab.prefix}",
    ]
    return "\n".join(lines)


def run(name: str, keep: bool = False) -> int:
    scenario = SCENARIOS[name]
    report = Report()
    print(f"{scenario.name}: {scenario.what}")
    print(textwrap.dedent(scenario.picture.strip("\n")), flush=True)
    try:
        with AzureLab() as lab:
            lab.keep = keep
            try:
                scenario.play(lab, report)
            except (AssertionError, RuntimeError, OSError) as error:
                report.broke(f"{error}\n{lab.diagnosis()}")
            if keep:
                print(describe(lab))
    except KeyboardInterrupt:
        return 130
    if not keep:
        left = existing(lab.prefix)
        report.title("Nothing is left behind")
        gone = not left and not lab.folder.exists()
        report.check("namespaces and files of this run", "none", ", ".join(left) or "none", gone)
    return report.sum_up()
