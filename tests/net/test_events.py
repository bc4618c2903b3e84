# SPDX-License-Identifier: BSD-3-Clause
"""Who follows the appliance hears of every change, and the appliance can be drained: `sekisho monitor`, the hook, `sekisho drain`."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from lab import config
from lab.appliance import BUILD, Appliance, Refused
from lab.process import Process, execute, wait_until
from lab.stream import Stream
from lab.topology import FIREWALL, LAN, STREAM, Lab

pytestmark = pytest.mark.usefixtures("manuals_neighbour_timers")

HEALTH = f'\n[health]\nlisten = ["{LAN}:8080"]\n'
READING = "cat >>{folder}/told"


def write_hook(folder: Path, body: str) -> None:
    """Whole or not at all: it may be run at any time."""
    new = folder / "hook.new"
    new.write_text(f"#!/bin/sh\n{body.format(folder=folder)}\n")
    new.chmod(0o755)
    new.rename(folder / "hook")


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    file = config.with_two_firewalls(lab)
    write_hook(lab.folder, READING)
    file.write_text(file.read_text() + HEALTH + f'[hook]\non_change = "{lab.folder}/hook"\n')
    appliance = Appliance(lab, file)
    appliance.start()
    return appliance


@pytest.fixture(autouse=True)
def well(lab: Lab, appliance: Appliance) -> Iterator[None]:
    text = appliance.config.read_text()
    yield
    for space in ("firewall", "firewall2"):
        lab.link_up(space)
    write_hook(lab.folder, READING)
    appliance.execute("undrain")
    if appliance.config.read_text() != text:
        appliance.config.write_text(text)
        appliance.reload()
    wait_until("the appliance to be well again", lambda: verdict(appliance) == "forwarding")


def verdict(appliance: Appliance) -> str:
    return appliance.execute("show", "state", "--check").stdout.split("\n")[0]


def is_part(members: dict[str, Any], event: dict[str, Any]) -> bool:
    return all(event.get(key) == value for key, value in members.items())


class Monitor:
    def __init__(self, lab: Lab, appliance: Appliance, name: str) -> None:
        command = BUILD / "control" / "sekisho"
        self.process: Process = lab.spawn("nva", name, command, "--socket", appliance.socket, "monitor", "--json")

    def events(self) -> list[dict[str, Any]]:
        lines = self.process.output().split("\n")[:-1]  # the last may not be whole
        return [json.loads(line) for line in lines]

    def wait(self, event: str, /, **members: Any) -> dict[str, Any]:
        """One of this kind with these members."""

        def found() -> dict[str, Any] | None:
            return next(
                (told for told in self.events() if told["event"] == event and is_part(members, told)), None
            )

        return wait_until(f"{event} {members}", found)


@contextmanager
def monitor(lab: Lab, appliance: Appliance, name: str) -> Iterator[Monitor]:
    watching = Monitor(lab, appliance, f"monitor-{name}")
    try:
        watching.wait("verdict")
        yield watching
    finally:
        watching.process.send(signal.SIGCONT)
        watching.process.stop()
        lab.forget(watching.process)


def told(lab: Lab) -> list[dict[str, Any]]:
    """By the hook."""
    file = lab.folder / "told"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_each_change_is_told(lab: Lab, appliance: Appliance) -> None:
    with monitor(lab, appliance, "changes") as watching:
        assert watching.events()[0]["verdict"] == "forwarding"
        lab.link_down("firewall")
        watching.wait("member", member=FIREWALL, alive=False, next_hops=["firewall"])
        watching.wait("verdict", verdict="degraded", before="forwarding", reasons=["firewall 1 of 2 alive"])
        watching.wait("problem", kind="next_hop_degraded", subject="firewall", state="begins")
        lab.link_down("firewall2")
        watching.wait("verdict", verdict="closed", reasons=["no living member of firewall"])
        for space in ("firewall", "firewall2"):
            lab.link_up(space)
        watching.wait("member", member=FIREWALL, alive=True)
        watching.wait("problem", kind="next_hop_down", state="ends")
        appliance.reload()
        watching.wait("reload", applied=True)
        appliance.config.write_text(appliance.config.read_text() + "nonsense\n")
        with pytest.raises(Refused):
            appliance.reload()
        assert "halves.toml:" in watching.wait("reload", applied=False)["why"]
        watching.wait("problem", kind="reload_refused", state="begins")
        lab["fabric"].ip("link", "set", "nva-lan0", "down")
        watching.wait("problem", kind="link_down", subject="lan", state="begins")
        lab["fabric"].ip("link", "set", "nva-lan0", "up")
        watching.wait("problem", kind="link_down", subject="lan", state="ends")
        appliance.kill_dataplane()
        watching.wait("problem", kind="dataplane_down", state="begins")
        appliance.start_dataplane()
        watching.wait("problem", kind="dataplane_down", state="ends")
        assert appliance.dataplane is not None
        appliance.wait_ready()
        appliance.dataplane.send(signal.SIGSTOP)
        watching.wait("verdict", verdict="closed", before="degraded")
        watching.wait("problem", kind="dataplane_hung", state="begins")
        appliance.dataplane.send(signal.SIGCONT)
        watching.wait("problem", kind="dataplane_hung", state="ends")
        # The hook hears the same; of verdicts that came while it ran, the last.
        wait_until("the hook", lambda: {"verdict", "member", "problem", "reload"} <= {event["event"] for event in told(lab)})
        assert all(event in watching.events() for event in told(lab) if event["event"] == "reload")


def test_a_restart_of_control_is_no_news_but_the_verdict(lab: Lab, appliance: Appliance) -> None:
    appliance.kill_control()
    began = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    appliance.start_control()

    def verdicts() -> list[str]:
        """Not what happened before: a hook that control's death left behind may still write that."""
        return [event["verdict"] for event in told(lab) if event["event"] == "verdict" and event["time"] >= began]

    wait_until("the verdict", verdicts)
    assert verdicts() == ["forwarding"]


