# SPDX-License-Identifier: BSD-3-Clause
"""The services of an installed package, as systemd runs them. The tests are one story, in this order."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from lab.appliance import MAIN_CPU, ROOT, WORKER_CPU
from lab.process import wait_until
from lab.stream import UNFIT, Stream, StreamResult
from lab.topology import STREAM, Lab
from package.machine import Machine, repack

NAMES = ("guard", "dataplane", "control")
RATE = 5000  # packets a second
ATTEMPTS = 3
CAP_NET_ADMIN = 1 << 12
CAP_NET_RAW = 1 << 13
CAP_BPF = 1 << 39


GUARDED = {"lan0", "egress0", "sekisho0"}


def guarded(lab: Lab) -> set[str]:
    """The interfaces that nftables itself names; the machine's own word is not asked for."""
    listing = json.loads(lab["nva"].run("nft", "-j", "list", "ruleset"))["nftables"]
    return {
        element
        for entry in listing
        if entry.get("set", {}).get("table") == "sekisho" and entry["set"]["type"] == "ifname"
        for element in entry["set"].get("elem", [])
    }


def restarted(machine: Machine, name: str, before: str) -> bool:
    unit = machine.unit(name)
    return unit["ActiveState"] == "active" and unit["MainPID"] not in ("0", before)


def reinstall(machine: Machine, package: Path) -> None:
    shutil.copy(package, machine.root / "root")
    machine.run("dpkg", "--install", f"/root/{package.name}")


def in_the_kernel(lab: Lab) -> set[str]:
    """What Sekisho's programs leave there for their successors, and the TAPs that a test made."""
    nva = lab["nva"]
    routing = nva.run("ip", "rule", "show") + nva.run("ip", "-d", "route", "show", "table", "all")
    links = json.loads(nva.run("ip", "-j", "-d", "link", "show"))
    tuns = {link["ifname"] for link in links if link.get("linkinfo", {}).get("info_kind") == "tun"}
    return tuns | {line for line in routing.splitlines() if "proto 83" in line}


def test_installation_starts_nothing(lab: Lab, machine: Machine, package: Path) -> None:
    """Neither in a folder, as so far, nor under a running systemd."""
    reinstall(machine, package)
    for name in (*NAMES, "bgp-watch"):
        unit = machine.unit(name)
        assert (unit["ActiveState"], unit["UnitFileState"]) == ("inactive", "disabled")
    assert not guarded(lab)


def test_the_shipped_configuration_is_refused_clearly(machine: Machine) -> None:
    assert machine.execute("systemctl", "start", "sekisho-control").returncode != 0
    assert "/etc/sekisho/sekisho.toml: names no port" in machine.journal("sekisho-guard")
    assert not machine.active("dataplane") and not machine.active("control")


def test_what_enabling_the_template_does(lab: Lab, machine: Machine) -> None:
    """As doc/install.md has it: it fails, and the guard stands for the whole host, until it is taken back."""
    lab["nva"].run("nft", "flush", "ruleset")
    assert machine.execute("systemctl", "enable", "--now", "sekisho-control").returncode != 0
    assert machine.unit("guard")["ActiveState"] == "failed"
    for name in ("dataplane", "control"):
        unit = machine.unit(name)
        assert (unit["ActiveState"], unit["UnitFileState"]) == ("inactive", "enabled")
    assert machine.unit("guard")["UnitFileState"] == "enabled"
    assert "policy drop" in lab["nva"].run("nft", "list", "table", "inet", "sekisho")
    machine.run("systemctl", "disable", "sekisho-guard", "sekisho-control", "sekisho-dataplane", "sekisho-bgp-watch")
    machine.run("sekisho", "guard", "off")
    assert lab["nva"].run("nft", "list", "ruleset") == ""
    machine.run("systemctl", "reset-failed")


def test_starts_and_forwards(lab: Lab, machine: Machine) -> None:
    for file in ("halves.toml", "overrides.txt"):
        shutil.copy(ROOT / "examples" / file, machine.root / "etc/sekisho")
    (machine.root / "etc/sekisho/halves.toml").rename(machine.root / "etc/sekisho/sekisho.toml")
    options = f"SEKISHO_DATAPLANE_OPTIONS=--main {MAIN_CPU} --workers {WORKER_CPU}\n"
    (machine.root / "etc/sekisho/dataplane.env").write_text(options)
    machine.run("systemctl", "enable", "--now", "sekisho-control")
    machine.wait_forwarding()
    assert lab.fetch()
    assert lab.activate() == "KMS"


