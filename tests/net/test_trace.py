# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho trace`: what the real dataplane decided about real packets, over real ports."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from lab.appliance import BUILD, Appliance
from lab.frames import Injector, frame
from lab.process import Process, wait_until
from lab.topology import FIREWALL, ONPREM, STREAM, Lab

STRANGER = "203.0.113.77"  # of the Internet, whose packets come by another port


@pytest.fixture
def injector(lab: Lab) -> Iterator[Injector]:
    injector = Injector(lab)
    yield injector
    injector.close()


@contextmanager
def tracing(lab: Lab, appliance: Appliance, *words: str) -> Iterator[Process]:
    """From when packets are traced; ended by SIGTERM."""
    name = f"trace-{time.monotonic_ns()}"
    command = (BUILD / "control" / "sekisho", "trace", "--dataplane-socket", appliance.dataplane_socket, *words)
    process = lab.spawn("nva", name, *command)
    wait_until("the trace", lambda: "tracing" in process.output() or not process.running())
    try:
        yield process
    finally:
        if process.running():
            assert process.stop() == 0
        lab.forget(process)


def traced(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_a_forwarded_packet_has_its_whole_way(lab: Lab, appliance: Appliance, injector: Injector) -> None:
    with tracing(lab, appliance, "--json", "-n", "1", "--source", ONPREM, "--destination", f"{STREAM}/32") as process:
        injector.send(frame())
        wait_until("its end", lambda: not process.running())
    (one,) = traced(process.output())
    assert (one["port"], one["stage"], one["verdict"], one["reason"]) == ("lan", "transmit", "forwarded", None)
    assert one["packet"].startswith(f"{ONPREM}:4000 > {STREAM}:4001 udp, TTL 64")
    assert one["member"] == {"port": "egress", "address": FIREWALL}
    assert one["generated"] is False and one["told"] is None
    said = appliance.json("explain", ONPREM, STREAM, "--port", "lan")
    assert (one["zone"], one["next_hop"]) == (said["zone"], said["next_hop"])
    assert (one["source_prefix"], one["route"]) == (said["dataplane"]["source_prefix"], said["candidates"][0]["prefix"])


def test_a_drop_has_its_reason_and_the_stage_that_found_it(lab: Lab, appliance: Appliance, injector: Injector) -> None:
    """Other packets pass meanwhile, and are not shown."""
    with tracing(lab, appliance, "--json", "-n", "2", "--drop", "ttl_expired", "--port", "lan") as process:
        injector.send(frame())
        injector.send(frame(source=STRANGER))
        injector.send(frame(ttl=1), 2)
        wait_until("its end", lambda: not process.running())
    for one in traced(process.output()):
        assert (one["stage"], one["verdict"], one["reason"], one["told"]) == (
            "resolve",
            "dropped",
            "ttl_expired",
            "time_exceeded",
        )
        assert one["zone"] is not None and one["next_hop"] is not None


def test_lines_for_people(lab: Lab, appliance: Appliance, injector: Injector) -> None:
    with tracing(lab, appliance, "--follow", "--source", STRANGER) as process:
        injector.send(frame(source=STRANGER))
        wait_until("the packet", lambda: "spoofed_source" in process.output())
    assert f"lan      {STRANGER}:4000 > {STREAM}:4001 udp, TTL 64" in process.output()
    assert "  admit    zone internet" in process.output()
    assert ": dropped as spoofed_source: the source belongs to a zone that this port may not carry" in process.output()
    assert "sekisho: 1 packets traced, 0 lost" in process.output()


def test_one_at_a_time_and_what_cannot_be_is_refused(lab: Lab, appliance: Appliance) -> None:
    def refused(*words: str) -> tuple[int, str]:
        done = appliance.execute(*words, "--dataplane-socket", str(appliance.dataplane_socket))
        return done.returncode, done.stderr

    with tracing(lab, appliance, "--follow"):
        code, why = refused("capture", "--seconds", "0.1")
        assert code == 1 and "captures already" in why
    assert refused("trace", "--drop", "nonsense")[0] == 2
    assert refused("trace", "--source", "10.0.0.1/8")[0] == 2
    assert refused("trace", "-n", "1", "--follow")[0] == 2
    code, why = refused("trace", "--port", "nowhere")
    assert code == 1 and "port nowhere is not among the ports" in why
