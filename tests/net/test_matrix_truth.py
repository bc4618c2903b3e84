# SPDX-License-Identifier: BSD-3-Clause
"""What is said about a cell of the matrix is what is so: no exit code 0, and no silence, beside a fault."""

from __future__ import annotations

import itertools

import pytest
from lab.interfaces import Interfaces
from lab.matrix import FULL, STATES, Bench, Cell, Setting

# Who hangs is waited for as long as a reload may take: a minute each.
PROCESSES = [
    states
    for states in itertools.product(STATES, STATES)
    if states != ("alive", "alive") and (FULL or "hung" not in states)
]


@pytest.mark.parametrize(("dataplane", "control"), PROCESSES, ids=str)
def test_a_process_does_not_serve(bench: Bench, dataplane: str, control: str) -> None:
    """With the guard flushed: whoever lives puts it back, and where nobody does all three commands say so."""
    cell = Cell("who runs the appliance asks", "nothing", dataplane, control, "flushed", Setting())
    outcome = bench.run(cell, lambda _: None, ask_all=True)
    assert outcome.lies(cell) == [], outcome
    assert outcome.healed


def test_all_is_well(bench: Bench) -> None:
    bench.configure(Setting())
    assert bench.said() == {"guard status": 0, "show state": 0, "doctor": 0}


@pytest.mark.parametrize("roles", [("lan",), ("egress",), ("lan", "egress")], ids="+".join)
def test_a_port_is_missing_at_boot(bench: Bench, roles: tuple[str, ...]) -> None:
    def act(interfaces: Interfaces) -> None:
        for role in roles:
            interfaces.rename(role, f"ens-{role}")

    outcome = bench.boot(Setting(), act)
    assert (outcome.said["show state"], outcome.said["doctor"]) == (1, 1), outcome
    assert outcome.healed
