# SPDX-License-Identifier: BSD-3-Clause
"""What `sekisho show bgp` calls good, as a terminal shows it: the prefixes are one unit."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest
from control_socket import ControlSocket

GOOD, BAD = "\x1b[32m", "\x1b[31m"
HALVES = ["0.0.0.0/1", "128.0.0.0/1"]
SESSION = {
    "peer": "10.0.3.4", "asn": 65515, "preset": "azure-route-server", "state": "Established", "established": True,
    "since_unix_ms": None, "prefixes_received": 3, "prefixes_sent": 2, "advertised": HALVES,
}  # fmt: skip


def bgp(**members: Any) -> dict[str, Any]:
    return {
        "configured": True, "asn": 65010, "prefixes": HALVES, "wanted": True, "why_not": [], "originated": HALVES,
        "changed_unix_ms": None, "agrees": True, "sessions": [SESSION],
        "frr": {"instance": None, "version": "8.4.4", "answered_unix_ms": 1, "failure": None},
    } | members  # fmt: skip


def on_a_terminal(binary: Path, tmp_path: Path, said: dict[str, Any]) -> str:
    control = ControlSocket(tmp_path / "control.sock", lambda _: [said])
    ours, theirs = pty.openpty()
    try:
        environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"}
        words = [binary, "--socket", tmp_path / "control.sock", "show", "bgp"]
        done = subprocess.run(words, stdout=theirs, stderr=subprocess.PIPE, env=environment, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
        control.close()


@pytest.mark.parametrize(
    ("said", "tone", "text"),
    [
        (bgp(), GOOD, "advertised: 0.0.0.0/1,128.0.0.0/1"),
        (bgp(originated=HALVES[:1], agrees=False), BAD, "advertised: 0.0.0.0/1 (to be: 0.0.0.0/1,128.0.0.0/1)"),
        (bgp(originated=["0.0.0.0/0", *HALVES], agrees=False), BAD, "(to be: 0.0.0.0/1,128.0.0.0/1)"),
        (bgp(originated=[]), BAD, "nothing is advertised: FRR does not originate it"),
        (bgp(prefixes=[], agrees=False), BAD, "advertised: 0.0.0.0/1,128.0.0.0/1 (nothing is to be)"),
        (
            bgp(wanted=False, why_not=["it is being drained"], agrees=False), BAD,
            "advertised: 0.0.0.0/1,128.0.0.0/1 (to be withdrawn: it is being drained)",
        ),
    ],
)  # fmt: skip
def test_what_is_advertised(sekisho: Any, tmp_path: Path, said: dict[str, Any], tone: str, text: str) -> None:
    line = on_a_terminal(sekisho.binary, tmp_path, said).split("\r\n")[0]
    assert line.startswith(tone) and text in line, line


def test_nothing_to_advertise_is_no_fault(sekisho: Any, tmp_path: Path) -> None:
    line = on_a_terminal(sekisho.binary, tmp_path, bgp(prefixes=[], originated=[])).split("\r\n")[0]
    assert line == "nothing is to be advertised"


def test_a_peer_that_is_told_too_much_to_list(sekisho: Any, tmp_path: Path) -> None:
    session = SESSION | {"prefixes_sent": 900_000, "advertised": []}
    assert "900000 prefixes" in on_a_terminal(sekisho.binary, tmp_path, bgp(sessions=[session]))
