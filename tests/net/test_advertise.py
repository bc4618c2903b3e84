# SPDX-License-Identifier: BSD-3-Clause
"""What BGP peers are told, as real peers hear it: FRR beside the appliance, FRR in two routers on the other side."""

from __future__ import annotations

import itertools
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import config
from lab.appliance import BUILD, Appliance
from lab.frr import Frr
from lab.process import Process, wait_until
from lab.topology import LAN, ONPREM_GATEWAY, VNET, Lab

pytestmark = pytest.mark.usefixtures("manuals_neighbour_timers")

HALVES = ["0.0.0.0/1", "128.0.0.0/1"]
ROUTERS = {"onprem": ONPREM_GATEWAY, "vnet": VNET}
DEAD_AFTER = 3

ROUTER = f"""
router bgp 65515
 bgp router-id {{address}}
 no bgp ebgp-requires-policy
 neighbor {LAN} remote-as 65010
 neighbor {LAN} ebgp-multihop 8
 neighbor {LAN} timers connect 1
exit
"""


def bgp(lab: Lab, more: str = "") -> str:
    peers = ", ".join(f'{{ address = "{address}", asn = 65515 }}' for address in ROUTERS.values())
    return f"""
[bgp]
asn = 65010
router_id = "{LAN}"
frr = "{lab.prefix}-nva"
peer = [{peers}]
advertise_after = "1s"
dead_after = "{DEAD_AFTER}s"
{more}
"""


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    file = config.adapted(lab, ('install = "halves"', 'install = "halves"\nadvertise = "halves"'))
    file.write_text(file.read_text() + bgp(lab))
    return Appliance(lab, file)


@pytest.fixture(scope="module")
def frr(lab: Lab, appliance: Appliance) -> Iterator[Frr]:
    """Beside the appliance, with what `sekisho bgp render` says."""
    rendered = appliance.execute("bgp", "render", "--config", appliance.config)
    assert rendered.returncode == 0, rendered.stderr
    with Frr(lab, "nva", rendered.stdout) as frr:
        yield frr


@pytest.fixture(scope="module")
def routers(lab: Lab, frr: Frr) -> Iterator[dict[str, Frr]]:
    with (
        Frr(lab, "onprem", ROUTER.format(address=ONPREM_GATEWAY)) as onprem,
        Frr(lab, "vnet", ROUTER.format(address=VNET)) as vnet,
    ):
        yield {"onprem": onprem, "vnet": vnet}


@pytest.fixture(scope="module")
def running(appliance: Appliance, routers: dict[str, Frr]) -> Appliance:
    appliance.start()
    for router in routers.values():
        router.wait_established()
    return appliance


@pytest.fixture(autouse=True)
def well(lab: Lab, running: Appliance, frr: Frr, routers: dict[str, Frr]) -> Iterator[None]:
    wait_told(routers, HALVES)
    text = running.config.read_text()
    yield
    lab.link_up("firewall")
    if running.config.read_text() != text:
        running.config.write_text(text)
        running.reload()


WATCHES = itertools.count()


@pytest.fixture
def watch(lab: Lab, running: Appliance) -> Iterator[Process]:
    process = lab.spawn(
        "nva", f"watch-{next(WATCHES)}", BUILD / "control" / "sekisho", "--socket", running.socket,
        "bgp", "watch", "--config", running.config, "--dataplane-socket", running.dataplane_socket,
    )  # fmt: skip
    wait_until("the watch to know control", lambda: "sekisho-control is there" in process.output())
    yield process
    if process in lab.processes:
        process.stop()
        lab.forget(process)


def told(router: Frr) -> list[str]:
    """By the appliance, as this router has it."""
    routes = router.json("show bgp ipv4 unicast").get("routes", {})
    return sorted(prefix for prefix, paths in routes.items() if any(path.get("peerId") == LAN for path in paths))


def wait_told(routers: dict[str, Frr], prefixes: list[str], timeout: float = 30) -> None:
    for name, router in routers.items():
        wait_until(f"{name} to be told {prefixes}", lambda r=router: told(r) == prefixes, timeout)


def versions(routers: dict[str, Frr]) -> dict[str, dict[str, int]]:
    """Of each route that a router has: another one when it went and came."""
    return {
        name: {prefix: paths[0]["version"] for prefix, paths in router.json("show bgp ipv4 unicast")["routes"].items()}
        for name, router in routers.items()
    }


