# SPDX-License-Identifier: BSD-3-Clause
"""What the outside is told of this appliance: the verdict and its exit codes, and probes of a load balancer, beside every fault."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab import config
from lab.appliance import Appliance, Refused
from lab.process import execute, wait_until
from lab.topology import EGRESS, LAN, Lab

pytestmark = pytest.mark.usefixtures("manuals_neighbour_timers")

PROBER = "168.63.129.16"  # Azure's, of every port
LISTEN = f'\n[health]\nlisten = ["{LAN}:8080", "{EGRESS}:8080"]\n'
NO_ANSWER = 0
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000  # threads, too

# Who probes one port must be answered by that port: what leaves by the other one is counted, and goes nowhere.
STRAYED = f"""
table ip strayed {{
  counter strayed {{}}
  chain arriving {{
    type filter hook prerouting priority raw; policy accept;
    ip daddr {PROBER} counter name strayed drop
  }}
}}
"""


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    for space in ("onprem", "router"):  # one address behind each port
        lab[space].ip("address", "add", f"{PROBER}/32", "dev", "lo")
    lab["firewall"].nft(STRAYED)  # where the appliance's main table sends it
    file = config.with_two_firewalls(lab)
    file.write_text(file.read_text() + LISTEN)
    appliance = Appliance(lab, file)
    appliance.start()
    return appliance


@pytest.fixture(autouse=True)
def well(lab: Lab, appliance: Appliance) -> Iterator[None]:
    with appliance.put_back():
        yield
    wait_until("the appliance to be well again", lambda: check(appliance) == (0, "forwarding") and probe(lab)[0] == 200)


def probe(lab: Lab, space: str = "onprem", address: str = LAN, path: str = "/", seconds: float = 5) -> tuple[int, Any]:
    """Status and answer; no answer at all is status 0."""
    done = execute(
        *lab[space].command(
            "curl", "-s", "--interface", PROBER, "--max-time", str(seconds), "-w", "\n%{http_code}",
            f"http://{address}:8080{path}",
        )
    )  # fmt: skip
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body) if body.startswith("{") else body


def check(appliance: Appliance) -> tuple[int, str]:
    done = appliance.execute("show", "state", "--check")
    return done.returncode, done.stdout.split("\n")[0]


def healthy(answer: tuple[int, Any]) -> bool:
    status, said = answer
    assert status in (NO_ANSWER, 200, 503), answer
    assert status == NO_ANSWER or said["healthy"] == (status == 200), answer
    return status == 200


def strayed(lab: Lab) -> int:
    found = json.loads(lab["firewall"].run("nft", "-j", "list", "counters", "table", "ip", "strayed"))["nftables"]
    return sum(entry["counter"]["packets"] for entry in found if "counter" in entry)


def test_each_port_answers_by_itself(lab: Lab, appliance: Appliance) -> None:
    """By the kernel's main table all answers would leave by the egress port."""
    assert "dev egress0" in lab["nva"].ip("route", "get", PROBER)
    for space, address in (("onprem", LAN), ("router", EGRESS)):
        for path in ("/", "/health"):
            assert probe(lab, space, address, path) == (
                200,
                {"healthy": True, "verdict": "forwarding", "draining": False, "reasons": []},
            )
        assert probe(lab, space, address, "/metrics")[0] == 404
    assert strayed(lab) == 0


def test_firewalls_die_one_by_one(lab: Lab, appliance: Appliance) -> None:
    lab.link_down("firewall")
    wait_until("one firewall", lambda: check(appliance) == (1, "degraded: firewall 1 of 2 alive"))
    status, said = probe(lab)
    assert (status, said["verdict"], said["reasons"]) == (200, "degraded", ["firewall 1 of 2 alive"])
    lab.link_down("firewall2")
    wait_until("no firewall", lambda: check(appliance) == (2, "closed: no living member of firewall"))
    for space, address in (("onprem", LAN), ("router", EGRESS)):
        status, said = probe(lab, space, address)
        assert (status, said["reasons"]) == (503, ["no living member of firewall"])


def test_what_is_required(lab: Lab, appliance: Appliance) -> None:
    text = appliance.config.read_text()

    def require(*names: str) -> None:
        appliance.config.write_text(text + f"require = {json.dumps(names)}\n")
        appliance.reload()

    require("next_hop:onprem-gateway")
    for space in ("firewall", "firewall2"):
        lab.link_down(space)
    wait_until("no firewall", lambda: check(appliance)[0] == 2)
    assert healthy(probe(lab)), "that is not required"
    require("zone:onprem")
    assert not healthy(probe(lab))
    require("exit", "zone:internet")
    assert healthy(probe(lab))
    lab["router"].ip("link", "set", "inside", "down")
    try:
        wait_until("the exit to be gone", lambda: not healthy(probe(lab)))
        assert probe(lab)[1]["reasons"][0].startswith("next hop Internet is down")
    finally:
        lab["router"].ip("link", "set", "inside", "up")
    wait_until("the exit to be back", lambda: healthy(probe(lab)))


def test_the_dataplane_is_killed(lab: Lab, appliance: Appliance) -> None:
    appliance.kill_dataplane()
    status, said = probe(lab)
    assert (status, said["reasons"][0]) == (503, "the dataplane is not running")
    status, first = check(appliance)
    assert status == 2 and first.startswith("closed: the dataplane is not running"), first
    appliance.start_dataplane()
    wait_until("the dataplane to be back", lambda: healthy(probe(lab)))
    assert appliance.next_hops()["firewall"] > 0, "not before it forwards"
    appliance.wait_ready()


