# SPDX-License-Identifier: BSD-3-Clause
"""Overrides of the running state, on real packets; dry runs, and what a reload then does."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance, Refused
from lab.frames import Capture, Injector, frame
from lab.process import wait_until
from lab.stream import Stream
from lab.topology import EGRESS, MOVED, STREAM, Lab
from scapy.layers.inet import IP

pytestmark = pytest.mark.usefixtures("restored")

ZONE = ("--zone", "onprem")


def arrives_by(lab: Lab, appliance: Appliance, onprem: Injector, space: str) -> None:
    account = Account(appliance)
    with Capture(lab, space, "inside") as seen:
        onprem.send(frame(destination=MOVED), 100)
        seen.wait(100)
    account.forwarded("lan", "egress", 100)


def overrides(appliance: Appliance) -> Any:
    return appliance.json("show", "config")["overrides"]


def test_an_override_takes_effect_and_goes_with_the_next_reload(
    lab: Lab, appliance: Appliance, onprem: Injector
) -> None:
    arrives_by(lab, appliance, onprem, "firewall")
    added = appliance.json("route", "add", *ZONE, f"{MOVED}/32", "second-gateway")
    assert (added["applied"], added["routes_added"], added["routes_changed"]) == (True, 1, 0)
    arrives_by(lab, appliance, onprem, "gateway2")
    assert overrides(appliance) == [
        {"zone": "onprem", "prefix": f"{MOVED}/32", "next_hop": "second-gateway"}
    ]
    dropped = appliance.reload()
    assert (dropped["overrides_dropped"], dropped["routes_removed"]) == (1, 1)
    assert overrides(appliance) == []
    arrives_by(lab, appliance, onprem, "firewall")


def test_an_override_of_a_files_route(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    config.overrides(appliance.config, [f"{MOVED}/32 second-gateway"])
    appliance.reload()
    with pytest.raises(Refused, match="already"):
        appliance.json("route", "add", *ZONE, f"{MOVED}/32", "firewall")
    assert appliance.json("route", "replace", *ZONE, f"{MOVED}/32", "firewall")["routes_changed"] == 1
    arrives_by(lab, appliance, onprem, "firewall")
    assert appliance.json("route", "del", *ZONE, f"{MOVED}/32")["routes_removed"] == 1
    arrives_by(lab, appliance, onprem, "firewall")  # by the halves
    with pytest.raises(Refused, match="no User route"):
        appliance.json("route", "del", *ZONE, f"{MOVED}/32")
    assert appliance.reload()["routes_added"] == 1
    arrives_by(lab, appliance, onprem, "gateway2")


def test_what_is_saved_is_there_after_a_reload(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """The table of a reload is the table before it, overrides that delete a route among them; and no rollback takes it."""
    config.overrides(appliance.config, ["198.51.100.0/25 firewall", f"{MOVED}/32 firewall  # as agreed"])
    appliance.reload()
    file = appliance.config.with_name("overrides.txt")
    appliance.json("route", "replace", *ZONE, f"{MOVED}/32", "second-gateway")
    appliance.json("route", "del", *ZONE, "198.51.100.0/25")
    appliance.json("route", "add", *ZONE, "198.51.100.128/26", "None")
    assert appliance.json("route", "list") == overrides(appliance)
    before = appliance.json("show", "routes", *ZONE)
    saved = appliance.json("route", "save", file, *ZONE)
    assert (len(saved["saved"]), saved["named"]) == (3, True)
    assert "#" + f"{MOVED}/32 firewall  # as agreed\n" in file.read_text()
    done = appliance.reload()
    assert (done["routes_added"], done["routes_changed"], done["routes_removed"]) == (0, 0, 0)
    assert done["overrides_dropped"] == 3

    def table(routes: Any) -> list[tuple[str, str]]:
        # Hosts on a port's subnet come and go.
        return [
            (each["prefix"], each["next_hop"])
            for each in routes
            if not each["source"].startswith("host on port")
        ]

    assert table(appliance.json("show", "routes", *ZONE)) == table(before)
    assert appliance.json("route", "list") == []
    arrives_by(lab, appliance, onprem, "gateway2")
    # The policy before has its file as it was: without what was saved since. A reload brings it back.
    appliance.json("rollback")
    arrives_by(lab, appliance, onprem, "firewall")
    appliance.reload()
    assert table(appliance.json("show", "routes", *ZONE)) == table(before)


def test_an_override_to_the_internet_passes_the_guard(
    lab: Lab, appliance: Appliance, onprem: Injector
) -> None:
    destination = "20.118.99.223"  # beside an exception
    appliance.json("route", "add", *ZONE, f"{destination}/32", "Internet")
    with Capture(lab, "router", "inside") as seen:
        onprem.send(frame(destination=destination), 5)
        assert {packet[IP].src for packet in seen.wait(5)} == {EGRESS}
    appliance.reload()
    left = lab.counters("router")["inside"]
    with Capture(lab, "firewall", "inside") as seen:
        onprem.send(frame(destination=destination), 5)
        seen.wait(5)
    assert lab.counters("router")["inside"] == left


def test_an_override_that_is_refused(appliance: Appliance) -> None:
    before = appliance.json("show", "state")["dataplane"]["transaction"]
    for words in (
        ("add", "--zone", "nowhere", f"{MOVED}/32", "firewall"),
        ("add", *ZONE, f"{MOVED}/32", "nobody"),
        ("replace", *ZONE, "128.0.0.0/1", "Internet"),
    ):
        assert appliance.execute("route", *words).returncode == 1
    assert appliance.execute("route", "add", *ZONE, f"{MOVED}/32").returncode == 2
    assert appliance.execute("route", "add", *ZONE, f"{MOVED}/24", "firewall").returncode == 2
    assert appliance.json("show", "state")["dataplane"]["transaction"] == before
    assert overrides(appliance) == []


def test_overrides_outlive_the_dataplane(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    appliance.json("route", "add", *ZONE, f"{MOVED}/32", "second-gateway")
    appliance.kill_dataplane()
    wait_until("control to notice", lambda: not appliance.json("show", "state")["dataplane"]["connected"])
    appliance.start_dataplane()
    appliance.wait_ready()
    arrives_by(lab, appliance, onprem, "gateway2")


def test_a_dry_run_says_what_the_reload_then_does(appliance: Appliance) -> None:
    before = appliance.json("show", "state")["dataplane"]["transaction"]
    text = appliance.config.read_text()
    appliance.config.write_text(
        text.replace("[zone.vnet]", '[next_hop.new]\nmembers = ["10.0.2.11"]\n\n[zone.vnet]')
    )
    config.overrides(appliance.config, [f"{MOVED}/32 new", *config.many_routes("second-gateway", 10_000)])
    shown = appliance.json("show", "config")
    assert [file["since_read"] for file in shown["files"]] == ["changed", "changed"]
    plan = appliance.json("reload", "--dry-run")
    changes = plan.pop("changes")
    assert shown["reload"] == plan
    assert plan["next_hops"] == {"added": ["new"], "removed": [], "changed": []}
    assert {change["change"] for change in changes} == {"+"}
    assert f"+ onprem {MOVED}/32 new\n" in appliance.execute("reload", "--dry-run").stdout
    assert appliance.json("show", "state")["dataplane"]["transaction"] == before
    done = appliance.reload()
    assert done["routes_added"] == plan["routes"]["added"] == len(changes) == 10_001
    assert done["next_hops_changed"] == 1
    assert appliance.json("reload", "--dry-run")["changes"] == []
    assert [file["since_read"] for file in appliance.json("show", "config")["files"]] == ["unchanged"] * 2


def test_a_dry_run_of_a_broken_file(appliance: Appliance) -> None:
    config.overrides(appliance.config, ["198.51.100.91/33 firewall"])
    done = appliance.execute("reload", "--dry-run")
    assert done.returncode == 1
    assert done.stderr == appliance.execute("reload").stderr
    assert "overrides.txt:1:" in done.stderr
    assert "overrides.txt:1:" in appliance.json("show", "config")["reload"]["refused"]
    assert "would be refused" in appliance.execute("show", "config").stdout


def test_a_port_that_goes_and_comes_back(appliance: Appliance) -> None:
    """Removals of every kind, as what changes and not as a whole policy."""
    text = appliance.config.read_text()
    extra = '\n[port.spare]\ndevice = "net_null7,no-rx=1"\ncompanion = false\n\n[zone.spare]\nport = ["spare"]\n'
    extra += 'sources = ["192.0.2.0/24"]\nroutes = [{ prefix = "192.0.2.0/24", next_hop = "None" }]\n'
    appliance.config.write_text(text + extra)
    added = appliance.reload()
    assert (added["ports_changed"], added["zones_changed"], added["failed_ports"]) == (1, 1, [])
    assert set(appliance.ports()) == {"lan", "egress", "spare"}
    appliance.config.write_text(text)
    removed = appliance.reload(force=True)
    assert (removed["ports_changed"], removed["zones_changed"]) == (1, 1)
    assert set(appliance.ports()) == {"lan", "egress"}


def test_a_stream_while_overrides_come_and_go(lab: Lab, appliance: Appliance) -> None:
    before = lab.counters()
    with Stream(lab, MOVED) as stream:
        stream.wait_received(1000)
        for _ in range(7):
            appliance.json("route", "add", *ZONE, f"{MOVED}/32", "second-gateway")
            stream.wait_more(4_000)
            appliance.json("route", "del", *ZONE, f"{MOVED}/32")
            stream.wait_more(4_000)
        stream.stop()
        result = stream.finish()
    after = lab.counters()
    assert (result.lost, result.duplicated) == (0, 0), result
    assert after["gateway2"] - before["gateway2"] > 1000
    assert after["firewall"] - before["firewall"] > 1000


def batch(appliance: Appliance, lines: list[str]) -> subprocess.CompletedProcess[str]:
    file = appliance.config.with_name("changes.txt")
    file.write_text("".join(f"{line}\n" for line in lines))
    return appliance.execute("--json", "route", "batch", *ZONE, file)


def test_a_batch_changes_everything_or_nothing(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    before = appliance.json("show", "state")["dataplane"]["transaction"]
    refused = batch(appliance, [f"replace {MOVED}/32 second-gateway", "", "add 198.51.100.0/24 nobody"])
    assert (
        refused.returncode == 1 and 'changes.txt:3: there is no next hop "nobody"' in refused.stderr
    ), refused
    assert appliance.json("show", "state")["dataplane"]["transaction"] == before
    assert overrides(appliance) == []
    arrives_by(lab, appliance, onprem, "firewall")
    done = batch(
        appliance,
        [f"add {MOVED}/32 firewall", f"replace {MOVED}/32 second-gateway", "add 198.51.100.0/24 None"],
    )
    assert done.returncode == 0 and json.loads(done.stdout)["routes_added"] == 2, done
    assert appliance.json("show", "state")["dataplane"]["transaction"] == before + 1
    arrives_by(lab, appliance, onprem, "gateway2")
    assert appliance.reload()["overrides_dropped"] == 2


@pytest.mark.parametrize("table", ["small", "large"])
def test_batches_under_a_stream_lose_nothing(lab: Lab, appliance: Appliance, table: str) -> None:
    """The stream's own prefix is in each of them; 100,000 routes beside it stay as they are."""
    if table == "large":
        config.overrides(appliance.config, config.many_routes("firewall"))
        appliance.reload()
    before = lab.counters()
    with Stream(lab, MOVED) as stream:
        stream.wait_received(1000)
        for turn in range(10):
            next_hop = ("second-gateway", "firewall")[turn % 2]
            others = [f"replace 44.{i >> 8}.{i & 255}.0/24 {next_hop}" for i in range(1000)]
            done = batch(appliance, [*others, f"replace {MOVED}/32 {next_hop}"])
            assert done.returncode == 0, done
            stream.wait_more(2_000)
        assert len(overrides(appliance)) == 1001
        stream.stop()
        result = stream.finish()
    after = lab.counters()
    assert (result.lost, result.duplicated) == (0, 0), result
    for space in ("firewall", "gateway2"):
        assert after[space] - before[space] > 1000