def test_both_halves_reach_both_routers_and_nothing_else(running: Appliance, frr: Frr, routers: dict[str, Frr]) -> None:
    """Not even what FRR is told to originate besides: the prefix list lets it out to nobody."""
    frr.configure("router bgp 65010", "address-family ipv4 unicast", "network 198.51.100.0/24")
    before = versions(routers)
    said = running.json("show", "bgp")
    assert said["originated"] == HALVES and said["agrees"] and said["why_not"] == []
    assert [(session["peer"], session["established"], session["advertised"]) for session in said["sessions"]] == [
        (address, True, HALVES) for address in ROUTERS.values()
    ]
    assert said["frr"]["version"] and said["frr"]["failure"] is None
    wait_told(routers, HALVES)
    frr.configure("router bgp 65010", "address-family ipv4 unicast", "no network 198.51.100.0/24")
    assert versions(routers) == before
    path = next(iter(routers.values())).json("show bgp ipv4 unicast 0.0.0.0/1")["paths"][0]
    assert path["aspath"]["string"] == "65010" and path["nexthops"][0]["ip"] == LAN


def test_the_kernel_has_no_route_for_what_is_advertised(lab: Lab) -> None:
    tables = lab["nva"].run("ip", "-4", "route", "show", "table", "all")
    assert not any(line.startswith(tuple(HALVES)) for line in tables.splitlines())


def test_the_firewall_dies_and_returns(lab: Lab, running: Appliance, routers: dict[str, Frr]) -> None:
    lab.link_down("firewall")
    wait_told(routers, [])
    said = running.json("show", "bgp")
    assert said["originated"] == [] and not said["wanted"] and said["why_not"] == ["no living member of firewall"]
    assert "no living member of firewall" in running.execute("show", "bgp").stdout
    lab.link_up("firewall")
    wait_told(routers, HALVES)
    assert running.json("show", "bgp")["why_not"] == []


def test_the_dataplane_is_killed(running: Appliance, routers: dict[str, Frr]) -> None:
    running.kill_dataplane()
    wait_told(routers, [])
    assert running.json("show", "bgp")["why_not"] == ["the dataplane is not running"]
    running.start_dataplane()
    running.wait_ready()
    wait_told(routers, HALVES)


def test_the_egress_port_goes(lab: Lab, running: Appliance, routers: dict[str, Frr]) -> None:
    lab["nva"].ip("link", "set", "egress0", "down")
    try:
        wait_told(routers, [])
    finally:
        lab["nva"].ip("link", "set", "egress0", "up")
        lab["nva"].ip("route", "replace", "default", "via", "10.0.2.10")
    running.wait_ready()
    wait_told(routers, HALVES)


def test_control_is_restarted(running: Appliance, routers: dict[str, Frr], watch: Process) -> None:
    """No router hears of it."""
    before = versions(routers)
    running.kill_control()
    running.start_control()
    running.wait_ready()
    wait_until("control to know what FRR has", lambda: running.json("show", "bgp")["why_not"] == [])
    assert running.json("show", "bgp")["originated"] == HALVES
    assert versions(routers) == before
    assert "withdrawn from BGP peers:" not in watch.output()


def test_control_is_gone_and_the_dataplane_is_not(running: Appliance, routers: dict[str, Frr], watch: Process) -> None:
    """What works is left alone, until nobody can know any more."""
    running.kill_control()
    wait_until("the watch to miss control", lambda: "sekisho-control is gone" in watch.output())
    assert told(routers["onprem"]) == HALVES
    wait_told(routers, [], DEAD_AFTER + 20)
    assert f"0.0.0.0/1, 128.0.0.0/1 withdrawn from BGP peers: sekisho-control has been gone for {DEAD_AFTER}s" in watch.output()
    running.start_control()
    running.wait_ready()
    wait_told(routers, HALVES)


def test_control_hangs(running: Appliance, routers: dict[str, Frr], watch: Process) -> None:
    running.signal_control(signal.SIGSTOP)
    try:
        wait_told(routers, [], DEAD_AFTER + 30)
        assert "sekisho-control does not answer" in watch.output()
    finally:
        running.signal_control(signal.SIGCONT)
    wait_told(routers, HALVES)


