# SPDX-License-Identifier: BSD-3-Clause
"""A change that is not confirmed is taken back, whatever happens to control meanwhile; a policy that ran runs again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from lab import config
from lab.appliance import Appliance, Refused
from lab.process import wait_until
from lab.stream import Stream
from lab.topology import MOVED, STREAM, Lab

ELSEWHERE = f"{MOVED}/32 second-gateway"


def next_hop(appliance: Appliance) -> str:
    """As the workers' tables say."""
    return str(appliance.explain("172.16.0.10", MOVED)["dataplane"]["next_hop"])


def problems(appliance: Appliance) -> list[str]:
    return [problem["kind"] for problem in appliance.json("show", "state")["problems"]]


def history(appliance: Appliance) -> Any:
    return appliance.json("history")


@pytest.fixture(autouse=True)
def plain(appliance: Appliance) -> Iterator[None]:
    """The configuration runs, by the firewall, before and after."""
    config.overrides(appliance.config, [])
    appliance.reload()
    assert next_hop(appliance) == "firewall"
    yield
    if history(appliance)["confirm_until_unix_ms"]:
        appliance.json("rollback")
    config.overrides(appliance.config, [])
    appliance.reload()


def test_a_confirmed_reload_stays(appliance: Appliance) -> None:
    config.overrides(appliance.config, [ELSEWHERE])
    assert appliance.json("reload", "--confirm", "30")["confirm_until_unix_ms"]
    assert problems(appliance) == ["on_trial"]
    assert appliance.json("confirm")["starts_with"] is None
    assert next_hop(appliance) == "second-gateway"
    assert problems(appliance) == []
    assert appliance.json("show", "config")["reload"]["routes"] == {"added": 0, "changed": 0, "removed": 0}
    assert "no reload is on trial" in appliance.execute("confirm").stderr


def test_an_unconfirmed_reload_is_taken_back_with_no_packet_lost(lab: Lab, appliance: Appliance) -> None:
    before = history(appliance)["runs"]
    with Stream(lab, STREAM, seconds=60) as stream:
        stream.wait_received(5_000)
        config.overrides(appliance.config, [ELSEWHERE])
        appliance.json("reload", "--confirm", "5s")
        assert next_hop(appliance) == "second-gateway"
        wait_until("the policy before", lambda: next_hop(appliance) == "firewall")
        stream.wait_more(5_000)
        stream.stop()
        result = stream.finish()
    assert result.lost == 0 and result.duplicated == 0, str(result)
    assert history(appliance)["runs"] == before
    assert problems(appliance) == ["not_configured"]
    text = appliance.execute("history").stdout
    assert f"policy {before} is started instead of {appliance.config}: `sekisho reload` ends that" in text


def test_control_dies_while_a_reload_is_on_trial(appliance: Appliance) -> None:
    config.overrides(appliance.config, [ELSEWHERE])
    appliance.json("reload", "--confirm", "1h")
    assert next_hop(appliance) == "second-gateway"
    appliance.kill_control()
    appliance.start_control()
    appliance.wait_ready()
    wait_until("the policy before", lambda: next_hop(appliance) == "firewall")
    assert problems(appliance) == ["not_configured"]


def test_everything_restarts_while_a_reload_is_on_trial(appliance: Appliance) -> None:
    """As when the machine does."""
    config.overrides(appliance.config, [ELSEWHERE])
    appliance.json("reload", "--confirm", "1h")
    appliance.kill_control()
    appliance.kill_dataplane()
    appliance.start()
    assert next_hop(appliance) == "firewall"


def test_a_rollback_holds_until_the_next_reload(appliance: Appliance) -> None:
    config.overrides(appliance.config, [ELSEWHERE])
    appliance.reload()
    plan = appliance.json("rollback", "--dry-run")
    assert [change["prefix"] for change in plan["changes"]] == [f"{MOVED}/32"]
    assert next_hop(appliance) == "second-gateway"
    appliance.json("rollback")
    assert next_hop(appliance) == "firewall"
    assert appliance.json("show", "config")["reload"]["routes"] == {"added": 1, "changed": 0, "removed": 0}
    config.overrides(appliance.config, ["not a route"])  # what lies on the disk does not matter
    appliance.kill_control()
    appliance.start_control()
    appliance.wait_ready()
    assert next_hop(appliance) == "firewall"
    assert problems(appliance) == ["not_configured"]
    with pytest.raises(Refused):
        appliance.reload()
    assert next_hop(appliance) == "firewall"
    config.overrides(appliance.config, [ELSEWHERE])
    appliance.reload()
    assert next_hop(appliance) == "second-gateway"
    assert problems(appliance) == []


