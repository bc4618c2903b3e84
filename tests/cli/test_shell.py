# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho shell`: lines from a pipe, and a person at a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import threading
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


def test_lines_with_their_own_options(sekisho: Any, socket: Path, tmp_path: Path) -> None:
    line = f"--json --color never --socket {socket} show ports\n"
    done = sekisho("--socket", tmp_path / "none", "--json", "--color", "always", "shell", stdin=line)
    assert (done.returncode, done.stderr) == (0, "") and '"name": "lan"' in done.stdout, done


def test_lines_of_windows(sekisho: Any, socket: Path) -> None:
    done = sekisho("--socket", socket, "shell", stdin="\r\n \t\r\nversion\t\r\n\t\nshow po?\t\r\nsekisho\r\nexit\t\r\nversion\r\n")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["sekisho", "ports"], done


def test_whoever_ends_a_command_of_a_pipe_ends_the_shell(sekisho: Any, tmp_path: Path) -> None:
    asked, ends = threading.Event(), threading.Event()

    def answer(_: Any) -> str:
        asked.set()
        ends.wait(30)
        return "no"

    with contextlib.closing(ControlSocket(tmp_path / "control.sock", answer)):
        # A job of a shell in the background has SIGINT ignored, and so have its children.
        shell = subprocess.Popen([sekisho.binary, "--socket", tmp_path / "control.sock", "shell"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True,
                                 preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # fmt: skip
        assert shell.stdin is not None
        shell.stdin.write("show ports\nversion\n")
        shell.stdin.flush()
        assert asked.wait(30)
        children = Path(f"/proc/{shell.pid}/task").glob("*/children")
        os.kill(next(int(pid) for file in children for pid in file.read_text().split()), signal.SIGINT)
        said, _ = shell.communicate(timeout=30)
        ends.set()
    assert (shell.returncode, said) == (128 + signal.SIGINT, "")


def test_lines_that_cannot_be_read(sekisho: Any, tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    done = subprocess.run([sekisho.binary, "shell"], stdin=folder, capture_output=True, text=True, timeout=30)
    os.close(folder)
    assert done.returncode == 1 and "standard input cannot be read: Is a directory" in done.stderr, done


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