def test_both_are_killed(running: Appliance, routers: dict[str, Frr], watch: Process) -> None:
    running.kill_control()
    running.kill_dataplane()
    wait_told(routers, [])
    assert "sekisho-control and the dataplane are gone" in watch.output()
    running.start_dataplane()
    running.start_control()
    running.wait_ready()
    wait_told(routers, HALVES)


def test_an_invalid_configuration_does_not_disarm_the_watch(
    running: Appliance, routers: dict[str, Frr], watch: Process
) -> None:
    text = running.config.read_text()
    running.config.write_text("nonsense")
    running.kill_control()
    wait_told(routers, [], DEAD_AFTER + 20)
    running.config.write_text(text)
    running.start_control()
    running.wait_ready()
    wait_told(routers, HALVES)


def test_the_watch_is_stopped(running: Appliance, routers: dict[str, Frr], watch: Process, lab: Lab) -> None:
    """Alone: control goes on. With control gone: the appliance is being stopped."""
    watch.stop()
    lab.forget(watch)
    assert "sekisho-control goes on" in watch.output() and told(routers["onprem"]) == HALVES


def test_the_appliance_is_stopped(running: Appliance, routers: dict[str, Frr], watch: Process, lab: Lab) -> None:
    running.kill_control()
    wait_until("the watch to miss control", lambda: "sekisho-control is gone" in watch.output())
    watch.stop()
    lab.forget(watch)
    wait_told(routers, [])
    assert "the appliance is being stopped" in watch.output()
    running.start_control()
    running.wait_ready()
    wait_told(routers, HALVES)


def test_drain_withdraws_first(running: Appliance, routers: dict[str, Frr]) -> None:
    said = running.execute("drain", "--for", "0").stdout
    assert said.startswith("BGP peers are told to send nothing here any more\n"), said
    wait_told(routers, [])
    assert running.json("show", "bgp")["why_not"] == ["it is being drained"]
    running.kill_control()
    running.start_control()
    running.wait_ready()
    assert running.json("show", "bgp")["originated"] == []
    running.execute("undrain")
    wait_told(routers, HALVES)


def test_frr_is_restarted(running: Appliance, frr: Frr, routers: dict[str, Frr]) -> None:
    frr.kill_daemon("bgpd")
    wait_until("control to miss FRR", lambda: problem(running, "frr_down"))
    assert "is not running" in problem(running, "frr_down")
    frr.start_daemon("bgpd")
    for router in routers.values():
        router.wait_established()
    wait_told(routers, HALVES)
    wait_until("control to have it", lambda: not problem(running, "frr_down"))


def problem(appliance: Appliance, kind: str) -> str:
    problems = appliance.json("show", "state")["problems"]
    return next((each["sentence"] for each in problems if each["kind"] == kind), "")


def test_what_an_operator_takes_away_comes_back(running: Appliance, frr: Frr, routers: dict[str, Frr]) -> None:
    """As `systemctl reload frr` does it: it takes away whatever is not in the file. Whether peers miss it meanwhile is chance."""
    assert running.control is not None
    said = len(running.control.output())
    frr.configure("router bgp 65010", "address-family ipv4 unicast", "no network 0.0.0.0/1")
    wait_until("control to miss it", lambda: "0.0.0.0/1 advertised to" in running.control.output()[said:])
    wait_told(routers, HALVES)


def test_a_session_is_down(running: Appliance, routers: dict[str, Frr]) -> None:
    routers["vnet"].kill_daemon("bgpd")
    wait_until("one session", lambda: "1 of 2 BGP sessions" in problem(running, "bgp_degraded"))
    routers["onprem"].kill_daemon("bgpd")
    wait_until("no session", lambda: problem(running, "bgp_down"))
    for router in routers.values():
        router.start_daemon("bgpd")
    wait_told(routers, HALVES)
    wait_until("both sessions", lambda: not problem(running, "bgp_down") and not problem(running, "bgp_degraded"))


