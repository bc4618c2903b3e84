# SPDX-License-Identifier: BSD-3-Clause
"""One virtual machine for all tests: what differs between modules is which driver has its NICs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

pytest.register_assert_rewrite("lab.account", "lab.frames")

from lab.appliance import Appliance  # noqa: E402
from lab.frames import Injector  # noqa: E402

from vm.machine import VirtualLab  # noqa: E402


@pytest.fixture(scope="session")
def lab() -> Iterator[VirtualLab]:
    lab = VirtualLab()
    with lab:
        yield lab


@pytest.fixture
def onprem(lab: VirtualLab) -> Iterator[Injector]:
    injector = Injector(lab, "onprem")
    yield injector
    injector.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    appliance = getattr(item, "funcargs", {}).get("appliance")
    if report.failed and isinstance(appliance, Appliance):
        report.sections.append(("the appliance", appliance.diagnosis()))
