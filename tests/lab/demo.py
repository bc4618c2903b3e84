# SPDX-License-Identifier: BSD-3-Clause
"""The demonstration behind scripts/demo: eight things that a checkpoint has to do, each with what was expected and what
was seen. Exit code 0 only when all of them hold.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import time

from lab import config
from lab.account import Audit
from lab.appliance import Appliance
from lab.demo_disturb import dataplane_killed, firewall_down, streams
from lab.demo_forward import kms, refused, web_page
from lab.demo_probe import forwards_nothing
from lab.demo_renamed import renamed
from lab.namespace import existing
from lab.report import Report
from lab.topology import Lab


def describe(lab: Lab, appliance: Appliance) -> str:
    enter = f"ip netns exec {lab.prefix}-nva"
    command = f"{enter} build/control/sekisho --socket {appliance.socket}"
    return textwrap.dedent(
        f"""
        The lab is up. To look around:
          {command} show stats
          {command} explain 172.16.0.10 198.51.100.80
          {command} show drops
          ip netns exec {lab.prefix}-onprem curl http://198.51.100.80/
          ip netns exec {lab.prefix}-internet nft list counters
          edit {appliance.config}, then: {command} reload
        Logs and configuration: {lab.folder}
        To remove it: scripts/lab down {lab.prefix}
        """
    )


def run(lab: Lab, appliance: Appliance, report: Report) -> None:
    started = time.monotonic()
    appliance.start()
    print(f"Both processes run; forwarding {time.monotonic() - started:.1f} s after their start.")
    audit = Audit(lab, appliance)
    for demonstration in (web_page, kms, refused, streams, firewall_down):
        demonstration(lab, appliance, report)
    report.title("Every packet is accounted for, up to here")
    for line in audit.lines():
        report.check(line.what, f"{line.left}", f"{line.right}", line.holds)
    dataplane_killed(lab, appliance, report)
    report.title("Every packet is accounted for, by the new dataplane")
    for line in audit.lines():
        report.check(line.what, f"{line.left}", f"{line.right}", line.holds)
    forwards_nothing(lab, appliance, report)
    renamed(lab, appliance, report)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the lab up and say how to look around")
    options = parser.parse_args()
    report = Report()
    try:
        with Lab() as lab:
            lab.use_manuals_neighbour_timers()  # before there are neighbours: what they have begun with goes on
            appliance = Appliance(lab, config.example(lab))
            try:
                run(lab, appliance, report)
            except AssertionError as error:
                report.broke(f"{error}\n{appliance.diagnosis()}")
            lab.keep = options.keep
            if lab.keep:
                print(describe(lab, appliance))
    except KeyboardInterrupt:
        return 130
    if not options.keep:
        report.title("Nothing is left behind")
        left = existing(lab.prefix)
        report.check(
            "network namespaces and files of this run",
            "none",
            ", ".join(left) or "none",
            not left and not lab.folder.exists(),
        )
    return report.sum_up()


if __name__ == "__main__":
    sys.exit(main())
