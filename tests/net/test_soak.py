# SPDX-License-Identifier: BSD-3-Clause
"""Half a minute of random faults or some more, always the same; `scripts/soak` runs it at length."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from lab.memory import Life
from lab.sanitizer import Findings
from lab.soak import CALM, run
from lab.trouble import COUNTED, ERRORS

SEED = 11


def test_half_a_minute() -> None:
    summary = run(0.5, SEED, CALM + 2)
    assert summary.wrong == [], "\n".join(summary.lines())
    assert summary.received > 0
    assert {*ERRORS, *COUNTED} <= summary.answered.keys(), "each of them was sent"
    assert len(summary.memory) >= 2, "of the dataplane and of control, once for each stretch of rounds"


def test_memory_that_grows_is_noticed() -> None:
    grows = (
        "import sys\nkept = []\nfor _ in sys.stdin:\n  kept.append(bytearray(b'x' * (4 << 20)))\n  print(flush=True)"
    )
    with subprocess.Popen(["/usr/bin/python3", "-c", grows], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        life = Life(SimpleNamespace(name="it", pid=process.pid))  # type: ignore[arg-type]
        for _ in range(6):
            print(file=process.stdin, flush=True)
            process.stdout.readline()
            life.look()
        assert life.grown >= 4 << 10 and not life.is_flat, life
        process.stdin.close()


def test_memory_that_comes_and_goes_is_not() -> None:
    life = Life(SimpleNamespace(name="it", pid=0), seen=[20_000, 30_000, 29_000, 60_000])  # type: ignore[arg-type]
    assert life.is_flat


@pytest.mark.parametrize(
    "line",
    [
        "==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010",
        "../dataplane/forward/burst.hpp:3:1: runtime error: shift exponent 32 is too large",
        "sekisho-dataplane: fragment.cpp:43: divide: Assertion `count == -12' failed.",
        "==12==ERROR: LeakSanitizer: detected memory leaks",
    ],
)
def test_what_only_a_bug_says_is_noticed_once(tmp_path: Path, line: str) -> None:
    findings = Findings(SimpleNamespace(folder=tmp_path))  # type: ignore[arg-type]
    log = tmp_path / "dataplane-1.log"
    log.write_text("info: port lan runs\n")
    findings.check()
    with log.open("a") as more:
        more.write(f"{line}\n    #0 somewhere\n")
    with pytest.raises(AssertionError, match=r"dataplane-1\.log: "):
        findings.check()
    findings.check()
