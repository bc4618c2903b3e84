# SPDX-License-Identifier: BSD-3-Clause
"""What a port counted is counted still when its interface goes and comes back, so that the books of all ports add up."""

from __future__ import annotations

import pytest
from lab.account import Audit
from lab.matrix import Bench, Setting
from lab.transit import Transit


@pytest.mark.parametrize("role", ["lan", "egress"])
def test_a_nic_is_detached_and_attached(bench: Bench, role: str) -> None:
    bench.configure(Setting())
    audit, transit = Audit(bench.lab, bench.appliance), Transit(bench.lab)
    try:
        bench.deliver(transit)
        before = {port["name"]: port["rx"] for port in bench.appliance.stats()["ports"]}
        bench.interfaces.recreate(role, "ens8")
        assert bench.heal()
        bench.deliver(transit)
    finally:
        transit.close()
    assert [line for line in audit.lines() if not (line.holds or "interface received" in line.what)] == []
    stats = bench.appliance.stats()
    assert stats["balance"]["adds_up"], stats
    assert all(port["rx"] > before[port["name"]] for port in stats["ports"]), stats