def test_who_does_not_read_holds_nobody_up(lab: Lab, appliance: Appliance) -> None:
    """The others hear at once, and traffic goes on."""
    with monitor(lab, appliance, "quick") as quick, monitor(lab, appliance, "slow") as slow, Stream(lab, STREAM) as stream:
        stream.wait_received(1000)
        slow.process.send(signal.SIGSTOP)
        for _ in range(3):
            appliance.execute("drain", "--for", "0")
            appliance.execute("undrain")
        assert quick.wait("drain", draining=True)
        slow.process.send(signal.SIGCONT)
        slow.wait("drain", draining=True)
        stream.stop()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result


def test_a_monitor_ends_with_control(lab: Lab, appliance: Appliance) -> None:
    watching = Monitor(lab, appliance, "monitor-ends")
    watching.wait("verdict")
    appliance.kill_control()
    wait_until("it to end", lambda: not watching.process.running())
    lab.forget(watching.process)
    assert watching.process.child.returncode == 1
    assert "ended the connection" in watching.process.output()
    appliance.start_control()
    appliance.wait_ready()


HOOKS = {
    "hangs": ("sleep 1000 & sleep 1000", "was killed: it had not ended in time"),
    "fails": ("echo 'the pager is away' >&2; exit 7", 'ended with exit status 7: "the pager is away"'),
    "prints": ("head -c 50000000 /dev/zero; exit 5", "ended with exit status 5"),
    "dies": ("kill -9 $$", "was ended by signal 9"),
}


@pytest.mark.parametrize("what", HOOKS)
def test_a_hook_that_misbehaves(lab: Lab, appliance: Appliance, what: str) -> None:
    """One clear sentence, and nothing depends on it: not the probes, not failover, not traffic."""
    assert appliance.control is not None
    body, sentence = HOOKS[what]
    write_hook(lab.folder, body)
    before = len(appliance.control.output())
    with Stream(lab, STREAM) as stream:
        stream.wait_received(1000)
        lab["nva"].ip("neigh", "flush", "dev", "lan0")
        appliance.execute("drain", "--for", "0")
        wait_until("the drain", lambda: probe(lab) == 503)
        appliance.execute("undrain")
        wait_until("the end of it", lambda: probe(lab) == 200)
        wait_until("the sentence", lambda: sentence in appliance.control.output()[before:])
        stream.stop()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
    line = next(line for line in appliance.control.output()[before:].splitlines() if sentence in line)
    assert f"hook {lab.folder}/hook {sentence}" in line and len(line) < 400


def test_a_hook_that_is_not_there(lab: Lab, appliance: Appliance) -> None:
    text = appliance.config.read_text()
    appliance.config.write_text(text.replace("/hook", "/hok"))
    line = text[: text.index("on_change")].count("\n") + 1
    reason = f"{appliance.config}:{line}: the hook {lab.folder}/hok cannot be run: No such file or directory"
    with pytest.raises(Refused, match=re.escape(reason)):
        appliance.reload()
    # At the start it keeps nothing down.
    appliance.kill_control()
    appliance.start_control()
    appliance.wait_ready()
    assert appliance.control is not None and reason in appliance.control.output()


def probe(lab: Lab) -> int:
    done = execute(
        *lab["vnet"].command("curl", "-s", "-o", os.devnull, "--max-time", "5", "-w", "%{http_code}", f"http://{LAN}:8080/")
    )
    return int(done.stdout)


def test_drain(lab: Lab, appliance: Appliance) -> None:
    """Probes fail, all that still comes is forwarded, it is kept over a restart, and taken back."""
    with Stream(lab, STREAM) as stream:
        stream.wait_received(1000)
        done = appliance.execute("drain", "--for", "2s")
        assert done.returncode == 1 and "traffic has not ceased within 2 s" in done.stderr, done
        assert re.search(r"[1-9]\d* packets were forwarded in the last second", done.stdout), done
        assert probe(lab) == 503
        state = appliance.json("show", "state")
        assert (state["verdict"], state["draining"] is None) == ("forwarding", False)
        appliance.kill_control()
        appliance.start_control()
        appliance.wait_ready()
        assert probe(lab) == 503
        shown = appliance.execute("show", "state", "--check")
        assert shown.returncode == 0 and "\ndraining for 00:00:" in shown.stdout
        stream.wait_more(5000)
        stream.stop()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
    done = appliance.execute("drain", "--for", "1m")
    assert done.returncode == 0 and "traffic has ceased" in done.stdout, done
    assert appliance.execute("undrain").returncode == 0
    assert probe(lab) == 200
    assert appliance.json("show", "state")["draining"] is None


def test_a_drain_that_cannot_be_kept_is_refused(lab: Lab, appliance: Appliance) -> None:
    state = lab.folder / "state"
    kept = state.with_name("state.kept")
    if state.exists():
        state.rename(kept)
    state.write_text("a file where the directory should be\n")
    try:
        done = appliance.execute("drain", "--for", "0")
        assert done.returncode == 1 and f"{state}/control.json cannot be written: Not a directory" in done.stderr
        assert probe(lab) == 200
    finally:
        state.unlink()
        if kept.exists():
            kept.rename(state)