def test_the_dataplane_hangs(lab: Lab, appliance: Appliance) -> None:
    """From the first probe on, and also once control has given it up."""
    assert appliance.dataplane is not None
    appliance.dataplane.send(signal.SIGSTOP)
    try:
        for _ in range(8):
            status, said = probe(lab)
            assert (status, said["reasons"][0]) == (503, "the dataplane does not answer")
        status, first = check(appliance)
        assert status == 2 and first.startswith("closed: the dataplane does not answer"), first
    finally:
        appliance.dataplane.send(signal.SIGCONT)
    wait_until("the dataplane to answer", lambda: healthy(probe(lab)))


@contextmanager
def halted(thread: int) -> Iterator[None]:
    """One thread of a process, which a signal would not stop alone."""
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def ask(request: int) -> None:
        if ptrace(request, thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of thread {thread}")

    ask(PTRACE_SEIZE)
    ask(PTRACE_INTERRUPT)
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        ask(PTRACE_DETACH)


def worker_of(appliance: Appliance) -> int:
    """The thread that forwards."""
    assert appliance.dataplane is not None
    threads = Path(f"/proc/{appliance.dataplane.pid}/task")
    names = {int(thread.name): (thread / "comm").read_text() for thread in threads.iterdir()}
    return next(thread for thread, name in names.items() if "worker" in name)


def test_a_worker_hangs_and_the_dataplane_answers(lab: Lab, appliance: Appliance) -> None:
    with halted(worker_of(appliance)):
        wait_until("the worker to be missed", lambda: not healthy(probe(lab)))
        status, first = check(appliance)
        assert status == 2 and first.startswith("closed: no worker of the dataplane runs"), first
    wait_until("the worker to be back", lambda: healthy(probe(lab)))


def test_control_hangs(lab: Lab, appliance: Appliance) -> None:
    appliance.signal_control(signal.SIGSTOP)
    try:
        assert probe(lab, seconds=2)[0] == NO_ANSWER
        assert check(appliance)[0] == 3
    finally:
        appliance.signal_control(signal.SIGCONT)
    wait_until("control to answer", lambda: healthy(probe(lab)))


def test_control_is_killed(lab: Lab, appliance: Appliance) -> None:
    appliance.kill_control()
    assert probe(lab)[0] == NO_ANSWER
    assert check(appliance) == (3, "")
    appliance.start_control()
    wait_until("control to answer", lambda: healthy(probe(lab)))


def test_who_sends_slowly_keeps_no_probe_out(lab: Lab, appliance: Appliance) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(100):
            client = stack.enter_context(lab["onprem"].socket(socket.AF_INET, socket.SOCK_STREAM))
            client.connect((LAN, 8080))
            client.sendall([b"GET / HT", b"\x16\x03\x01\x02\x00\x01", b"\x00" * 20_000][number % 3])
        assert healthy(probe(lab, seconds=4))
        assert check(appliance) == (0, "forwarding")


def test_a_flood_of_probes(lab: Lab, appliance: Appliance) -> None:
    """Answers are shared, none is from before its probe, and a firewall that dies meanwhile is noticed."""
    url = f"http://{LAN}:8080/"
    flood = [
        lab.spawn("onprem", f"flood-{number}", "sh", "-c", f"while :; do curl -s -o /dev/null {url}; done") for number in range(4)
    ]
    try:
        for _ in range(5):
            assert healthy(probe(lab))
        lab.link_down("firewall")
        wait_until("one firewall", lambda: probe(lab)[1]["reasons"] == ["firewall 1 of 2 alive"])
        appliance.kill_dataplane()
        assert not healthy(probe(lab))
    finally:
        for process in flood:
            process.stop()
            lab.forget(process)
    appliance.start_dataplane()


def line_of(appliance: Appliance, beginning: str) -> int:
    lines = appliance.config.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(beginning))


def test_bad_configuration(lab: Lab, appliance: Appliance) -> None:
    text = appliance.config.read_text()
    appliance.config.write_text(text + 'require = ["next_hop:firewal"]\n')
    place = f"{appliance.config}:{line_of(appliance, 'require =')}: "
    with pytest.raises(Refused, match=re.escape(place + 'there is no next hop "firewal"; did you mean "firewall"?')):
        appliance.reload()
    with lab["nva"].socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind((LAN, 8081))
        other.listen()
        appliance.config.write_text(text.replace(f"{LAN}:8080", f"{LAN}:8081"))
        place = f"{appliance.config}:{line_of(appliance, 'listen = [')}: "
        with pytest.raises(Refused, match=re.escape(f"{place}health cannot be served on {LAN}:8081: Address already in use")):
            appliance.reload()
    assert probe(lab)[0] == 200, "as before"


def test_a_reload_moves_it(lab: Lab, appliance: Appliance) -> None:
    text = appliance.config.read_text()
    appliance.config.write_text(text.replace(LISTEN, '\n[health]\nlisten = ["0.0.0.0:8080"]\n'))
    appliance.reload()
    for space, address in (("onprem", LAN), ("router", EGRESS)):
        assert healthy(probe(lab, space, address))
    appliance.config.write_text(text.replace(LISTEN, ""))
    appliance.reload()
    assert probe(lab)[0] == NO_ANSWER
    assert strayed(lab) == 0
