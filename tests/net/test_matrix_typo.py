# SPDX-License-Identifier: BSD-3-Clause
"""A typing error in `device`, in front of a kernel that would gladly forward: a reload refuses it, and nothing passes by."""

from __future__ import annotations

import pytest
from lab.matrix import Bench, Setting
from lab.transit import Transit

TYPOS = {"lan": ("af_xdp:lan0", "af_xdp:lna0"), "egress": ("af_xdp:egress0", "af_xdp:egres0")}


@pytest.mark.parametrize(
    ("roles", "setting"),
    [
        (("lan",), Setting()),
        (("egress",), Setting(scope="ports")),
        (("lan", "egress"), Setting()),
        (("lan", "egress"), Setting(scope="ports")),
    ],
    ids=str,
)
@pytest.mark.parametrize("command", ["reload", "forced reload", "restart"])
def test_refused_and_nothing_passes(bench: Bench, command: str, roles: tuple[str, ...], setting: Setting) -> None:
    bench.configure(setting)
    appliance = bench.appliance
    right = appliance.config.read_text()
    wrong = right
    for role in roles:
        wrong = wrong.replace(*TYPOS[role])
    transit, before = Transit(bench.lab), bench.watch.seen()
    appliance.config.write_text(wrong)
    try:
        with transit:
            if command == "restart":
                appliance.kill_control()
                appliance.start_control()
                bench.wait_answer()
            else:
                words = ("reload", "--force") if command == "forced reload" else ("reload",)
                refused = appliance.execute(*words).returncode == 1
                assert refused or command == "forced reload"
        bench.deliver(transit)
        seen = bench.watch.seen() - before
    finally:
        transit.close()
        appliance.config.write_text(right)
        appliance.execute("reload")
        healed = bench.heal()
    assert (seen.past, seen.spoofed) == (0, 0), seen
    assert seen.through > 0 or command != "reload", "what ran goes on"
    assert healed
