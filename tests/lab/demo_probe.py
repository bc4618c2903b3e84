# SPDX-License-Identifier: BSD-3-Clause
"""Demonstration 7: a firewall that answers ARP and forwards nothing is noticed by a probe through it, and how soon traffic moves."""

from __future__ import annotations

from lab.appliance import Appliance
from lab.firewalls import Firewalls
from lab.process import wait_until
from lab.report import Report
from lab.stream import Stream
from lab.topology import FIREWALL, FIREWALL2, STREAM, WEB, Lab

RATE = 25_000
INTERVAL, DOWN_AFTER = 0.2, 3
BOUND = (DOWN_AFTER + 1) * INTERVAL + 0.05
ONE = f'members = ["{FIREWALL}"]'
TWO = f"""members = ["{FIREWALL}", "{FIREWALL2}"]
probe   = {{ type = "http", through = "{WEB}:80", interval = "{INTERVAL * 1000:g}ms", down_after = {DOWN_AFTER}, hold = "1s" }}"""


def _alive(appliance: Appliance) -> int:
    return appliance.next_hops()["firewall"]


def _why(appliance: Appliance) -> str:
    hops = appliance.json("show", "next-hops")
    members = next(hop for hop in hops if hop["name"] == "firewall")["members"]
    return next(str(member["why"]) for member in members if not member["alive"])


def _stream_by_first(lab: Lab) -> int:
    """A source port whose flow goes to the first firewall."""
    for port in range(7000, 7064):
        before = lab.counters("firewall")["inside"]
        with Stream(lab, STREAM, rate=1000, seconds=30, source_port=port) as stream:
            stream.wait_received(100)
            stream.stop()
            stream.finish()
        if lab.counters("firewall")["inside"] - before >= 100:
            return port
    raise AssertionError("no flow goes to the first firewall")


def forwards_nothing(lab: Lab, appliance: Appliance, report: Report) -> None:
    report.step("A firewall goes on answering ARP, ping and its own ports, and forwards nothing")
    text = appliance.config.read_text()
    assert ONE in text
    firewalls = Firewalls(lab)
    appliance.config.write_text(text.replace(ONE, TWO, 1))
    appliance.reload()
    wait_until("both firewalls", lambda: _alive(appliance) == 2)
    port = _stream_by_first(lab)
    with Stream(lab, STREAM, rate=RATE, seconds=60, source_port=port) as stream:
        stream.wait_received(RATE // 2)
        firewalls.forwards_nothing("firewall")
        wait_until("the other firewall", lambda: _alive(appliance) == 1)
        why = _why(appliance)
        stream.wait_more(RATE // 2)
        stream.stop()
        result = stream.finish()
    busy = 0.1  # what a machine that computes for others, too, may add
    most = int((BOUND + busy) * result.sent / result.seconds)
    report.check(
        f"a probe through it every {INTERVAL * 1000:g} ms: its stream moves within {BOUND * 1000:g} ms",
        f"0 < lost <= {most} packets, what was sent in that time",
        f"{result}; that is {result.lost / result.sent * result.seconds * 1000:.0f} ms of it",
        0 < result.lost <= most and result.duplicated == 0,
    )
    report.note(f"`show next-hops` said of it: {why}")
    firewalls.recovers("firewall")
    wait_until("both firewalls", lambda: _alive(appliance) == 2)
    report.note("it forwards again, and has its flows back after a hold of a second")
    appliance.config.write_text(text)
    appliance.reload()
    wait_until("one firewall", lambda: _alive(appliance) == 1)
    lab.settle()
