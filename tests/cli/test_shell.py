# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho shell`: lines from a pipe, and a person at a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from control_socket import ControlSocket

PORT = {
    "name": "lan", "device": "af_xdp:lan0", "interface": "lan0", "findings": [], "companion": None, "mss_clamp": None,
    "gateway": None, "link": "up", "running": True, "error": None, "driver": "net_af_xdp", "mac": "02:00:00:00:00:01",
    "mtu": 1500, "rx_queues": 1, "tx_queues": 1, "lcores": [1], "rx": {"packets": 7, "bytes": 1}, "tx": {"packets": 8, "bytes": 1},
    "addresses": ["10.0.1.4/24"], "zones": ["onprem"],
}  # fmt: skip
NAMES = {"zones": ["onprem"], "ports": ["lan"], "next_hops": []}


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Path]:
    answers = {"ports": [PORT], "names": NAMES}
    control = ControlSocket(tmp_path / "control.sock", lambda request: [answers[request["what"]]] if request.get("what") in answers else "no")
    yield tmp_path / "control.sock"
    control.close()


def test_lines_of_a_pipe(sekisho: Any, socket: Path) -> None:
    done = sekisho("--socket", socket, "shell", stdin="# a comment\n\nsh po -br\nsekisho version\nexit\nshow nonsense\n")
    assert (done.returncode, done.stderr) == (0, ""), done
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["lan", "running", "up", "10.0.1.4/24"] and len(lines) == 2, done


def test_the_status_is_that_of_the_last_command_that_failed(sekisho: Any, socket: Path) -> None:
    for lines, status in (("show zones\nshow ports\n", 1), ("show nonsense\nversion", 2), ("show nonsense\nshow zones\n", 1),
                          ("version\n", 0), ("explain 'a\n", 2), ("", 0), ("shell\n", 2)):  # fmt: skip
        assert sekisho("--socket", socket, "shell", stdin=lines).returncode == status, lines


def test_options_of_the_shell_are_those_of_each_command(sekisho: Any, socket: Path) -> None:
    assert '"name": "lan"' in sekisho("--socket", socket, "--json", "shell", stdin="show ports\n").stdout


def test_commands_do_not_eat_the_lines(sekisho: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("10.0.0.0/8 x\n")
    done = sekisho("shell", stdin=f"lookup --routes {tmp_path}/a.txt\nversion\n")
    assert len(done.stdout.splitlines()) == 1, done


def test_a_question_mark_says_what_may_follow(sekisho: Any, socket: Path) -> None:
    text = sekisho("--socket", socket, "shell", stdin="show po?\nshow routes --zone ?\ncheck ?\n").stdout
    lines = text.splitlines()
    assert lines[0].startswith("  ports  Ports with their device"), text
    assert lines[1].split() == ["onprem", "zone"] and lines[2] == "  a file's name", text


def test_at_a_terminal(sekisho: Any, socket: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80", "XDG_STATE_HOME": str(tmp_path), "NO_COLOR": "1"}
    shell = subprocess.Popen([sekisho.binary, "--socket", socket, "shell"], stdin=theirs, stdout=theirs, stderr=theirs,
                             env=environment, start_new_session=True)  # fmt: skip
    os.close(theirs)
    seen = ""

    def until(text: str) -> None:
        nonlocal seen
        deadline = time.monotonic() + 30
        while text not in seen:
            assert time.monotonic() < deadline, seen
            if select.select([ours], [], [], 1)[0]:
                seen += os.read(ours, 65536).decode()
        seen = seen[seen.index(text) + len(text) :]

    try:
        until("sekisho> ")
        os.write(ours, b"sh po\t-br\n")  # completed: "ports "
        until("10.0.1.4/24")
        until("sekisho> ")
        os.write(ours, b"show ports ?")
        until("--brief")
        os.write(ours, b"\nexit\n")
        assert shell.wait(30) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            shell.kill()
        os.close(ours)
    assert "sh ports -br" in (tmp_path / "sekisho" / "shell-history").read_text().replace("\\040", " ")
