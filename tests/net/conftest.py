# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the network tests: a lab a module, an appliance that forwards, and its books."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

pytest.register_assert_rewrite("lab.account", "lab.frames", "lab.matrix")

from lab import config  # noqa: E402
from lab.account import Account  # noqa: E402
from lab.appliance import Appliance  # noqa: E402
from lab.frames import Injector  # noqa: E402
from lab.matrix import FULL, Bench  # noqa: E402
from lab.topology import Lab  # noqa: E402

collect_ignore = [] if FULL else ["test_learning_full.py"]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture(scope="module")
def manuals_neighbour_timers(lab: Lab) -> None:
    """Of modules in which neighbours die that no probe watches. All others have Linux's own timers, as users have."""
    lab.use_manuals_neighbour_timers()


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    appliance = Appliance(lab, config.adapted(lab))
    appliance.start()
    return appliance


@pytest.fixture
def restored(appliance: Appliance) -> Iterator[None]:
    """The configuration may be changed, and routes may be overridden; afterwards it runs as before."""
    text = appliance.config.read_text()
    yield
    appliance.config.write_text(text)
    config.overrides(appliance.config, [])
    appliance.reload(force=True)


@pytest.fixture(scope="module")
def bench(lab: Lab) -> Iterator[Bench]:
    bench = Bench(lab)
    yield bench
    bench.resume()  # a process that hangs does not hear that it should end


@pytest.fixture
def account(appliance: Appliance) -> Account:
    return Account(appliance)


@pytest.fixture
def onprem(lab: Lab) -> Iterator[Injector]:
    injector = Injector(lab, "onprem")
    yield injector
    injector.close()


@pytest.fixture
def firewall(lab: Lab) -> Iterator[Injector]:
    """Frames from the firewall's inside, towards the appliance's egress port."""
    injector = Injector(lab, "firewall", "inside")
    yield injector
    injector.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    appliance = getattr(item, "funcargs", {}).get("appliance")
    if report.failed and isinstance(appliance, Appliance):
        report.sections.append(("the appliance", appliance.diagnosis()))
