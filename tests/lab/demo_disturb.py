# SPDX-License-Identifier: BSD-3-Clause
"""Demonstrations 4 to 6: nothing is lost while routes change and control dies; nothing leaks when the firewall or the
dataplane dies.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Injector, frame
from lab.process import wait_until
from lab.report import Report
from lab.stream import Stream
from lab.topology import MOVED, STREAM, Lab

RATE = 25_000


def streams(lab: Lab, appliance: Appliance, report: Report) -> None:
    report.step(f"Streams of {RATE} numbered packets a second for 10 s, and what must not disturb them")

    def moving(stream: Stream) -> str:
        moves = 0
        while stream.running():
            moves += 1
            config.overrides(appliance.config, [f"{MOVED}/32 second-gateway"] if moves % 2 else [])
            appliance.reload()
            enough = stream.status()["received"] + RATE // 2
            wait_until("the stream", lambda: not stream.running() or stream.status()["received"] > enough)
        return f"{moves} reloads moved {MOVED}/32 between the firewall and the second gateway"

    def replacing(stream: Stream) -> str:
        times = []
        for gateway in ("second-gateway", "firewall"):
            config.overrides(appliance.config, config.many_routes(gateway))
            started = time.monotonic()
            changed = appliance.reload()["routes_changed"]
            times.append(f"{changed} routes changed in {time.monotonic() - started:.2f} s")
        assert stream.running(), "the stream ended before the routes were replaced"
        return "; ".join(times)

    def killing(stream: Stream) -> str:
        appliance.kill_control()
        stream.wait_received(stream.status()["received"] + 2 * RATE)
        started = time.monotonic()
        appliance.start_control()
        appliance.wait_ready()
        assert stream.running(), "the stream ended before control was back"
        return f"control SIGKILLed, two seconds later started again, in charge after {time.monotonic() - started:.2f} s"

    disturb(lab, report, "a file reload moves a /32 to another path and back", MOVED, moving)
    config.overrides(appliance.config, config.many_routes("firewall"))
    appliance.reload()
    disturb(lab, report, "100,000 routes are replaced, twice", STREAM, replacing)
    disturb(lab, report, "control is SIGKILLed and started again", STREAM, killing)
    config.overrides(appliance.config, [])
    appliance.reload()


def disturb(lab: Lab, report: Report, what: str, address: str, act: Callable[[Stream], str]) -> None:
    with Stream(lab, address, rate=RATE, seconds=10) as stream:
        stream.wait_received(1000)
        said = act(stream)
        result = stream.finish()
    holds = result.lost == 0 and result.duplicated == 0 and result.rate >= 20_000
    report.check(what, "at least 20000 packets a second, 0 lost, 0 duplicated", str(result), holds)
    report.note(said)


def firewall_down(lab: Lab, appliance: Appliance, report: Report) -> None:
    report.step("The firewall's interface goes down, and up again")
    started = time.monotonic()
    lab.link_down("firewall")
    wait_until("the firewall to be noticed as dead", lambda: appliance.next_hops()["firewall"] == 0)
    report.note(f"noticed after {time.monotonic() - started:.2f} s, by the kernel's neighbour probes with the manual's timers")
    arrived = lab.counters()["arrived"]
    account = Account(appliance)
    injector = Injector(lab)
    injector.send(frame(), 1000)
    injector.close()
    wait_until("the packets", lambda: account.changes().get("lan.rx", 0) >= 1000)
    expected = {"lan.drop.next_hop_down": 1000, "lan.rx": 1000, "lan.steer.redirected": 1000}
    report.equal("1000 packets to the Internet, refused by name", expected, account.changes())
    report.equal("packets that reached the Internet", 0, lab.counters()["arrived"] - arrived)
    started = time.monotonic()
    lab.link_up("firewall")
    with Stream(lab, STREAM, rate=1000, seconds=30) as stream:
        stream.wait_received(1)
        report.check("traffic flows again", "yes", f"after {time.monotonic() - started:.2f} s", True)


def dataplane_killed(lab: Lab, appliance: Appliance, report: Report) -> None:
    report.step("The dataplane is SIGKILLed; the appliance's kernel has ip_forward=1 and a default route")
    wait_until("a living firewall", lambda: appliance.next_hops()["firewall"] == 1)
    with Stream(lab, STREAM, rate=RATE, seconds=60) as stream:
        stream.wait_received(RATE)
        appliance.kill_dataplane()
        lab.settle()
        arrived, received = lab.counters()["arrived"], lab.interface("nva", "lan0")["rx_packets"]
        wait_until(
            "two seconds of traffic", lambda: lab.interface("nva", "lan0")["rx_packets"] - received > 2 * RATE
        )
        came = lab.interface("nva", "lan0")["rx_packets"] - received
        report.equal(
            f"of {came} packets that came in meanwhile, reached the Internet",
            0,
            lab.counters()["arrived"] - arrived,
        )
        before = stream.status()["received"]
        started = time.monotonic()
        appliance.start_dataplane()
        stream.wait_received(before + 1)
        report.check(
            "started again: forwarding resumes by itself",
            "yes",
            f"after {time.monotonic() - started:.2f} s",
            True,
        )
    appliance.wait_ready()
    lab.settle()
