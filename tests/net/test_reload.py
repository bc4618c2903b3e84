# SPDX-License-Identifier: BSD-3-Clause
"""Changed files, applied whole or refused whole, while traffic runs."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.process import wait_until
from lab.stream import Stream
from lab.topology import FIREWALL, FIREWALL2, MOVED, STREAM, Lab

pytestmark = pytest.mark.usefixtures("restored")


def next_hop(appliance: Appliance, destination: str) -> str:
    """As the workers' tables say."""
    return str(appliance.explain("172.16.0.10", destination)["dataplane"]["next_hop"])


def by_command(appliance: Appliance) -> None:
    appliance.reload()


def by_signal(appliance: Appliance) -> None:
    appliance.signal_control(signal.SIGHUP)


@pytest.mark.parametrize("apply", [by_command, by_signal])
def test_a_moved_32(
    lab: Lab, appliance: Appliance, onprem: Injector, apply: Callable[[Appliance], None]
) -> None:
    for gateway, lines in (("firewall", []), ("second-gateway", [f"{MOVED}/32 second-gateway"]), ("firewall", [])):
        config.overrides(appliance.config, lines)
        apply(appliance)
        wait_until(f"{MOVED} by {gateway}", lambda gateway=gateway: next_hop(appliance, MOVED) == gateway)
        account = Account(appliance)
        space = "firewall" if gateway == "firewall" else "gateway2"
        with Capture(lab, space, "inside") as seen:
            onprem.send(frame(destination=MOVED), 100)
            seen.wait(100)
        account.forwarded("lan", "egress", 100)


def test_a_reload_that_changes_nothing(appliance: Appliance) -> None:
    committed = appliance.reload()
    for what in ("ports_changed", "next_hops_changed", "zones_changed", "routes_added", "routes_removed"):
        assert committed[what] == 0, committed


BROKEN_ROUTES = [
    (["198.51.100.91/32 second-gateway", "198.51.100.300/32 firewall"], 2),
    (["198.51.100.91/33 firewall"], 1),
    (["# fine", "", "198.51.100.91/24 firewall"], 3),
    (["198.51.100.91/32 nobody"], 1),
    (["198.51.100.91/32 firewall and more"], 1),
]


@pytest.mark.parametrize(("lines", "line"), BROKEN_ROUTES)
@pytest.mark.parametrize("apply", ["command", "signal"])
def test_a_broken_route_file(
    lab: Lab, appliance: Appliance, onprem: Injector, lines: list[str], line: int, apply: str
) -> None:
    before = appliance.json("show", "state")["dataplane"]["transaction"]
    config.overrides(appliance.config, lines)
    if apply == "command":
        done = appliance.execute("reload")
        assert done.returncode == 1
        said = done.stderr
    else:
        assert appliance.control is not None
        earlier = len(appliance.control.output())
        by_signal(appliance)
        control = appliance.control
        said = wait_until("the refusal in the log", lambda: control.output()[earlier:])
    assert f"overrides.txt:{line}:" in said
    assert appliance.json("show", "state")["dataplane"]["transaction"] == before
    assert next_hop(appliance, MOVED) == "firewall"
    account = Account(appliance)
    onprem.send(frame(destination=MOVED), 10)
    account.forwarded("lan", "egress", 10)
    config.overrides(appliance.config, [])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('install = "halves"', 'install = "quarters"'),
        ("internet = true\n", "internet = yes\n"),
        ('via     = "firewall"', 'via     = "nobody"'),
        ("[zone.vnet]", "[zone.vnet]\ncolour = 7"),
        ('members = ["10.0.2.20"]', 'members = ["10.0.2"]'),
    ],
)
def test_a_broken_configuration(appliance: Appliance, old: str, new: str) -> None:
    text = appliance.config.read_text()
    assert old in text
    changed = text.replace(old, new, 1)
    appliance.config.write_text(changed)
    lines = zip(text.splitlines(), changed.splitlines())
    broken = next(number for number, (was, now) in enumerate(lines, start=1) if was != now)
    before = appliance.json("show", "state")["dataplane"]["transaction"]
    done = appliance.execute("reload")
    assert done.returncode == 1
    assert f"{appliance.config.name}:{broken}:" in done.stderr
    assert appliance.json("show", "state")["dataplane"]["transaction"] == before
    assert next_hop(appliance, STREAM) == "firewall"


SILENT = "10.0.2.99"

