# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho bgp watch` beside a control that hangs, dies and returns in bad moments. FRR is a script that keeps `network` statements."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_bgp import CONFIG

HALVES = ["0.0.0.0/1", "128.0.0.0/1"]
MORE = "203.0.113.0/24"
VTYSH = """#!/bin/sh
here=$(dirname "$0")
while [ $# -gt 0 ]; do
  case $1 in
    "show running-config no-header")
      printf 'frr version 8.4.4\\nrouter bgp 65010\\n address-family ipv4 unicast\\n'
      sed 's/^/  network /' "$here/state"
      printf ' exit-address-family\\nexit\\n!\\nend\\n' ;;
    "no network "*) grep -vx "${1#no network }" "$here/state" >"$here/new"; mv "$here/new" "$here/state" ;;
  esac
  shift
done
"""


def wait_until(what: str, holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.02)


class Control:
    """Of its connections, each is answered only when a test says so."""

    def __init__(self, path: Path, backlog: int = 8) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(backlog)
        self.listener.settimeout(10)
        self.connection: socket.socket | None = None

    def accept(self) -> None:
        self.connection, _ = self.listener.accept()
        self.connection.settimeout(10)

    def question(self) -> dict[str, Any]:
        assert self.connection is not None
        (length,) = struct.unpack(">I", self.connection.recv(4, socket.MSG_WAITALL))
        question: dict[str, Any] = json.loads(self.connection.recv(length, socket.MSG_WAITALL))
        return question

    def answer(self, prefixes: list[str], dead_after_ms: int = 500) -> None:
        assert self.connection is not None and self.question() == {"command": "advertising"}
        plan = {"configured": True, "frr": "", "dead_after_ms": dead_after_ms, "prefixes": prefixes}
        body = json.dumps({"ok": True, "result": plan}).encode()
        self.connection.sendall(struct.pack(">I", len(body)) + body)

    def leave(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.listener.close()


class Watch:
    def __init__(self, folder: Path, binary: Path) -> None:
        self.folder = folder
        self.socket = folder / "control.sock"
        self.config = folder / "sekisho.toml"
        self.config.write_text(CONFIG + 'dead_after = "5s"\n')
        self.state = folder / "state"
        self.state.write_text("".join(f"{prefix}\n" for prefix in [*HALVES, MORE]))
        (folder / "vtysh").write_text(VTYSH)
        (folder / "vtysh").chmod(0o755)
        self.dataplane = socket.socket(socket.AF_UNIX)
        self.dataplane.bind(str(folder / "dataplane.sock"))
        self.dataplane.listen()
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [binary, "--socket", self.socket, "bgp", "watch", "--config", self.config,
                 "--dataplane-socket", folder / "dataplane.sock"],
                env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}, stdout=log, stderr=log,
            )  # fmt: skip

    def said(self) -> str:
        return self.log.read_text()

    def wait_said(self, what: str) -> None:
        wait_until(what, lambda: what in self.said())

    def originated(self) -> list[str]:
        return self.state.read_text().split()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.dataplane.close()


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = Control(tmp_path / "control.sock")
    yield control
    control.leave()


@pytest.fixture
def watch(control: Control, tmp_path: Path, sekisho: Any) -> Iterator[Watch]:
    watch = Watch(tmp_path, sekisho.binary)
    yield watch
    watch.close()


def test_a_question_that_went_with_its_connection_is_put_again(control: Control, watch: Watch) -> None:
    control.accept()
    assert control.question() == {"command": "advertising"}
    assert control.connection is not None
    control.connection.close()
    control.accept()
    control.answer(HALVES, dead_after_ms=60_000)
    watch.wait_said("sekisho-control is there")
    assert watch.originated() == [*HALVES, MORE]


def test_what_control_told_is_withdrawn_whatever_was_edited_since(control: Control, watch: Watch) -> None:
    control.accept()
    control.answer([*HALVES, MORE])
    watch.wait_said("sekisho-control is there")
    watch.config.write_text(CONFIG.split("[bgp]")[0].replace('advertise = "halves"', 'advertise = "none"'))
    for _ in range(6):  # one in two seconds: it reads the file once in ten
        control.answer([*HALVES, MORE])
    control.leave()
    wait_until("the withdrawal", lambda: watch.originated() == [])


def test_without_a_word_of_control_the_file_counts(control: Control, watch: Watch) -> None:
    control.leave()
    wait_until("the withdrawal", lambda: watch.originated() == [MORE])


def test_one_that_hangs_with_a_full_queue_is_missed(control: Control, watch: Watch, tmp_path: Path) -> None:
    """It takes the other one's place, and no connection ever."""
    control.accept()
    control.answer(HALVES)
    watch.wait_said("sekisho-control is there")
    hung = Control(tmp_path / "hung.sock", backlog=0)
    queued = []
    with pytest.raises(BlockingIOError):
        while True:
            queued.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
            queued[-1].connect(str(tmp_path / "hung.sock"))
    (tmp_path / "hung.sock").rename(watch.socket)
    control.leave()
    watch.wait_said("sekisho-control does not answer")
    wait_until("the withdrawal", lambda: watch.originated() == [MORE])
    # There is a place again, and somebody who answers.
    for each in queued:
        each.close()
        hung.accept() if each is not queued[-1] else None
    hung.accept()
    hung.answer(HALVES)
    wait_until("it to be back", lambda: watch.said().count("sekisho-control is there") == 2)
    hung.leave()
