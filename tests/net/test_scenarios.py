# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios that the appliance is for, each as `scripts/lab run` plays it. doc/scenarios.md says which sentence of them which
expectation shows.
"""

from __future__ import annotations

import pytest
from lab.scenarios.run import SCENARIOS, run


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    assert run(name) == 0, f"scripts/lab run {name}: see what it printed"
