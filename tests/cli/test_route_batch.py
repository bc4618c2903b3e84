# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho route batch`: a file of changes is one request, or is refused with file, line and reason and asks for nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from control_socket import ControlSocket

APPLIED = {
    "applied": True, "transaction": 7, "ports_changed": 0, "next_hops_changed": 0, "adjacencies_changed": 0, "zones_changed": 0,
    "routes_added": 1, "routes_changed": 1, "routes_removed": 1, "overrides_dropped": 0, "failed_ports": [], "warnings": [],
    "policy": None, "confirm_until_unix_ms": None,
}  # fmt: skip
CHANGES = """\
# what the gateway lost

replace --zone onprem 198.51.100.0/24 second-gateway   # back on Monday
add\t203.0.113.0/25 None
del --zone=onprem 192.0.2.0/24\r
"""


@pytest.fixture
def batch(tmp_path: Path, sekisho: Any) -> Iterator[Callable[..., Any]]:
    """Runs `sekisho route batch` on a text; with what it then asked."""
    control = ControlSocket(tmp_path / "control.sock", lambda request: [APPLIED])

    def run(text: str, *words: str, stdin: bool = False, answer: Any = None) -> Any:
        control.asked.clear()
        control.answer = lambda request: answer or [APPLIED]
        file = tmp_path / "changes.txt"
        file.write_text(text, newline="")
        source = "-" if stdin else file
        done = sekisho(
            "--socket", control.path, "route", "batch", *words, source, stdin=text if stdin else ""
        )
        return done, list(control.asked)

    yield run
    control.close()


def test_a_file_is_one_request(batch: Callable[..., Any], tmp_path: Path) -> None:
    done, asked = batch(CHANGES, "--zone", "vnet", "--json")
    assert done.returncode == 0 and json.loads(done.stdout) == APPLIED, done
    assert asked == [{
        "command": "route",
        "file": str(tmp_path / "changes.txt"),
        "changes": [
            {"verb": "replace", "zone": "onprem", "prefix": "198.51.100.0/24", "next_hop": "second-gateway", "line": 3},
            {"verb": "add", "zone": "vnet", "prefix": "203.0.113.0/25", "next_hop": "None", "line": 4},
            {"verb": "del", "zone": "onprem", "prefix": "192.0.2.0/24", "line": 5},
        ],
    }]  # fmt: skip


def test_standard_input_is_one_too(batch: Callable[..., Any]) -> None:
    done, asked = batch("del --zone onprem 192.0.2.0/24\n", stdin=True)
    assert done.returncode == 0 and "applied as transaction 7" in done.stdout, done
    assert asked[0]["file"] == "standard input" and len(asked[0]["changes"]) == 1


BAD = [
    ("put 10.0.0.0/8 firewall", '"put" is neither add, replace nor del'),
    ("add 10.0.0.0/8 firewall", "names no zone: write --zone ZONE in the line, or for all of them"),
    ("add --zone onprem 10.0.0.0/8", "must be: add|replace [--zone ZONE] PREFIX NEXT-HOP"),
    ("del --zone onprem 10.0.0.0/8 firewall", "must be: del [--zone ZONE] PREFIX"),
    ("add --zone onprem 10.0.0.1/8 firewall", '"10.0.0.1/8": host bits are set'),
    ("add --zone onprem --zone vnet 10.0.0.0/8 firewall", "--zone is given twice"),
    ("add 10.0.0.0/8 firewall --zone", "--zone requires a zone"),
    ("add --force --zone onprem 10.0.0.0/8 firewall", 'there is no option "--force"'),
]


@pytest.mark.parametrize(("line", "why"), BAD)
def test_a_bad_line_is_named_and_nothing_is_asked(
    batch: Callable[..., Any], tmp_path: Path, line: str, why: str
) -> None:
    done, asked = batch(f"del --zone onprem 192.0.2.0/24\n\n{line}\n")
    assert (done.returncode, done.stdout, asked) == (1, "", []), done
    assert f"{tmp_path / 'changes.txt'}:3: {why}" in done.stderr, done
    done, asked = batch(f"{line}\n", stdin=True)
    assert done.returncode == 1 and f"standard input:1: {why}" in done.stderr and asked == [], done


def test_without_a_change_nothing_is_asked(batch: Callable[..., Any]) -> None:
    done, asked = batch("# nothing\n")
    assert done.returncode == 1 and "no change stands there" in done.stderr and asked == [], done


def test_more_than_a_batch_takes_is_refused_before_it_is_asked(batch: Callable[..., Any]) -> None:
    lines = "".join(f"del --zone onprem 10.{i >> 8 & 255}.{i & 255}.0/24\n" for i in range(65536))
    done, asked = batch(lines + lines)
    assert (
        done.returncode == 1 and ":100001: a batch has 100000 changes at most" in done.stderr and asked == []
    ), done
    done, asked = batch("#" * (16 << 20) + "\n", stdin=True)
    assert done.returncode == 1 and "holds more than 16777216 bytes" in done.stderr and asked == [], done


def test_what_control_refuses_is_said(batch: Callable[..., Any]) -> None:
    done, _ = batch(CHANGES, "--zone", "vnet", answer="changes.txt:4: there is no next hop")
    assert (done.returncode, done.stdout) == (
        1,
        "",
    ) and "changes.txt:4: there is no next hop" in done.stderr, done