HARMFUL = {
    "a misspelt device": (
        lambda text: text.replace('"af_xdp:egress0"', '"af_xdp:egres0"'),
        "port egress would run no more: there is no interface egres0",
    ),
    "a port removed": (
        lambda text: text[: text.index("[port.lan]")]
        + text[text.index("[port.egress]") :].replace('"lan"', '"egress"'),
        "port lan would run no more: the configuration has no such port",
    ),
    "a gateway that nobody is": (
        lambda text: text.replace(f'members = ["{FIREWALL}"]', f'members = ["{SILENT}"]'),
        "next hop firewall is alive and would lose its last living member",
    ),
    "a zone without routes": (
        lambda text: text[: text.rindex("routes  = [")] + "routes = []\n" + text[text.rindex("\n]\n") + 3 :],
        "zone internet has",
    ),
}


@pytest.mark.parametrize("change", HARMFUL)
@pytest.mark.parametrize("apply", ["command", "signal", "dry run"])
def test_a_reload_that_would_break_what_works(
    lab: Lab, appliance: Appliance, onprem: Injector, change: str, apply: str
) -> None:
    edit, reason = HARMFUL[change]
    text = appliance.config.read_text()
    assert edit(text) != text
    appliance.config.write_text(edit(text))
    before = appliance.json("show", "state")["dataplane"]["transaction"]
    if apply == "signal":
        assert appliance.control is not None
        control, earlier = appliance.control, len(appliance.control.output())
        by_signal(appliance)
        wait_until("the refusal in the log", lambda: reason in control.output()[earlier:])
    else:
        done = appliance.execute("reload", *(["--dry-run"] if apply == "dry run" else []))
        assert done.returncode == 1
        assert reason in (done.stdout if apply == "dry run" else done.stderr), done
    assert appliance.json("show", "state")["dataplane"]["transaction"] == before
    account = Account(appliance)
    onprem.send(frame(), 10)
    account.forwarded("lan", "egress", 10)


def test_a_reload_that_breaks_by_force_and_one_that_rescues(lab: Lab, appliance: Appliance) -> None:
    text = appliance.config.read_text()
    appliance.config.write_text(text.replace(f'members = ["{FIREWALL}"]', f'members = ["{SILENT}"]'))
    assert appliance.execute("reload", "--dry-run", "--force").returncode == 0
    assert appliance.reload(force=True)["next_hops_changed"] == 1
    wait_until("no firewall", lambda: appliance.next_hops()["firewall"] == 0)
    # It is dead already: nothing is refused, not even another that does not answer.
    appliance.config.write_text(text.replace(f'members = ["{FIREWALL}"]', 'members = ["10.0.2.98"]'))
    appliance.reload()
    appliance.config.write_text(text)
    appliance.reload()
    appliance.wait_ready()


def test_a_stream_while_a_32_moves(lab: Lab, appliance: Appliance) -> None:
    before = lab.counters()
    with Stream(lab, MOVED) as stream:
        stream.wait_received(1000)
        for move in range(14):
            lines = [] if move % 2 else [f"{MOVED}/32 second-gateway"]
            config.overrides(appliance.config, lines)
            appliance.reload()
            stream.wait_more(4_000)
        stream.stop()
        result = stream.finish()
    after = lab.counters()
    assert (result.lost, result.duplicated) == (0, 0), result
    assert after["gateway2"] - before["gateway2"] > 1000
    assert after["firewall"] - before["firewall"] > 1000


def test_a_stream_that_moves_to_a_gateway_nobody_has_asked_for_yet(lab: Lab, appliance: Appliance) -> None:
    """Traffic moves when the kernel has found the new gateway, not before."""
    text = appliance.config.read_text()
    before = lab.counters()
    with Stream(lab, STREAM) as stream:
        stream.wait_received(1000)
        appliance.config.write_text(text.replace(f'members = ["{FIREWALL}"]', f'members = ["{FIREWALL2}"]'))
        assert appliance.reload()["next_hops_changed"] == 1
        stream.wait_more(40_000)
        stream.stop()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
    assert lab.counters()["firewall2"] - before["firewall2"] > 4_000


def test_a_stream_while_100_000_routes_are_replaced(lab: Lab, appliance: Appliance) -> None:
    config.overrides(appliance.config, config.many_routes("firewall"))
    assert appliance.reload()["routes_added"] == 100_000
    with Stream(lab, STREAM) as stream:
        stream.wait_received(1000)
        for gateway in ("second-gateway", "firewall"):
            config.overrides(appliance.config, config.many_routes(gateway))
            assert appliance.reload()["routes_changed"] == 100_000
            stream.wait_more(10_000)
        stream.stop()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
