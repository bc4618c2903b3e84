# SPDX-License-Identifier: BSD-3-Clause
"""What is said is what is so: state, doctor, explain and metrics beside faults, and two controls on one dataplane."""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Injector, frame
from lab.process import Process, wait_until
from lab.topology import STREAM, Lab

pytestmark = pytest.mark.usefixtures("manuals_neighbour_timers")

ONPREM = "172.16.0.10"


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    appliance = Appliance(lab, config.with_two_firewalls(lab))
    appliance.start()
    return appliance


@pytest.fixture(autouse=True)
def well(lab: Lab, appliance: Appliance) -> Iterator[None]:
    """Each test begins and ends with nothing wrong."""

    def is_well() -> bool:
        return bool(appliance.json("show", "state")["severity"] == "ok")

    wait_until("all to be well", is_well)
    yield
    for space in ("firewall", "firewall2"):
        lab.link_up(space)
    wait_until("all to be well again", is_well)


def problems(appliance: Appliance) -> set[str]:
    return {problem["kind"] for problem in appliance.json("show", "state")["problems"]}


def explained(appliance: Appliance) -> tuple[int, str]:
    """Exit status and the verdict's line."""
    done = appliance.execute("explain", ONPREM, STREAM, "--port", "lan")
    return done.returncode, next(line for line in done.stdout.splitlines() if line.startswith("verdict"))


def test_all_is_well(appliance: Appliance) -> None:
    done = appliance.execute("show", "state")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "forwarding")
    assert explained(appliance) == (0, "verdict    forward")


def test_firewalls_die_one_by_one(lab: Lab, appliance: Appliance) -> None:
    lab.link_down("firewall")
    wait_until("one firewall", lambda: problems(appliance) == {"next_hop_degraded"})
    done = appliance.execute("show", "state")
    assert done.returncode == 0
    assert done.stdout.startswith("degraded: firewall 1 of 2 alive\n\nwarning  next hop firewall has 1 of 2 members alive")
    lab.link_down("firewall2")
    wait_until("no firewall", lambda: problems(appliance) == {"next_hop_down"})
    done = appliance.execute("show", "state")
    assert done.returncode == 1
    assert done.stdout.startswith("closed: no living member of firewall\n\nbad      next hop firewall has no living member")
    status, verdict = explained(appliance)
    assert status == 1 and verdict.startswith("verdict    drop next_hop_down"), verdict
    doctor = appliance.execute("doctor", "--config", appliance.config)
    assert doctor.returncode == 1
    assert "next hop firewall has no living member" in "".join(
        line for line in doctor.stdout.splitlines() if line.startswith("bad")
    )
    assert doctor.stdout.startswith("bad")


def test_a_link_down(lab: Lab, appliance: Appliance) -> None:
    lab["fabric"].ip("link", "set", "nva-lan0", "down")
    try:
        wait_until("the link to be missed", lambda: "link_down" in problems(appliance))
        assert appliance.execute("show", "state").returncode == 1
    finally:
        lab["fabric"].ip("link", "set", "nva-lan0", "up")


def test_a_file_changes_and_a_reload_is_refused(appliance: Appliance) -> None:
    config.overrides(appliance.config, ["198.51.100.7/32 second-gateway"])
    wait_until("the change to be seen", lambda: problems(appliance) == {"files_changed"})
    assert appliance.execute("show", "state").returncode == 0
    config.overrides(appliance.config, ["198.51.100.7/33 second-gateway"])
    assert appliance.execute("reload").returncode == 1
    done = appliance.execute("show", "state")
    assert done.returncode == 1 and "the last reload was refused" in done.stdout
    config.overrides(appliance.config, [])
    appliance.reload()


