# SPDX-License-Identifier: BSD-3-Clause
"""Demonstration 8: the kernel calls both NICs otherwise, and would gladly forward."""

from __future__ import annotations

import time

from lab.appliance import Appliance
from lab.interfaces import Interfaces
from lab.process import wait_until
from lab.report import Report
from lab.stream import Stream
from lab.topology import STREAM, Lab
from lab.transit import Transit, Watch

RATE = 25_000
ROUNDS = 250


def about(appliance: Appliance, what: str) -> str | None:
    """What `show state` ends with, and its line about it."""
    state = appliance.execute("show", "state")
    return next((f"{state.returncode}: {line}" for line in state.stdout.splitlines() if what in line), None)


def renamed(lab: Lab, appliance: Appliance, report: Report) -> None:
    report.step("Both NICs are renamed; ip_forward=1, routes to the Internet by a port and by a management NIC")
    lab.add_management()
    interfaces, watch = Interfaces(lab), Watch(lab)
    interfaces.forward(True)
    appliance.wait_ready()

    def nothing_passes(when: str) -> None:
        before, transit = watch.seen(), Transit(lab)
        received = interfaces.received("lan")
        sent, _ = transit.send(ROUNDS)
        # The kernel forwards a frame, if it does, before it counts the next.
        wait_until("the frames", lambda: interfaces.received("lan") - received >= sent + RATE // 10)
        seen, count = watch.seen() - before, transit.sent
        transit.close()
        report.equal(f"{when}: of {count} frames, past the firewall", 0, seen.past)
        report.equal(f"{when}: of {count} frames, through anything with a spoofed source", 0, seen.spoofed)

    with Stream(lab, STREAM, rate=RATE, seconds=120) as stream:
        stream.wait_received(RATE)
        interfaces.rename_both()
        before = stream.status()["received"]
        stream.wait_received(before + RATE)
        nothing_passes("renamed while it runs")
        report.check("renamed while it runs: traffic flows on", "yes", "yes", True)
        report.equal("what `sekisho show state` answers", 0, appliance.execute("show", "state").returncode)

        appliance.stop()
        appliance.start_dataplane()
        appliance.start_control()
        wait_until("control to answer", appliance.answers)
        before = stream.status()["received"]
        nothing_passes("started again under names that nobody knows")
        state = wait_until("what is said of port lan", lambda: about(appliance, "port lan"))
        report.check("what `sekisho show state` says", "exit code 1, and which port", state, state.startswith("1: "))
        report.equal("packets of the stream that arrived meanwhile", 0, stream.status()["received"] - before)

        started = time.monotonic()
        interfaces.restore()
        stream.wait_received(before + 1)
        after = f"after {time.monotonic() - started:.2f} s"
        report.check("named as before: forwarding resumes by itself", "yes", after, True)
    appliance.wait_ready()
    lab.settle()