def test_default_instead_of_halves(running: Appliance, frr: Frr, routers: dict[str, Frr]) -> None:
    text = running.config.read_text()
    running.config.write_text(text.replace('advertise = "halves"', 'advertise = "default"'))
    running.reload()
    applied = running.execute("bgp", "apply", "--config", running.config)
    assert applied.returncode == 0, applied.stderr + frr.file.read_text()
    wait_told(routers, ["0.0.0.0/0"])
    running.config.write_text(text.replace('advertise = "halves"', 'advertise = "none"'))
    running.reload()
    wait_told(routers, [])
    running.config.write_text(text)
    running.reload()
    assert running.execute("bgp", "apply", "--config", running.config).returncode == 0
    wait_told(routers, HALVES)


def test_further_prefixes_and_how_they_are_told(running: Appliance, routers: dict[str, Frr]) -> None:
    text = running.config.read_text()
    peer = f'{{ address = "{ONPREM_GATEWAY}", asn = 65515 }}'
    changed = text.replace(peer, peer[:-2] + f', prepend = 2, next_hop = "{VNET}" }}')
    running.config.write_text(changed + 'advertise = ["203.0.113.0/24"]\n')
    running.reload()
    assert running.execute("bgp", "apply", "--config", running.config).returncode == 0
    wait_told(routers, [*HALVES, "203.0.113.0/24"])

    def way(name: str, prefix: str = "203.0.113.0/24") -> tuple[str, str]:
        path = routers[name].json(f"show bgp ipv4 unicast {prefix}")["paths"][0]
        return path["aspath"]["string"], path["nexthops"][0]["ip"]

    wait_until("the path that was asked for", lambda: way("onprem") == ("65010 65010 65010", VNET))
    assert way("vnet") == ("65010", LAN)
    running.config.write_text(text)
    running.reload()
    assert running.execute("bgp", "apply", "--config", running.config).returncode == 0
    wait_told(routers, HALVES)
    # FRR tells what a route map makes of a route some seconds after it has it.
    wait_until("the path of before", lambda: all(way("onprem", prefix) == ("65010", LAN) for prefix in HALVES))


def test_apply_leaves_what_is_advertised_alone(running: Appliance, routers: dict[str, Frr]) -> None:
    before = versions(routers)
    said = running.execute("bgp", "apply", "--config", running.config)
    assert said.returncode == 0 and "FRR runs with it" in said.stdout, said.stdout + said.stderr
    wait_told(routers, HALVES)
    assert versions(routers) == before


def test_a_foreign_file_stays(running: Appliance, frr: Frr, lab: Lab) -> None:
    foreign = lab.folder / "foreign.conf"
    foreign.write_text("router bgp 65010\nexit\n")
    said = running.execute("bgp", "apply", "--config", running.config, "--file", foreign)
    assert said.returncode == 1 and "is not ours, and stays as it is" in said.stderr
    assert foreign.read_text() == "router bgp 65010\nexit\n"


def test_vtysh_hangs(lab: Lab, running: Appliance, routers: dict[str, Frr]) -> None:
    """Forwarding goes on, every command answers, and it says so; the same without FRR."""
    folder = lab.folder / "bin"
    folder.mkdir()
    (folder / "vtysh").write_text("#!/bin/sh\nsleep 1000\n")
    (folder / "vtysh").chmod(0o755)
    path = os.environ["PATH"]
    running.kill_control()
    os.environ["PATH"] = f"{folder}:{path}"
    try:
        running.start_control()
        running.wait_ready()
        wait_until("it to be said", lambda: "FRR does not answer" in problem(running, "frr_down"), 30)
        assert running.json("show", "bgp")["frr"]["failure"].startswith("FRR does not answer")
        running.kill_control()
        os.environ["PATH"] = "/usr/sbin:/sbin"
        for name in ("ip", "taskset"):
            found = Path(f"/usr/bin/{name}")
            if found.exists():
                (folder / name).symlink_to(found)
        (folder / "vtysh").unlink()
        os.environ["PATH"] = f"{folder}:/usr/sbin:/sbin"
        running.start_control()
        running.wait_ready()
        wait_until("it to be said", lambda: "FRR is not installed" in problem(running, "frr_down"), 30)
        running.kill_control()
    finally:
        os.environ["PATH"] = path
        running.start_control()
    running.wait_ready()
    wait_told(routers, HALVES)
    assert json.loads(running.execute("show", "state", "--json").stdout)["verdict"] == "forwarding"