def test_after_a_power_cut(lab: Lab, machine: Machine) -> None:
    """Everything is back by itself, the guard first. The namespace loses the rules, as a kernel that starts has none."""
    machine.power_off()
    lab["nva"].run("nft", "flush", "ruleset")
    machine.boot()
    machine.wait_forwarding()
    assert lab.fetch()
    assert lab.activate() == "KMS"
    guard, dataplane, control = (machine.unit(name) for name in NAMES)
    order = [
        int(guard["ExecMainExitTimestampMonotonic"]),
        int(dataplane["ExecMainStartTimestampMonotonic"]),
        int(dataplane["ActiveEnterTimestampMonotonic"]),
        int(control["ExecMainStartTimestampMonotonic"]),
        int(control["ActiveEnterTimestampMonotonic"]),
    ]
    assert 0 < order[0] and order == sorted(order)
    assert guarded(lab) == GUARDED


def test_every_lock_holds(lab: Lab, machine: Machine) -> None:
    """By the capabilities that the units have."""
    state = json.loads(machine.run("sekisho", "--json", "guard", "status"))
    assert {port["port"]: (port["steering"], port["tc"], port["forwarding"]) for port in state["ports"]} == {
        "lan": (True, True, False), "egress": (True, True, True)
    }  # fmt: skip
    assert not state["new_interfaces_forward"] and "it is back" not in machine.journal("sekisho-control")


def test_guard_without_the_others(lab: Lab, machine: Machine) -> None:
    """It is the guard's own unit that guards, and stopping any of them does not end it."""
    machine.run("systemctl", "stop", *(f"sekisho-{name}" for name in NAMES))
    assert guarded(lab) == GUARDED
    lab["nva"].run("nft", "delete", "table", "inet", "sekisho")
    machine.run("systemctl", "start", "sekisho-guard")
    assert guarded(lab) == GUARDED and not machine.active("control")
    assert machine.execute("sekisho", "guard", "status").returncode == 0, "every lock, by the unit's two capabilities"
    machine.run("systemctl", "start", "sekisho-control")
    machine.wait_forwarding()


def test_control_has_three_capabilities(machine: Machine) -> None:
    status = machine.status("control")
    user, group = (machine.run("id", word, "sekisho").strip() for word in ("-u", "-g"))
    assert user != "0" and set(status["Uid"].split()) == {user} and set(status["Gid"].split()) == {group}
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == CAP_NET_ADMIN | CAP_NET_RAW | CAP_BPF, kind
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert machine.json("show", "state")["dataplane"]["connected"] is True


def test_the_watch_comes_and_goes_with_the_appliance(machine: Machine) -> None:
    """Whoever starts control has it. It may do nothing but ask: FRR as a member of its group, the others as their own user."""
    assert machine.active("bgp-watch") and machine.unit("bgp-watch")["UnitFileState"] == "enabled"
    wait_until("it to know control", lambda: "sekisho-control is there" in machine.journal("sekisho-bgp-watch"))
    status = machine.status("bgp-watch")
    assert int(status["CapEff"], 16) == 0
    for name in ("bgp-watch", "control"):
        group = machine.run("getent", "group", "frrvty").split(":")[2]
        assert group in machine.status(name)["Groups"].split(), name
    before = {name: machine.unit(name)["MainPID"] for name in ("dataplane", "control")}
    machine.run("systemctl", "restart", "sekisho-bgp-watch")
    assert {name: machine.unit(name)["MainPID"] for name in before} == before
    machine.run("systemctl", "start", "sekisho.target")
    said = len(machine.journal("sekisho-bgp-watch"))
    machine.run("systemctl", "stop", "sekisho.target")
    # systemctl waits for the target, which is part of none of them; they stop one after another.
    wait_until(
        "all to have stopped", lambda: not any(machine.active(name) for name in ("bgp-watch", "control", "dataplane"))
    )
    assert "nothing was advertised" not in machine.journal("sekisho-bgp-watch")[said:], "there are no peers"
    machine.run("systemctl", "start", "sekisho-control")
    machine.wait_forwarding()
    assert machine.active("bgp-watch")


