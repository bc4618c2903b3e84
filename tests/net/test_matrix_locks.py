# SPDX-License-Identifier: BSD-3-Clause
"""Each lock is opened by somebody, in front of a kernel that would gladly forward: the others keep the firewall from being
passed by, whoever lives. What is opened while control lives is closed again.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab.interfaces import Interfaces
from lab.matrix import Bench, Cell, cells

ACTS: dict[str, tuple[str, Callable[[Interfaces], None]]] = {
    "xdp-off": ("somebody debugs with ip link set X xdp off", Interfaces.xdp_off),
    "tc-off": ("a script sets up queueing disciplines anew", Interfaces.tc_off),
    "forwarding-on": ("sysctl --system at a package's installation", Interfaces.forwarding_on),
    "ip-forward-toggled": ("a container runtime starts", Interfaces.toggle_ip_forward),
    "guard-deleted": ("somebody tidies up nftables", Interfaces.delete_guard),
    "guard-emptied": ("somebody flushes the forward chain", Interfaces.empty_guard),
}


@pytest.mark.parametrize("cell", cells({act: why for act, (why, _) in ACTS.items()}), ids=str)
def test_nothing_passes(bench: Bench, cell: Cell) -> None:
    outcome = bench.run(cell, ACTS[cell.act][1])
    assert outcome.passed == (0, 0), outcome
    assert outcome.healed
