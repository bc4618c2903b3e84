# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the network tests: a lab a module, an appliance that forwards, and its books."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

pytest.register_assert_rewrite("lab.account", "lab.frames", "lab.matrix")

from lab import config  # noqa: E402
from lab.account import Account  # noqa: E402
from lab.appliance import Appliance  # noqa: E402
from lab.frames import Injector  # noqa: E402
from lab.matrix import FULL, Bench  # noqa: E402
from lab.stream import UNFIT  # noqa: E402
from lab.topology import Lab  # noqa: E402

collect_ignore = [] if FULL else ["test_learning_full.py"]


ATTEMPTS = 3


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """A test that fails beside a stream which shows nothing is played again, three times at most."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for attempt in range(1, ATTEMPTS + 1):
        UNFIT.clear()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if attempt == ATTEMPTS or not UNFIT or not any(report.failed for report in reports):
            break
        print(f"{item.nodeid} is played again: {UNFIT[-1]}", file=sys.__stderr__)
        item._initrequest()  # type: ignore[attr-defined]
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


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
