# SPDX-License-Identifier: BSD-3-Clause
"""While nothing runs, interfaces get other names, as by udev, a kernel upgrade or cloud-init; then the guard and both processes
start, in front of a kernel that would gladly forward. Nothing passes the firewall by.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from lab.interfaces import Interfaces
from lab.matrix import Bench, Setting

ACTS: dict[str, Callable[[Interfaces], None]] = {
    "rename-lan": lambda it: it.rename("lan", "ens5"),
    "rename-egress": lambda it: it.rename("egress", "ens6"),
    "rename-both": Interfaces.rename_both,
    "recreate-lan": lambda it: it.recreate("lan", "ens8"),
}
HOST, PORTS = Setting(scope="host"), Setting(scope="ports")
CELLS = [(act, setting) for act in ACTS for setting in (HOST, PORTS)] + [
    ("rename-both", Setting(exit, scope, ip_forward))
    for exit, scope, ip_forward in itertools.product((True, False), ("host", "ports"), (True, False))
    if not (exit and ip_forward)
]


@pytest.mark.parametrize(("act", "setting"), CELLS, ids=str)
def test_a_port_is_not_there(bench: Bench, act: str, setting: Setting) -> None:
    outcome = bench.boot(setting, ACTS[act])
    assert outcome.passed == (0, 0), outcome
    assert outcome.healed, "the interfaces have their names again"


@pytest.mark.parametrize("setting", (HOST, PORTS), ids=str)
def test_swapped(bench: Bench, setting: Setting) -> None:
    """Both names exist and mean the other wire: nobody can tell, and sources that a wire may not carry are dropped. From then on a
    port stays with its interface, whatever that is called.
    """
    outcome = bench.boot(setting, Interfaces.swap, restart=True)
    assert outcome.passed == (0, 0), outcome
    assert outcome.healed, "the interfaces have their names again"