def test_only_one_thing_is_on_trial(appliance: Appliance) -> None:
    config.overrides(appliance.config, [ELSEWHERE])
    appliance.json("reload", "--confirm", "1h")
    for words in (["reload"], ["reload", "--confirm", "10"], ["rollback", "1"]):
        done = appliance.execute(*words)
        assert done.returncode == 1
        assert "what was reloaded before is on trial" in done.stderr
    appliance.json("rollback")
    assert next_hop(appliance) == "firewall"


def test_a_trial_that_is_refused_changes_nothing(appliance: Appliance) -> None:
    before = history(appliance)
    config.overrides(appliance.config, ["not a route"])
    with pytest.raises(Refused):
        appliance.json("reload", "--confirm", "10")
    assert history(appliance) == before


def test_files_of_a_policy_lie_as_they_were(appliance: Appliance) -> None:
    config.overrides(appliance.config, [ELSEWHERE])
    runs = appliance.reload()["policy"]
    config.overrides(appliance.config, [])
    policy = appliance.json("history", str(runs))
    copies = [policy["folder"] + file for file in policy["files"]]
    assert any(ELSEWHERE in open(copy).read() for copy in copies)
    assert str(appliance.config) == policy["files"][0]
    assert "is not in the history" in appliance.execute("history", "999999").stderr


def test_another_configuration_is_rehearsed(appliance: Appliance) -> None:
    other = appliance.config.with_name("other.toml")
    other.write_text(appliance.config.read_text() + '\n[zone.more]\nport = ["lan"]\nsources = ["10.99.0.0/16"]\n'
                     'routes = [{ prefix = "10.98.0.0/16", next_hop = "None" }]\n')  # fmt: skip
    done = appliance.execute("reload", "--dry-run", "--config", other, "--json")
    plan = json.loads(done.stdout)
    assert {change["zone"] for change in plan["changes"]} == {"more"}, done.stderr
    assert "more" not in appliance.execute("show", "zones").stdout


def test_included_files_are_taken_and_put_back(appliance: Appliance) -> None:
    """One zone moves into a file of its own: that changes nothing; what changes in it, a reload takes and a rollback puts back."""
    whole = appliance.config.read_text()
    before, _, rest = whole.partition("[zone.onprem]\n")
    zone, _, after = rest.partition("[zone.vnet]\n")
    zone = f"[zone.onprem]\n{zone}"
    folder = appliance.config.with_name("conf.d")
    file = folder / "onprem.toml"
    folder.mkdir()
    try:
        file.write_text(zone)
        # Absolute: a rollback that looked there, and not beneath its copy, would find no file.
        appliance.config.write_text(f'include = ["{folder}/*.toml"]\n' + before + "[zone.vnet]\n" + after)
        assert appliance.json("reload", "--dry-run")["changes"] == []
        policy = appliance.json("history", str(appliance.reload()["policy"]))
        assert policy["files"][:2] == [str(appliance.config), str(file)]

        route = f'{{ prefix = "{MOVED}/32", next_hop = "second-gateway" }}'
        file.write_text(zone.replace("routes   = [\n", f"routes   = [\n  {route},\n"))
        wait_until(
            "the file to be missed",
            lambda: f"{file} has changed" in appliance.execute("show", "state").stdout,
        )
        appliance.reload()
        assert next_hop(appliance) == "second-gateway"
        line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if MOVED in text)
        assert f"{file}:{line}" in appliance.execute("explain", "172.16.0.10", MOVED).stdout

        file.write_text(zone + "[zone.vnet]\n")
        with pytest.raises(
            Refused,
            match=f'{file}:{len(zone.splitlines()) + 1}: zone "vnet" is in {appliance.config}:',
        ):
            appliance.reload()
        assert next_hop(appliance) == "second-gateway"

        # Whatever lies there now: the history has its own.
        file.unlink()
        appliance.json("rollback")
        assert next_hop(appliance) == "firewall"
        appliance.kill_control()
        appliance.start_control()
        appliance.wait_ready()
        assert next_hop(appliance) == "firewall"
        assert problems(appliance) == ["not_configured"]

        file.write_text(zone)
        appliance.reload()
        assert problems(appliance) == []
        (folder / "later.toml").touch()
        wait_until(
            "the new file to be missed",
            lambda: f"{folder}/later.toml is new" in appliance.execute("show", "state").stdout,
        )
    finally:
        appliance.config.write_text(whole)
        for each in folder.iterdir():
            each.unlink()
        folder.rmdir()