def test_the_dataplane_is_gone(lab: Lab, appliance: Appliance) -> None:
    appliance.kill_dataplane()
    wait_until("it to be missed", lambda: "dataplane_down" in problems(appliance))
    done = appliance.execute("show", "state")
    assert done.returncode == 1
    assert done.stdout.startswith("closed: the dataplane is not running")
    assert "\n\nbad      the dataplane is not running: nothing is forwarded" in done.stdout
    assert explained(appliance) == (1, "verdict    drop: the dataplane is not running")
    for what in ("ports", "zones", "next-hops", "routes", "config", "stats", "drops"):
        for json in ((), ("--json",)):
            shown = appliance.execute("show", what, *json)
            assert shown.returncode == 1 and "2/2" not in shown.stdout, shown
            assert re.match("sekisho: the dataplane is not (running|connected): ", shown.stderr), shown
    for asked in (("effective-routes", "--zone", "onprem"), ("diff", "running:onprem", f"{appliance.config}:onprem")):
        for json in ((), ("--json",)):
            shown = appliance.execute(*asked, *json)
            assert shown.returncode == 1 and shown.stdout, "what control wants is told, and that nothing of it is in force"
            assert shown.stderr == "sekisho: the dataplane is not running: nothing is forwarded\n", shown
    top = appliance.execute("top", "--once", "--interval", "0.1")
    assert top.returncode == 1
    assert top.stdout.startswith("the dataplane does not answer") and "2/2" not in top.stdout
    # Nor does a misspelt device become what runs meanwhile.
    text = appliance.config.read_text()
    appliance.config.write_text(text.replace('"af_xdp:lan0"', '"af_xdp:lan9"'))
    refused = appliance.execute("reload")
    assert refused.returncode == 1 and "port lan would run no more" in refused.stderr, refused
    appliance.config.write_text(text)
    assert appliance.execute("reload").returncode == 1, "kept, and nothing is there that takes it"
    appliance.start_dataplane()
    appliance.wait_ready()


def test_the_port_of_the_packet_does_not_run(lab: Lab, appliance: Appliance) -> None:
    text = appliance.config.read_text()
    appliance.config.write_text(text.replace('"af_xdp:lan0"', '"af_xdp:lan9"'))
    done = appliance.execute("reload", "--force")
    assert done.returncode == 1, "a reload after which a port does not run"
    assert "port lan" in done.stdout
    assert appliance.execute("show", "state").returncode == 1
    status, verdict = explained(appliance)
    assert status == 1 and "port lan does not run" in verdict
    appliance.config.write_text(text)
    appliance.reload()
    appliance.wait_ready()


@contextmanager
def second_control(lab: Lab, appliance: Appliance, name: str, *options: str) -> Iterator[tuple[Process, Appliance]]:
    other = Appliance(lab, appliance.config)
    other.socket = lab.folder / f"{name}.sock"
    other.control_options = list(options)
    other.start_control()
    assert other.control is not None
    try:
        yield other.control, other
    finally:
        other.control.stop()
        lab.forget(other.control)


@contextmanager
def guard_watched(lab: Lab) -> Iterator[Callable[[], str]]:
    """What the kernel tells of nftables from here on: whoever starts to guard writes there first."""
    watcher = lab.spawn("nva", "nft-monitor", "nft", "monitor")

    def mark() -> str:
        lab["nva"].nft("add table ip probed; delete table ip probed")
        return watcher.output()

    try:
        wait_until("the kernel to be heard", lambda: "delete table ip probed" in mark())
        lab["nva"].nft("add table ip begun; delete table ip begun")
        wait_until("the last mark", lambda: "delete table ip begun" in watcher.output())
        begin = len(watcher.output())
        yield lambda: watcher.output()[begin:]
    finally:
        watcher.stop()
        lab.forget(watcher)


def test_a_second_control_is_refused(lab: Lab, appliance: Appliance) -> None:
    assert appliance.control is not None
    pid = appliance.json("show", "state")["dataplane"]["commanded_by"]
    with guard_watched(lab) as told, second_control(lab, appliance, "second") as (control, _):
        wait_until("it to end", lambda: not control.running())
        assert control.child.returncode == 1
        said = control.output().splitlines()
        assert len(said) == 1, said
        assert f"process {pid} is this network namespace's sekisho-control: stop it first" in said[0]
        assert "sekisho" not in told()
    assert problems(appliance) == set()


