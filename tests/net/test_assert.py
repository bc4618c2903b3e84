# SPDX-License-Identifier: BSD-3-Clause
"""Assertions of an appliance that runs: what is refused, and what is said of overrides."""

from __future__ import annotations

from typing import Any

import pytest
from lab import config
from lab.appliance import Appliance
from lab.topology import MOVED

pytestmark = pytest.mark.usefixtures("restored")

NAME = "on-premises reaches the Internet by the firewall only"
ASSERTION = f"""
[[assert]]
name = "{NAME}"
from = "zone:onprem"
to   = "internet"
via  = "firewall"
except = "preset:kms"
"""


def write(appliance: Appliance, assertion: str) -> None:
    appliance.config.write_text(appliance.config.read_text() + assertion)


def prove(appliance: Appliance) -> dict[str, Any]:
    """By name, those of the file alone."""
    said = appliance.json("prove")
    assert said["of"] == "running"
    return {one["name"]: one for one in said["assertions"] if not one["built_in"]}


def test_a_reload_that_breaks_an_assertion_is_refused(appliance: Appliance) -> None:
    write(appliance, ASSERTION)
    appliance.reload()
    before = appliance.json("show", "state")["dataplane"]["transaction"]
    config.overrides(appliance.config, [f"{MOVED}/32 second-gateway"])
    for words in (["reload"], ["reload", "--force"], ["reload", "--dry-run"]):
        done = appliance.execute(*words)
        assert done.returncode == 1, done
        assert NAME in done.stderr and f"to {MOVED} goes via second-gateway" in done.stderr, done.stderr
        assert "overrides.txt:1" in done.stderr
    assert appliance.json("show", "state")["dataplane"]["transaction"] == before
    assert prove(appliance)[NAME]["holds"] is True  # what runs is as it was
    config.overrides(appliance.config, [])
    appliance.reload()


def test_an_override_is_allowed_and_said(appliance: Appliance) -> None:
    write(appliance, ASSERTION)
    appliance.reload()
    appliance.json("route", "add", "--zone", "onprem", f"{MOVED}/32", "second-gateway")
    said = prove(appliance)[NAME]
    assert appliance.execute("prove").returncode == 1
    assert (said["holds"], said["destinations"]) == (False, 1)
    example = said["counterexample"]
    assert example["destination"] == MOVED and example["route"]["written"] == "sekisho route"
    explained = appliance.explain(example["source"], example["destination"])
    assert explained["dataplane"]["next_hop"] == "second-gateway"  # what packets meet
    # And where that is against the file.
    moved = appliance.json("prove", "--against", appliance.config)
    zone = next(zone for zone in moved["zones"] if zone["zone"] == "onprem")
    assert {"first": MOVED, "last": MOVED, "before": "firewall", "after": "second-gateway"} in zone["moved"]
    appliance.json("route", "del", "--zone", "onprem", f"{MOVED}/32")
    assert prove(appliance)[NAME]["holds"] is True
