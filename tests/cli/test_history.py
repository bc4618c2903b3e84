# SPDX-License-Identifier: BSD-3-Clause
"""What `sekisho history`, `confirm`, `rollback` and `reload --confirm` ask, and what they make of the answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from control_socket import ControlSocket

RELOADED = {
    "applied": True, "transaction": 3, "ports_changed": 0, "next_hops_changed": 0, "adjacencies_changed": 0,
    "zones_changed": 1, "routes_added": 1, "routes_changed": 0, "routes_removed": 0, "failed_ports": [],
    "overrides_dropped": 0, "policy": 5, "confirm_until_unix_ms": None, "warnings": [],
}  # fmt: skip


def policy(number: int, cause: str = "reload") -> dict[str, Any]:
    return {
        "policy": number, "ran_unix_ms": 1_772_366_400_000, "cause": cause,
        "files": ["/etc/sekisho/sekisho.toml", "/srv/routes.txt"], "folder": f"/var/lib/sekisho/history/{number}/root",
    }  # fmt: skip


def history(**changes: Any) -> dict[str, Any]:
    return {
        "runs": 5, "why_none": None, "starts_with": None, "confirm_until_unix_ms": None, "why_not_back": None,
        "configuration": "/etc/sekisho/sekisho.toml", "policies": [policy(4, "start"), policy(5)],
    } | changes  # fmt: skip


@pytest.fixture
def ask(tmp_path: Path, sekisho: Any) -> Iterator[Callable[..., Any]]:
    """Runs a command against a control that gives `answer`, and returns what it came to and what was asked."""
    sockets = []

    def run(answer: Any, *words: str) -> Any:
        socket = ControlSocket(tmp_path / f"{len(sockets)}.sock", lambda _: answer if isinstance(answer, str) else [answer])
        sockets.append(socket)
        return sekisho("--socket", socket.path, *words), socket.asked

    yield run
    for socket in sockets:
        socket.close()


def test_a_list(ask: Any) -> None:
    done, asked = ask(history(), "history")
    assert asked == [{"command": "history"}]
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == ["policy", "4", "5"]
    assert "start" in rows[1] and rows[2][-1] == "runs"


def test_a_trial_and_a_pin_are_said(ask: Any) -> None:
    done, _ = ask(history(starts_with=4, confirm_until_unix_ms=1_772_366_400_000), "history")
    assert "policy 4 is put back at 2026-" in done.stdout
    done, _ = ask(history(starts_with=4, why_not_back="no such device"), "history")
    assert "policy 4 is not put back yet: no such device" in done.stdout
    done, _ = ask(history(starts_with=4, runs=4), "history")
    assert "policy 4 is started instead of /etc/sekisho/sekisho.toml: `sekisho reload` ends that" in done.stdout
    done, _ = ask(history(runs=None, why_none="no room"), "history")
    assert "what runs is not in the history: no room" in done.stdout


def test_one_policy(ask: Any) -> None:
    done, _ = ask(history(), "history", "5")
    assert "/var/lib/sekisho/history/5/root/srv/routes.txt" in done.stdout
    done, _ = ask(history(), "history", "5", "--json")
    assert json.loads(done.stdout) == policy(5)
    done, _ = ask(history(), "history", "6")
    assert done.returncode == 1
    assert done.stderr == "sekisho: policy 6 is not in the history: `sekisho history` lists it\n"


def test_a_reload_on_trial(ask: Any) -> None:
    until = int(time.time() * 1000) + 90_000
    done, asked = ask(RELOADED | {"confirm_until_unix_ms": until}, "reload", "--confirm", "90s")
    assert asked == [{"command": "reload", "force": False, "confirm_seconds": 90}]
    assert "on trial: what ran before is put back in 90 s unless `sekisho confirm` comes" in done.stdout
    assert done.returncode == 0
    for words in (["--confirm", "0"], ["--confirm", "2d"], ["--confirm", "25h"], ["--confirm", "60", "--dry-run"], ["--config", "x"]):
        done, asked = ask(RELOADED, "reload", *words)
        assert done.returncode != 0 and asked == [], words


def test_a_confirmation(ask: Any) -> None:
    done, asked = ask(history(), "confirm")
    assert asked == [{"command": "confirm"}]
    assert done.stdout == "confirmed: policy 5 stays\n"
    done, _ = ask("no reload is on trial", "confirm")
    assert done.returncode == 1
    assert done.stderr == "sekisho: no reload is on trial\n"


def test_a_rollback(ask: Any) -> None:
    done, asked = ask(RELOADED, "rollback")
    assert asked == [{"command": "reload", "force": False, "policy": 0}]
    assert done.stdout.startswith("applied as transaction 3\n")
    _, asked = ask(RELOADED, "rollback", "4", "--force")
    assert asked == [{"command": "reload", "force": True, "policy": 4}]
    done, asked = ask(RELOADED, "rollback", "0")
    assert done.returncode != 0 and asked == []


def test_a_rehearsal_of_another_file(ask: Any, tmp_path: Path) -> None:
    _, asked = ask("no", "reload", "--dry-run", "--config", str(tmp_path / "x" / ".." / "new.toml"))
    assert asked == [{"command": "reload", "force": False, "dry_run": True, "config": str(tmp_path / "new.toml")}]