def test_one_that_takes_over_and_the_first_takes_it_back(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """Also from one that hangs. The first says so, changes nothing, and heals when the other has gone."""
    assert appliance.control is not None
    pid = appliance.json("show", "state")["dataplane"]["commanded_by"]
    os.kill(pid, signal.SIGSTOP)
    try:
        with second_control(lab, appliance, "taker", "--take-over") as (_, other):
            other.wait_ready()
            config.overrides(appliance.config, ["198.51.100.7/32 second-gateway"])
            other.reload()
            os.kill(pid, signal.SIGCONT)
            wait_until("the first to notice", lambda: problems(appliance) >= {"not_in_command"})
            refused = appliance.execute("reload")
            assert refused.returncode == 1 and "does not command the dataplane" in refused.stderr
            account = Account(appliance)
            onprem.send(frame(), 10)
            account.forwarded("lan", "egress", 10)
            config.overrides(appliance.config, [])
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until("the first to command again", lambda: "not_in_command" not in problems(appliance))
    # What the other brought went without anybody asking: the whole policy was sent again.
    wait_until("the first's own routes", lambda: not has_route(appliance, "198.51.100.7"))
    appliance.reload()


def has_route(appliance: Appliance, address: str) -> bool:
    return bool(appliance.explain(ONPREM, address)["dataplane"]["prefix"] == f"{address}/32")


def test_a_control_that_is_killed_is_followed_at_once(appliance: Appliance) -> None:
    appliance.kill_control()
    appliance.start_control()
    appliance.wait_ready()


class Client:
    """A client of the dataplane that speaks its protocol by hand."""

    def __init__(self, appliance: Appliance) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(appliance.dataplane_socket))

    def ask(self, body: bytes) -> bytes:
        self.socket.sendall(struct.pack(">I", len(body)) + body)
        (length,) = struct.unpack(">I", self.socket.recv(4, socket.MSG_WAITALL))
        return self.socket.recv(length, socket.MSG_WAITALL)

    def close(self) -> None:
        self.socket.close()


BEGIN_FULL = bytes([0x12, 0x02, 0x08, 0x01])  # Request { begin { full: true } }
COMMIT = bytes([0x22, 0x00])
CLAIM = bytes([0x5A, 0x00])  # Request { claim {} }
TAKE_OVER = bytes([0x5A, 0x02, 0x08, 0x01])


def test_what_a_stranger_empties_is_healed(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    stranger = Client(appliance)
    assert b"commands this dataplane" in stranger.ask(BEGIN_FULL)
    assert b"commands this dataplane" in stranger.ask(CLAIM)
    assert b"commands this dataplane" not in stranger.ask(TAKE_OVER)
    stranger.ask(BEGIN_FULL)
    stranger.ask(COMMIT)  # nothing is named, so nothing is left
    assert explained(appliance)[0] == 1
    stranger.close()
    wait_until("control to heal it", lambda: explained(appliance)[0] == 0)
    account = Account(appliance)
    onprem.send(frame(), 10)
    account.forwarded("lan", "egress", 10)


def test_without_a_commander_a_strangers_change_is_noticed(lab: Lab, appliance: Appliance) -> None:
    """One that was quick while control was away."""
    appliance.kill_control()
    stranger = Client(appliance)
    stranger.ask(BEGIN_FULL)
    stranger.ask(COMMIT)
    stranger.close()
    appliance.start_control()
    appliance.wait_ready()
    assert "Hello" in lab.fetch()


def samples(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^([a-z_]+(?:\{[^}]*\})?) ([0-9.e+]+)$", text, re.M)}


def test_the_metrics_say_the_same(lab: Lab, appliance: Appliance) -> None:
    text = appliance.config.read_text()
    appliance.config.write_text(text + '\n[metrics]\nlisten = "127.0.0.1:9273"\n')
    appliance.reload()

    def scraped() -> dict[str, Any]:
        return samples(lab["nva"].run("curl", "-s", "http://127.0.0.1:9273/metrics"))

    try:
        assert scraped()['sekisho_next_hop_up{next_hop="Internet"}'] == 1
        assert scraped()['sekisho_problems{kind="next_hop_down"}'] == 0
        for space in ("firewall", "firewall2"):
            lab.link_down(space)
        wait_until("no firewall", lambda: scraped()['sekisho_problems{kind="next_hop_down"}'] == 1)
    finally:
        appliance.config.write_text(text)
        appliance.reload()
