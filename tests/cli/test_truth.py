# SPDX-License-Identifier: BSD-3-Clause
"""What a command ends with beside a fault, against a control that says what a test wants."""

import json

import pytest
from control_socket import ControlSocket

STATE = {
    "draining": None,
    "dataplane": {"connected": False},
    "control": {"version": "1", "uptime_seconds": 1, "configuration": "x.toml", "ports": 1, "zones": 1, "candidate_routes": 1},
    "warnings": [],
}
PROBLEM = {
    "kind": "next_hop_down",
    "severity": "bad",
    "subject": "firewall",
    "sentence": "next hop firewall has no living member",
    "remedy": "sekisho show next-hops",
}
RELOADED = {
    "applied": True, "transaction": 7, "ports_changed": 0, "next_hops_changed": 0, "adjacencies_changed": 0,
    "zones_changed": 0, "routes_added": 0, "routes_changed": 0, "routes_removed": 0, "failed_ports": [],
    "overrides_dropped": 0, "warnings": [],
}  # fmt: skip


@pytest.fixture
def ask(tmp_path, sekisho):
    """Runs a command in front of this answer, and gives the request with what came of it."""

    def run(answer, *words):
        control = ControlSocket(tmp_path / "control.sock", lambda _: answer)
        try:
            done = sekisho("--socket", control.path, *words)
        finally:
            control.close()
            control.path.unlink()
        return control.asked[-1], done

    return run


DEGRADED = {"verdict": "degraded", "reasons": ["firewall 1 of 2 alive"], "severity": "warning",
            "problems": [{**PROBLEM, "severity": "warning"}]}  # fmt: skip
CLOSED = {"verdict": "closed", "reasons": ["no living member of firewall", "the guard is off"], "severity": "bad",
          "problems": [PROBLEM]}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "status", "check", "first"),
    [
        ({"verdict": "forwarding", "reasons": [], "severity": "ok", "problems": []}, 0, 0, "forwarding\n"),
        (DEGRADED, 0, 1, "degraded: firewall 1 of 2 alive\n\nwarning  next hop firewall"),
        (CLOSED, 1, 2, "closed: no living member of firewall; the guard is off\n\nbad      next hop firewall"),
    ],
)
def test_show_state_begins_with_the_verdict(ask, said, status, check, first):
    answer = [{**said, **STATE}]
    for words in ((), ("--json",), ("--check",), ("--check", "--json")):
        _, done = ask(answer, "show", "state", *words)
        assert done.returncode == (check if "--check" in words else status), done
        assert json.loads(done.stdout) == answer[0] if "--json" in words else done.stdout.startswith(first)


def test_a_check_of_what_does_not_answer_is_unknown(ask):
    for answer in ("out of memory", [{"verdict": "forwarding"}]):  # a refusal; a control of another version
        _, done = ask(answer, "show", "state", "--check")
        assert done.returncode == 3 and not done.stdout, done
    assert ask("out of memory", "show", "state")[1].returncode == 1


@pytest.mark.parametrize("force", [False, True])
def test_reload_asks_with_force_only_when_told(ask, force):
    asked, done = ask([RELOADED], "reload", *(["--force"] if force else []))
    assert asked == {"command": "reload", "force": force}
    assert done.returncode == 0


def test_reload_ends_with_1_beside_a_fault(ask):
    failed = {"name": "lan", "device": "af_xdp:lan0", "error": "no such device"}
    assert ask([{**RELOADED, "failed_ports": [failed]}], "reload")[1].returncode == 1
    assert ask([{**RELOADED, "applied": False, "transaction": None}], "reload")[1].returncode == 1
    assert ask("port lan would run no more", "reload")[1].returncode == 1


def test_a_dry_run_says_what_would_be_refused(ask):
    nothing = {"added": [], "removed": [], "changed": []}
    plan = {
        "ports": nothing, "next_hops": nothing, "zones": nothing, "routes": {"added": 0, "changed": 0, "removed": 0},
        "exit": {"before": None, "after": None}, "metrics": {"before": None, "after": None},
        "health": {"before": None, "after": None}, "web": {"before": None, "after": None},
        "hook": {"before": None, "after": None}, "overrides_dropped": 0,
        "warnings": [], "refusals": ["port lan would run no more: there is no interface lan9"],
    }  # fmt: skip
    _, done = ask([plan], "reload", "--dry-run")
    assert done.returncode == 1
    assert "refused without --force: port lan would run no more" in done.stdout
    assert ask([plan], "reload", "--dry-run", "--force")[1].returncode == 0
    assert ask([{**plan, "refusals": []}], "reload", "--dry-run")[1].returncode == 0


def explanation(**more):
    return {
        "source": "172.16.0.1", "destination": "1.1.1.1", "port": "lan", "zone": None, "source_prefix": None, "zone_ports": [],
        "port_allowed": None, "candidates": [], "next_hop": None, "members": [], "exit": None, "drop_reason": None,
        "dataplane": None, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "status", "last"),
    [
        ({"verdict": "forward", "sentence": None, "fault": False}, 0, "verdict    forward"),
        ({"verdict": "drop", "sentence": "the dataplane is not running", "fault": True}, 1,
         "verdict    drop: the dataplane is not running"),
        ({"verdict": "unknown", "sentence": "the dataplane does not answer", "fault": True}, 1,
         "verdict    unknown: the dataplane does not answer"),
    ],
)  # fmt: skip
def test_explain_ends_with_what_happens(ask, said, status, last):
    _, done = ask([explanation(**said)], "explain", "172.16.0.1", "1.1.1.1")
    assert done.returncode == status
    assert done.stdout.strip().splitlines()[-1] == last
