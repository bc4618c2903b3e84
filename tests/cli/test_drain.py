# SPDX-License-Identifier: BSD-3-Clause
"""What `sekisho drain` makes of FRR's answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from control_socket import ControlSocket

HALVES = ["0.0.0.0/1", "128.0.0.0/1"]
HANGS = "FRR does not answer: vtysh had not ended after 5 s and was killed"
TOLD = "sekisho: what BGP peers were told could not be withdrawn: "


def bgp(failure: str | None = None, originated: list[str] = []) -> dict[str, Any]:
    return {"configured": True, "originated": originated, "frr": {"failure": failure}}


class Control:
    """Drained by nobody yet, with no traffic; `looks` is what FRR says, one after the other."""

    def __init__(self, path: Path, *looks: dict[str, Any] | None) -> None:
        self.looks = list(looks)
        self.socket = ControlSocket(path, self.answer)

    def answer(self, request: dict[str, Any]) -> list[Any]:
        if request["command"] == "drain":
            look = self.looks.pop(0)
            return [{"draining": True, "since_unix_ms": 1, "changed": True} | ({"bgp": look} if look else {})]
        if request["what"] == "bgp":
            return [self.looks.pop(0)]
        return [[{"traffic": {"packets": 7}}]]


@pytest.fixture
def drain(tmp_path: Path, sekisho: Any) -> Iterator[Any]:
    controls = []

    def run(looks: list[dict[str, Any] | None], *words: str) -> Any:
        path = tmp_path / f"control-{len(controls)}.sock"
        controls.append(Control(path, *looks))
        done = sekisho("--socket", path, "drain", *words)
        assert not controls[-1].looks, "it asked as often as expected"
        return done

    yield run
    for control in controls:
        control.socket.close()


def test_withdrawn(drain: Any) -> None:
    done = drain([bgp()], "--for", "0")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("BGP peers are told to send nothing here any more\n")
    done = drain([None], "--for", "0")
    assert (done.returncode, done.stderr) == (0, "") and "BGP" not in done.stdout


@pytest.mark.parametrize(
    ("look", "why"),
    [(bgp(HANGS, HALVES), HANGS), (bgp(None, HALVES[:1]), "FRR still originates it"), (bgp(HANGS), HANGS)],
)
def test_not_withdrawn_is_a_failure(drain: Any, look: dict[str, Any], why: str) -> None:
    done = drain([look], "--for", "0")
    assert (done.returncode, done.stderr) == (1, f"{TOLD}{why}\n")
    assert done.stdout == "health probes get 503 from now on; everything that still comes is forwarded\n"
    done = drain([look], "--for", "0", "--json")
    assert (done.returncode, done.stderr) == (1, f"{TOLD}{why}\n")
    assert json.loads(done.stdout)["draining"] is True


def test_it_is_tried_again_while_traffic_is_waited_for(drain: Any) -> None:
    done = drain([bgp(HANGS, HALVES), bgp()], "--for", "10s")
    assert (done.returncode, done.stderr) == (0, f"{TOLD}{HANGS}; it is tried again\n")
    done = drain([bgp(HANGS, HALVES), bgp(HANGS, HALVES)], "--for", "10s", "--json")
    assert done.returncode == 1 and done.stderr.endswith(f"{TOLD}{HANGS}\n"), done
    assert json.loads(done.stdout.splitlines()[-1])["ceased"] is True
