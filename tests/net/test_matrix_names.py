# SPDX-License-Identifier: BSD-3-Clause
"""Interfaces change their names, their MACs, their masters and their namespaces, and nothing passes the firewall by.

The appliance's kernel has ip_forward and routes to the Internet by a port and by a management interface. Each cell: something
happens to an interface while one or both processes are alive, stopped, killed or hung and the guard is kept or flushed.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab.interfaces import Interfaces
from lab.matrix import Bench, Cell, cells

ACTS: dict[str, tuple[str, Callable[[Interfaces], None]]] = {
    "nothing": ("the appliance is let alone", lambda _: None),
    "rename-lan": ("a udev rule is added", lambda it: it.rename("lan", "ens5")),
    "rename-egress": ("a udev rule is added", lambda it: it.rename("egress", "ens6")),
    "rename-both": ("an image's naming scheme changes", Interfaces.rename_both),
    "swap": ("two NICs are probed in another order", Interfaces.swap),
    "altname": ("the old name becomes an altname", lambda it: it.altname("lan")),
    "recreate-lan": ("a NIC is detached and attached", lambda it: it.recreate("lan", "ens8")),
    "recreate-egress": ("a NIC is detached and attached", lambda it: it.recreate("egress", "ens9")),
    "move-and-return": ("a container had it for a while", lambda it: it.move_and_return("lan")),
    "new-mac": ("a bond or an operator sets another MAC", lambda it: it.new_mac("lan")),
    "enslave-lan": ("an operator builds a bridge", lambda it: it.enslave("lan")),
    "enslave-egress": ("an operator builds a bridge", lambda it: it.enslave("egress")),
}


@pytest.mark.parametrize("cell", cells({act: why for act, (why, _) in ACTS.items()}), ids=str)
def test_nothing_passes(bench: Bench, cell: Cell) -> None:
    outcome = bench.run(cell, ACTS[cell.act][1])
    assert outcome.passed == (0, 0), outcome
    # Nobody told the dataplane that its sockets went with the interface; it wants a restart.
    assert outcome.healed or (cell.act == "move-and-return" and cell.control != "alive")