def test_dataplane_has_priority(machine: Machine) -> None:
    pid = machine.unit("dataplane")["MainPID"]
    assert machine.run("cat", f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[16] == "-20"


@pytest.mark.parametrize(
    ("socket", "expected"),
    [
        ("/run/sekisho-dataplane/dataplane.sock", "sekisho sekisho 600"),
        ("/run/sekisho/control.sock", "sekisho sekisho 660"),
    ],
)
def test_who_owns_the_sockets(machine: Machine, socket: str, expected: str) -> None:
    assert machine.run("stat", "--format=%U %G %a", socket).strip() == expected


def test_group_may_ask_and_others_not(machine: Machine) -> None:
    somebody = ("setpriv", "--reuid=nobody", "--regid=nogroup")
    ask = ("sekisho", "show", "state")
    assert machine.execute(*somebody, "--groups=sekisho", *ask).returncode == 0
    refused = machine.execute(*somebody, "--clear-groups", *ask)
    assert refused.returncode == 1 and "cannot reach sekisho-control" in refused.stderr


def test_folders_are_nobody_elses_to_lock(machine: Machine) -> None:
    """Who may read a folder may flock it: not even the group may."""
    somebody = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--groups=sekisho")
    assert machine.execute(*somebody, "flock", "/run/sekisho-dataplane", "true").returncode != 0


def test_only_the_second_group_changes(machine: Machine) -> None:
    somebody = ("setpriv", "--reuid=nobody", "--regid=nogroup")
    past = ("sekisho", "route", "add", "--zone", "onprem", "9.9.9.9/32", "Internet")
    refused = machine.execute(*somebody, "--groups=sekisho", *past)
    assert refused.returncode == 1 and "only root and group sekisho-admin may" in refused.stderr
    assert machine.execute(*somebody, "--groups=sekisho", "sekisho", "reload").returncode == 1
    assert machine.execute(*somebody, "--groups=sekisho", "sekisho", "reload", "--dry-run").returncode == 0
    assert machine.execute(*somebody, "--groups=sekisho,sekisho-admin", "sekisho", "reload").returncode == 0


def test_reload_says_what_is_wrong(lab: Lab, machine: Machine) -> None:
    file = machine.root / "etc/sekisho/sekisho.toml"
    good = file.read_text()
    file.write_text(good.replace('via     = "firewall"', 'via     = "nobody"'))
    assert machine.execute("systemctl", "reload", "sekisho-control").returncode != 0
    file.write_text(good)
    machine.run("systemctl", "reload", "sekisho-control")
    assert machine.active("control") and lab.fetch()


def test_killed_dataplane_is_rebuilt(lab: Lab, machine: Machine) -> None:
    before = machine.unit("dataplane")["MainPID"]
    control = machine.unit("control")["MainPID"]
    machine.run("systemctl", "kill", "--signal=KILL", "sekisho-dataplane")
    wait_until("another dataplane", lambda: restarted(machine, "dataplane", before), timeout=60)
    machine.wait_forwarding()
    assert lab.fetch()
    assert machine.unit("control")["MainPID"] == control
    assert guarded(lab) == GUARDED


@pytest.fixture(scope="module")
def newer(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another version, whose dataplane is another file."""

    def edit(tree: Path) -> None:
        with (tree / "usr/sbin/sekisho-dataplane").open("ab") as program:
            program.write(b"newer")

    return repack(package, tmp_path_factory.mktemp("newer"), "99", edit)


def upgrade_under_traffic(lab: Lab, machine: Machine, package: Path) -> StreamResult:
    before = {name: machine.unit(name)["MainPID"] for name in ("control", "bgp-watch")}
    said = len(machine.journal("sekisho-bgp-watch"))
    with Stream(lab, STREAM, rate=RATE, seconds=600) as stream:
        stream.wait_received(RATE, timeout=60)
        reinstall(machine, package)
        wait_until("another control", lambda: restarted(machine, "control", before["control"]), timeout=60)
        wait_until("another watch", lambda: restarted(machine, "bgp-watch", before["bgp-watch"]), timeout=60)
        wait_until(
            "the former watch to leave it to control",
            lambda: "stopping; sekisho-control goes on" in machine.journal("sekisho-bgp-watch")[said:],
        )
        machine.wait_forwarding()
        stream.wait_more(RATE)
        stream.stop()
        return stream.finish()


def test_an_upgrade_under_traffic_loses_nothing(lab: Lab, machine: Machine, package: Path, newer: Path) -> None:
    """The same version, then another one: control and the watch are new, the dataplane is the process that it was, whatever its
    file is now, and each packet arrives once. The watch withdraws nothing: control is there when it ends.
    """
    wait_until("the watch", lambda: machine.active("bgp-watch"))
    dataplane = machine.unit("dataplane")["MainPID"]
    for upgrade in (package, newer):
        result = upgrade_under_traffic(lab, machine, upgrade)
        for _ in range(ATTEMPTS - 1):
            if result in UNFIT:  # it was robbed of its CPU, and shows nothing
                result = upgrade_under_traffic(lab, machine, upgrade)
        assert machine.unit("dataplane")["MainPID"] == dataplane
        assert (result.lost, result.duplicated) == (0, 0), str(result)
    assert machine.run("dpkg-query", "--show", "--showformat=${Version}", "sekisho") == "99"
    assert "(deleted)" in machine.run("readlink", f"/proc/{dataplane}/exe"), "its file is another one, and it runs on"
    assert lab.fetch()


def test_upgrade_starts_nothing_that_was_stopped(lab: Lab, machine: Machine, package: Path) -> None:
    """Enabled or not: whoever stopped it had a reason."""
    machine.run("systemctl", "stop", *(f"sekisho-{name}" for name in NAMES))
    reinstall(machine, package)
    assert not any(machine.active(name) for name in NAMES)
    machine.run("systemctl", "start", "sekisho-control")
    machine.wait_forwarding()
    assert lab.fetch()


@pytest.mark.parametrize("name", ["dataplane", "control"])
def test_hanging_process_is_replaced(lab: Lab, machine: Machine, name: str) -> None:
    """With a watchdog of 10 s for the test, which those that beat outlive."""
    override = machine.root / f"etc/systemd/system/sekisho-{name}.service.d"
    override.mkdir()
    (override / "quick.conf").write_text("[Service]\nWatchdogSec=10\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", f"sekisho-{name}")
    first = machine.unit(name)
    wait_until("a beat", lambda: machine.unit(name)["WatchdogTimestamp"] != first["WatchdogTimestamp"], timeout=30)
    assert machine.unit(name)["MainPID"] == first["MainPID"]
    machine.run("systemctl", "kill", "--signal=STOP", "--kill-whom=main", f"sekisho-{name}")
    wait_until("another one", lambda: restarted(machine, name, first["MainPID"]), timeout=60)
    assert "Failed with result 'watchdog'" in machine.journal(f"sekisho-{name}")
    machine.wait_forwarding()
    assert lab.fetch()


def test_purge_leaves_the_guard_and_nothing_else(lab: Lab, machine: Machine, package: Path, newer: Path) -> None:
    for name in ("dataplane", "control"):
        shutil.rmtree(machine.root / f"etc/systemd/system/sekisho-{name}.service.d")
    for name in (package.name, newer.name):
        (machine.root / "root" / name).unlink()
    for name, alias in (("gone", "sekisho port gone"), ("foreign", "sekisho's neighbour")):
        lab["nva"].ip("tuntap", "add", "mode", "tap", "name", name)
        lab["nva"].ip("link", "set", name, "alias", alias)
    before = in_the_kernel(lab)
    assert before >= {"gone", "foreign", "sekisho0"} and len(before) > 6
    said = machine.run("dpkg", "--purge", "sekisho")
    assert "the kernel keeps its guard" in said
    assert guarded(lab) == GUARDED
    assert in_the_kernel(lab) == {"foreign"}
    left = machine.run(
        "find", "/", "-xdev", "-not", "-path", "*/tmp/systemd-private-*", "(", "-name", "*sekisho*", "-o", "-path", "*/sekisho/*", ")",
        "-print",
    ).split()  # fmt: skip
    # What the operator put beside the package's own files is the operator's.
    assert left == ["/etc/sekisho", "/etc/sekisho/overrides.txt"]
    assert not machine.execute("sh", "-c", "ls -d /run/sekisho* /proc/[0-9]*/exe -l | grep sekisho").stdout
