# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho top` against a control that counts as it is told, on a terminal that is a pseudo-terminal."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import pytest

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class Control:
    """Answers as sekisho-control does. Every sample finds 1000 packets of 100 bytes more."""

    def __init__(self, path):
        self.path = path
        self.uptime = 10
        self.connected = True
        self.samples = 0
        self.listener = None
        self.start()

    def start(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.path.unlink()

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError, struct.error):
            stream = client.makefile("rb")
            while True:
                (length,) = struct.unpack(">I", stream.read(4))
                reply = json.dumps(
                    {"ok": True, "result": self.answer(json.loads(stream.read(length))["what"])}
                ).encode()
                client.sendall(struct.pack(">I", len(reply)) + reply)

    def traffic(self, factor=1):
        return {"packets": 1000 * factor * self.samples, "bytes": 100_000 * factor * self.samples}

    def answer(self, what):
        if what == "state":
            self.samples += 1
            return {
                "dataplane": {"connected": True, "uptime_seconds": self.uptime}
                if self.connected
                else {"connected": False}
            }
        counters = {"rx": self.traffic(), "tx": self.traffic(2)} if self.connected else {}
        traffic = {"traffic": self.traffic()} if self.connected else {}
        return {
            "ports": [{"name": "lan", "running": self.connected, "link": "up", **counters}],
            "zones": [{"name": "onprem", **traffic}],
            "next-hops": [
                {"name": "firewall", "action": "forward", "alive": 1, "members": [{}, {}], **traffic},
                {"name": "None", "action": "drop", "alive": 0, "members": [], **traffic},
            ],
            "drops": [
                {"port": "lan", "by": "dataplane", "reason": "ttl_expired", "packets": 5},
                {"port": "lan", "by": "dataplane", "reason": "no_route", "packets": 10 * self.samples},
            ],
        }[what]


@pytest.fixture
def control(tmp_path):
    control = Control(tmp_path / "control.sock")
    yield control
    with contextlib.suppress(OSError):
        control.stop()


class Lines:
    """`top --json` while it runs."""

    def __init__(self, program, control):
        command = [program, "--socket", str(control.path), "top", "--json", "--interval", "0.1"]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def until(self, holds):
        """The first line of which it holds; a minute of others is a failure."""
        deadline = time.monotonic() + 60
        for line in self.child.stdout:
            document = json.loads(line)
            if holds(document):
                return document
            assert time.monotonic() < deadline, document
        raise AssertionError(self.child.stderr.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.communicate(timeout=20)


@pytest.fixture
def program(sekisho):
    return sekisho.binary


def port_rate(document):
    return document["ports"][0]["rx"]["packets_per_second"]


def test_once_as_json(sekisho, control):
    done = sekisho("--socket", control.path, "top", "--once", "--interval", "0.2", "--json")
    assert done.returncode == 0, done
    assert done.stdout.count("\n") == 1
    document = json.loads(done.stdout)
    seconds = document["seconds"]
    assert seconds >= 0.2 and document["problem"] is None and document["dataplane_connected"] is True

    def rates(packets):
        return {
            "packets_per_second": pytest.approx(packets / seconds),
            "bits_per_second": pytest.approx(packets * 100 * 8 / seconds),
        }

    assert document["ports"] == [{"name": "lan", "running": True, "link": "up", "rx": rates(1000), "tx": rates(2000)}]
    assert document["zones"] == [{"name": "onprem", **rates(1000)}]
    assert document["next_hops"] == [
        {"name": "firewall", "alive": 1, "members": 2, **rates(1000)},
        {"name": "None", "alive": None, "members": None, **rates(1000)},
    ]
    assert [(drop["reason"], drop["packets"], drop["packets_per_second"]) for drop in document["drops"]] == [
        ("no_route", 20, pytest.approx(10 / seconds)),
        ("ttl_expired", 5, 0),
    ]


def test_once_as_text(sekisho, control):
    done = sekisho("--socket", control.path, "top", "--once", "--interval", "0.2")
    assert done.returncode == 0, done
    assert "\x1b" not in done.stdout
    assert re.search(r"^lan +up +[0-9.]+k +[0-9.]+M +[0-9.]+k +[0-9.]+M$", done.stdout, re.MULTILINE), done.stdout
    assert re.search(r"^firewall +1/2 +[0-9.]+k +[0-9.]+M$", done.stdout, re.MULTILINE), done.stdout
    assert re.search(r"^lan +dataplane +no_route +\d+ +20$", done.stdout, re.MULTILINE), done.stdout


def test_once_without_control(refused, tmp_path):
    assert "is it running?" in refused("--socket", tmp_path / "none.sock", "top", "--once")


def test_the_live_view_needs_a_terminal(refused, control):
    assert "--once and --json" in refused("--socket", control.path, "top")


@pytest.mark.parametrize("interval", ["0", "-1", "x", "1e9"])
def test_an_interval_that_is_none(sekisho, interval):
    assert sekisho("top", "--interval", interval).returncode == 2


def test_a_dataplane_that_restarts_has_no_rates_for_a_moment(program, control):
    with Lines(program, control) as lines:
        lines.until(port_rate)
        control.uptime = 0
        assert lines.until(lambda document: port_rate(document) is None)["drops"][0]["packets_per_second"] is None
        lines.until(port_rate)


def test_a_dataplane_that_is_gone(program, control):
    with Lines(program, control) as lines:
        lines.until(port_rate)
        control.connected = False
        gone = lines.until(lambda document: not document["dataplane_connected"])
        assert gone["ports"][0]["running"] is False and gone["drops"] == [] and gone["problem"] is None
        control.connected = True
        lines.until(port_rate)


def test_a_control_that_is_gone(program, control):
    with Lines(program, control) as lines:
        lines.until(port_rate)
        control.stop()
        gone = lines.until(lambda document: document["problem"])
        assert "is it running?" in gone["problem"] and gone["ports"] == []
        control.start()
        lines.until(port_rate)


class Terminal:
    """The program in a session of its own on a pseudo-terminal."""

    def __init__(self, program, *arguments, rows=40, columns=100):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.environ.pop("NO_COLOR", None)
            os.execv(program, [str(program), *map(str, arguments)])
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.master)
        self.output = b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, pattern):
        deadline = time.monotonic() + 30
        while not (found := re.search(pattern, self.output, re.DOTALL)):
            assert time.monotonic() < deadline, self.output
            if select.select([self.master], [], [], 1)[0]:
                try:
                    self.output += os.read(self.master, 65536)
                except OSError:  # the program has ended
                    found = re.search(pattern, self.output, re.DOTALL)
                    assert found, self.output
                    break
        self.output = self.output[found.end() :]
        return found

    def press(self, keys):
        os.write(self.master, keys)

    def wait(self):
        self.read_until(re.escape(LEAVE))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        raise AssertionError("it does not end")

    def close(self):
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)


