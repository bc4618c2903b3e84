# SPDX-License-Identifier: BSD-3-Clause
"""Half a minute of random faults, always the same; `scripts/soak` runs it at length."""

from __future__ import annotations

from lab.soak import run

SEED = 11


def test_half_a_minute() -> None:
    summary = run(0.5, SEED)
    assert summary.wrong == [], "\n".join(summary.lines())
    assert summary.rounds >= 5 and summary.received > 0