@pytest.fixture
def terminal(program, control):
    terminal = Terminal(program, "--socket", control.path, "top", "--interval", "0.1")
    yield terminal
    terminal.close()


@pytest.mark.parametrize("how", ["q", "Q", "ctrl-C", "SIGTERM", "SIGHUP"])
def test_quits_and_leaves_the_terminal_as_it_was(terminal, how):
    terminal.read_until(re.escape(ENTER))
    terminal.read_until(rb"RX-PPS.*[0-9.]+k.*NEXT-HOP.*firewall.*no_route")
    raw = termios.tcgetattr(terminal.master)
    assert not raw[3] & (termios.ECHO | termios.ICANON)
    if how.startswith("SIG"):
        os.kill(terminal.pid, getattr(signal, how))
    else:
        terminal.press(b"\x03" if how == "ctrl-C" else how.encode())
    assert terminal.wait() == 0
    assert termios.tcgetattr(terminal.master)[3] == terminal.before[3]


def test_other_keys_do_nothing(terminal):
    terminal.read_until(rb"RX-PPS")
    terminal.press(b"xyz\x1a\n")  # ctrl-Z would leave a shell on the alternate screen
    for _ in range(3):
        terminal.read_until(rb"RX-PPS")
    terminal.press(b"q")
    assert terminal.wait() == 0


def test_follows_the_size_of_the_terminal(terminal):
    terminal.read_until(rb"no_route")
    terminal.resize(4, 100)
    page = terminal.read_until(rb"\x1b\[H((?:(?!\x1b\[H|no_route).)*?)\x1b\[J")
    assert page.group(1).count(b"\n") == 3
    terminal.resize(40, 100)
    terminal.read_until(rb"no_route")


def test_shows_that_control_is_gone_and_back(terminal, control):
    terminal.read_until(rb"dataplane connected")
    control.stop()
    terminal.read_until(rb"cannot reach sekisho-control")
    control.start()
    terminal.read_until(rb"dataplane connected.*[0-9.]+k")


def test_a_control_that_hangs_can_be_quit(program, tmp_path):
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "deaf.sock"))
        deaf.listen()
        terminal = Terminal(program, "--socket", tmp_path / "deaf.sock", "top")
        try:
            terminal.read_until(re.escape(ENTER))
            asker, _ = deaf.accept()
            with asker:
                assert asker.recv(4)  # it has asked, and waits
                terminal.press(b"\x03")
                assert terminal.wait() == 0
        finally:
            terminal.close()
