# SPDX-License-Identifier: BSD-3-Clause
"""Ports and their interfaces: renamed, swapped, made again, found by MAC address or altname, and given another MTU."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.process import wait_until
from lab.stream import Stream
from lab.topology import LAN, MACS, ONPREM_GATEWAY, STREAM, Lab

LAN_DEVICE = 'device = "af_xdp:lan0"'
LAN_BY_MAC = f'device = "af_xdp:mac:{MACS["nva", "lan0"].upper()}"'
NAMES = ("lan0", "egress0")


def rename(lab: Lab, old: str, new: str) -> None:
    lab["nva"].ip("link", "set", "dev", old, "name", new)


def name_of(lab: Lab, port: str) -> str:
    """What the kernel calls the interface with this port's MAC address."""
    for line in lab["nva"].ip("-o", "link").splitlines():
        if MACS["nva", port] in line:
            return line.split()[1].rstrip(":").split("@")[0]
    raise AssertionError(f"{port} is gone")


@pytest.fixture(autouse=True)
def restored(lab: Lab, appliance: Appliance) -> Iterator[None]:
    text = appliance.config.read_text()
    yield
    appliance.config.write_text(text)
    for name in NAMES:
        if (now := name_of(lab, name)) != name:
            rename(lab, now, f"{name}-old")
    for name in NAMES:
        if (now := name_of(lab, name)) != name:
            rename(lab, now, name)
    for name in NAMES:
        lab["nva"].ip("link", "set", name, "mtu", "1500", "up")
    appliance.reload()
    appliance.wait_ready()
    wait_until("nothing to be said", lambda: not findings(appliance))


def findings(appliance: Appliance) -> list[str]:
    return [finding for port in appliance.ports().values() for finding in port["findings"]]


def interfaces(appliance: Appliance) -> dict[str, str]:
    return {name: port["interface"] for name, port in appliance.ports().items()}


def forwards(lab: Lab, onprem: Injector) -> None:
    with Capture(lab, "internet") as seen:
        onprem.send(frame(), 20)
        seen.wait(20)


def passes(lab: Lab, onprem: Injector) -> bool:
    before = lab.counters()["arrived"]
    onprem.send(frame())
    with contextlib.suppress(AssertionError):
        wait_until("a packet", lambda: lab.counters()["arrived"] > before, 0.2)
    return lab.counters()["arrived"] > before


def one(lab: Lab) -> dict[str, str]:
    rename(lab, "lan0", "wan7")
    return {"lan": "wan7", "egress": "egress0"}


def both(lab: Lab) -> dict[str, str]:
    rename(lab, "lan0", "wan7")
    rename(lab, "egress0", "wan8")
    return {"lan": "wan7", "egress": "wan8"}


def swap(lab: Lab) -> dict[str, str]:
    rename(lab, "lan0", "between")
    rename(lab, "egress0", "lan0")
    rename(lab, "between", "egress0")
    return {"lan": "egress0", "egress": "lan0"}


@pytest.mark.parametrize("change", [one, both, swap])
def test_renamed_while_a_stream_runs(lab: Lab, appliance: Appliance, change: object) -> None:
    """Nothing is opened, nothing is lost; and it is said."""
    with Stream(lab, STREAM, rate=5_000, seconds=4) as stream:
        stream.wait_received(2_000)
        expected = change(lab)  # type: ignore[operator]
        wait_until("the new names", lambda: interfaces(appliance) == expected)
        appliance.reload()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
    # What the kernel has by the name follows: the exit's rules.
    appliance.wait_ready()
    assert lab.activate() == "KMS"
    said = findings(appliance)
    assert len(said) == sum(expected[port] != f"{port}0" for port in expected), said
    assert all("the kernel calls it" in finding for finding in said), said
    assert appliance.control is not None
    assert "the port goes on" in appliance.control.output()


@pytest.mark.parametrize("change", [one, swap])
def test_control_is_restarted_afterwards(lab: Lab, appliance: Appliance, change: object) -> None:
    """It asks the dataplane which interfaces the ports run on."""
    with Stream(lab, STREAM, rate=5_000, seconds=6) as stream:
        stream.wait_received(1_000)
        expected = change(lab)  # type: ignore[operator]
        wait_until("the new names", lambda: interfaces(appliance) == expected)
        appliance.kill_control()
        appliance.start_control()
        appliance.wait_ready()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
    assert interfaces(appliance) == expected


def test_control_is_restarted_where_a_name_and_a_mac_say_one_interface(lab: Lab, appliance: Appliance) -> None:
    """The name of the one port has become the other's, who is known by its MAC address."""
    by_mac = f'device = "af_xdp:mac:{MACS["nva", "egress0"]}"'
    appliance.config.write_text(appliance.config.read_text().replace('device = "af_xdp:egress0"', by_mac))
    appliance.reload()
    with Stream(lab, STREAM, rate=5_000, seconds=6) as stream:
        stream.wait_received(1_000)
        rename(lab, "lan0", "wan7")
        rename(lab, "egress0", "lan0")
        expected = {"lan": "wan7", "egress": "lan0"}
        wait_until("the new names", lambda: interfaces(appliance) == expected)
        appliance.kill_control()
        appliance.start_control()
        appliance.wait_ready()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
    assert interfaces(appliance) == expected


def test_the_dataplane_is_restarted_afterwards(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    expected = swap(lab)
    wait_until("the new names", lambda: interfaces(appliance) == expected)
    appliance.kill_dataplane()
    wait_until("its end to be noticed", lambda: not appliance.json("show", "state")["dataplane"]["connected"])
    appliance.start_dataplane()
    appliance.wait_ready()
    assert interfaces(appliance) == expected
    forwards(lab, onprem)


def test_a_configuration_that_follows_opens_nothing(lab: Lab, appliance: Appliance) -> None:
    with Stream(lab, STREAM, rate=5_000, seconds=4) as stream:
        stream.wait_received(1_000)
        rename(lab, "lan0", "wan7")
        wait_until("the new name", lambda: interfaces(appliance)["lan"] == "wan7")
        for device in ('device = "af_xdp:wan7"', LAN_BY_MAC):
            appliance.config.write_text(appliance.config.read_text().replace(LAN_DEVICE, device))
            appliance.reload()
            assert not findings(appliance)
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result


def test_another_takes_the_old_name(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    rename(lab, "lan0", "wan7")
    lab["nva"].ip("link", "add", "lan0", "type", "veth", "peer", "name", "lan1")
    try:
        wait_until("the new name", lambda: interfaces(appliance)["lan"] == "wan7")
        forwards(lab, onprem)
        appliance.reload()
        forwards(lab, onprem)
    finally:
        lab["nva"].ip("link", "delete", "lan0")


def delete_lan(lab: Lab, appliance: Appliance) -> None:
    lab["nva"].ip("link", "delete", "lan0")
    wait_until("the loss to be said", lambda: appliance.ports()["lan"]["link"] == "missing")


def make_lan(lab: Lab, name: str = "lan0") -> None:
    fabric, nva = lab["fabric"], lab["nva"]
    fabric.ip(
        "link", "add", "nva-lan0", "type", "veth",
        "peer", "name", name, "netns", nva.name, "address", MACS["nva", "lan0"],
    )  # fmt: skip
    for where, netdev in ((fabric, "nva-lan0"), (nva, name)):
        where.run("ethtool", "-K", netdev, "rx", "off", "tx", "off", "txvlan", "off", "rxvlan", "off")
    fabric.ip("link", "set", "nva-lan0", "master", "lan-br", "up")
    nva.ip("address", "add", f"{LAN}/24", "brd", "+", "dev", name)
    nva.ip("link", "set", name, "up")
    nva.ip("route", "replace", "172.16.0.0/12", "via", ONPREM_GATEWAY)


def test_deleted_and_made_again(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    delete_lan(lab, appliance)
    assert findings(appliance) == ["port lan: there is no interface lan0"]
    # The name alone says what it is: one of another name is none.
    make_lan(lab, "wan7")
    wait_until("its link", lambda: name_of(lab, "lan0") == "wan7")
    assert findings(appliance) == ["port lan: there is no interface lan0"]
    lab["nva"].ip("link", "property", "add", "dev", "wan7", "altname", "lan0")
    appliance.wait_ready()
    assert interfaces(appliance)["lan"] == "wan7"
    assert not findings(appliance), "an altname is a name"
    forwards(lab, onprem)
    lab["nva"].ip("link", "property", "del", "dev", "wan7", "altname", "lan0")


def move_and_return(lab: Lab) -> None:
    nva, other = lab["nva"], lab["vnet"]
    nva.ip("link", "set", "lan0", "netns", other.name)
    other.ip("link", "set", "lan0", "netns", nva.name)
    nva.ip("address", "add", f"{LAN}/24", "brd", "+", "dev", "lan0")
    nva.ip("link", "set", "lan0", "up")
    nva.ip("route", "replace", "172.16.0.0/12", "via", ONPREM_GATEWAY)


def test_moved_while_control_is_dead(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """Nobody counts how often it came back; the dataplane says that its sockets are dead, and what was given to them."""
    delete_lan(lab, appliance)
    make_lan(lab)  # by an index that is nobody's in the other namespace
    appliance.wait_ready()
    index = lab["nva"].run("cat", "/sys/class/net/lan0/ifindex")
    appliance.kill_control()
    move_and_return(lab)
    assert lab["nva"].run("cat", "/sys/class/net/lan0/ifindex") == index
    before = lab.interface("nva", "lan0")["rx_packets"]

    def are_there() -> bool:
        onprem.send(frame())
        return lab.interface("nva", "lan0")["rx_packets"] >= before + 20

    wait_until("frames for dead sockets", are_there)
    appliance.start_control()
    appliance.wait_ready()
    wait_until("packets to pass", lambda: passes(lab, onprem))
    forwards(lab, onprem)
    lan = next(port for port in appliance.stats()["ports"] if port["name"] == "lan")
    assert lan["missed"] >= 20, lan
    assert lan["steer"]["redirected"] - lan["steer_before"] == lan["rx"] + lan["missed"], lan
    assert "was deleted, or moved to another network namespace" in appliance.dataplane.output()  # type: ignore[union-attr]


def test_moved_to_another_namespace_and_back(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """With the same index, name and MAC address; but the sockets on it are dead."""
    move_and_return(lab)
    appliance.wait_ready()
    wait_until("packets to pass", lambda: passes(lab, onprem))
    forwards(lab, onprem)
    # Another control counts on.
    with Stream(lab, STREAM, rate=2_000, seconds=4) as stream:
        stream.wait_received(500)
        appliance.kill_control()
        appliance.start_control()
        appliance.wait_ready()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result


def test_the_egress_takes_the_name_of_a_port_that_is_lost(lab: Lab, appliance: Appliance) -> None:
    """It does not become that port, and goes on."""
    delete_lan(lab, appliance)
    rename(lab, "egress0", "lan0")
    wait_until("the name", lambda: interfaces(appliance) == {"lan": None, "egress": "lan0"})
    assert "port lan: lan0 is the interface of port egress by now" in findings(appliance)
    assert appliance.ports()["egress"]["running"]
    rename(lab, "lan0", "egress0")
    make_lan(lab)


def test_by_mac(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """Found under whatever name it has been made again."""
    appliance.config.write_text(appliance.config.read_text().replace(LAN_DEVICE, LAN_BY_MAC))
    appliance.reload()
    forwards(lab, onprem)
    for name in ("wan7", "lan0"):
        lab["nva"].ip("link", "delete", name_of(lab, "lan0"))
        wait_until("the loss to be said", lambda: appliance.ports()["lan"]["link"] == "missing")
        assert findings(appliance) == [f"port lan: no interface has MAC address {MACS['nva', 'lan0']}"]
        make_lan(lab, name)
        appliance.wait_ready()
        assert interfaces(appliance)["lan"] == name
        forwards(lab, onprem)
    # A slave may have the same address (on Azure the accelerated interface has its netvsc's).
    nva = lab["nva"]
    nva.ip("link", "add", "slave0", "address", MACS["nva", "lan0"], "type", "veth", "peer", "name", "slave1")
    nva.ip("link", "add", "master0", "address", "02:00:00:00:09:99", "type", "bridge")
    nva.ip("link", "set", "slave0", "master", "master0")
    try:
        appliance.stop()
        appliance.start()
        assert interfaces(appliance)["lan"] == "lan0"
        # Free, it is a second candidate: nobody guesses.
        nva.ip("link", "set", "slave0", "nomaster")
        appliance.stop()
        appliance.start_dataplane()
        appliance.start_control()
        wait_until("control", appliance.answers)
        assert f"lan0 and slave0 have the same MAC address {MACS['nva', 'lan0']}" in findings(appliance)[0]
    finally:
        nva.ip("link", "delete", "slave0")
        nva.ip("link", "delete", "master0")
    appliance.wait_ready()


def refused(appliance: Appliance, *words: str) -> str:
    done = appliance.execute(*words)
    assert done.returncode == 1, done
    return done.stdout + done.stderr


def test_devices_that_are_not_there_are_said(lab: Lab, appliance: Appliance, onprem: Injector, tmp_path: Path) -> None:
    file = appliance.config
    text = file.read_text()
    third = f'{text}\n[port.third]\ndevice = "af_xdp:lan9"\n'
    file.write_text(third)
    line = third.splitlines().index("[port.third]") + 1
    reason = f"{file}:{line}: port third: there is no interface lan9"
    for words in (("reload",), ("reload", "--dry-run")):
        assert reason in refused(appliance, *words)
    checked = appliance.execute("check", "--config", file)
    assert checked.returncode == 0, "it may be for another machine"
    assert "no-interface" in checked.stdout and "port third: there is no interface lan9" in checked.stdout
    assert "there is no interface lan9" in appliance.execute("doctor", "--config", file).stdout
    # Two ports that are one interface.
    file.write_text(third.replace("af_xdp:lan9", f"af_xdp:mac:{MACS['nva', 'lan0']}"))
    for words in (("reload",), ("check", "--config", str(file))):
        assert "lan0 is the interface of port lan" in refused(appliance, *words)
    forwards(lab, onprem)


def test_the_mtu_follows_the_interface(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """Down and up, by the size of packets that pass; no reload, and not one of a stream is lost."""
    nva = lab["nva"]
    with Stream(lab, STREAM, rate=2_000, seconds=6) as stream:
        stream.wait_received(500)
        for mtu in ("1400", "1500", "1300"):
            nva.ip("link", "set", "egress0", "mtu", mtu)
            wait_until("the MTU", lambda mtu=mtu: appliance.ports()["egress"]["mtu"] == int(mtu))
        nva.ip("link", "set", "egress0", "mtu", "1400")
        wait_until("the MTU", lambda: appliance.ports()["egress"]["mtu"] == 1400)
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
    account = Account(appliance)
    onprem.send(frame(size=1450 - 28, flags="DF"), 10)
    account.dropped("lan", "mtu_exceeded", 10)
    account = Account(appliance)
    onprem.send(frame(size=1400 - 28), 10)
    account.forwarded("lan", "egress", 10)
    checked = appliance.execute("check", "--config", appliance.config).stdout
    assert "mtu-differs" in checked and "port lan has an MTU of 1500, and port egress of 1400" in checked
    nva.ip("link", "set", "egress0", "mtu", "1500")
    wait_until("the MTU", lambda: appliance.ports()["egress"]["mtu"] == 1500)
    account = Account(appliance)
    onprem.send(frame(size=1450 - 28), 10)
    account.forwarded("lan", "egress", 10)
    assert appliance.control is not None
    assert "the MTU of egress0 is 1400 now, and was 1300" in appliance.control.output()


def test_an_mtu_beyond_the_packet_buffers(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """The port goes on with what they take, and says so."""
    lab["nva"].ip("link", "set", "egress0", "mtu", "9000")
    wait_until("the finding", lambda: any("packet buffers take no more" in said for said in findings(appliance)))
    assert 1500 < appliance.ports()["egress"]["mtu"] < 2048
    forwards(lab, onprem)


def test_buffers_for_longer_packets(lab: Lab, appliance: Appliance) -> None:
    """A page each: the longest that AF_XDP takes."""
    ends = [("onprem", "eth0"), ("nva", "lan0"), ("nva", "egress0"), ("firewall", "inside")]
    cables = [*ends, *(("fabric", f"{space}-{netdev}") for space, netdev in ends)]
    appliance.stop()
    appliance.dataplane_options = ["--mtu", "3498"]
    try:
        for space, netdev in cables:
            lab[space].ip("link", "set", netdev, "mtu", "3498")
        appliance.start()
        assert {port["mtu"] for port in appliance.ports().values()} == {3498}
        injector = Injector(lab)
        with Capture(lab, "firewall", "inside") as arrived:
            injector.send(frame(size=3400), 10)
            assert {len(packet) for packet in arrived.wait(10)} == {len(frame(size=3400))}
        injector.close()
    finally:
        appliance.stop()
        appliance.dataplane_options = []
        for space, netdev in cables:
            lab[space].ip("link", "set", netdev, "mtu", "1500")
        appliance.start()


def test_a_configured_mtu_is_kept(lab: Lab, appliance: Appliance) -> None:
    text = appliance.config.read_text()
    appliance.config.write_text(text.replace('device = "af_xdp:egress0"', 'device = "af_xdp:egress0"\nmtu = 1400'))

    def is_1400() -> bool:
        link = lab["nva"].ip("-o", "link", "show", "dev", "egress0")
        return " mtu 1400 " in link and appliance.ports()["egress"]["mtu"] == 1400

    with Stream(lab, STREAM, rate=2_000, seconds=4) as stream:
        stream.wait_received(500)
        appliance.reload()
        wait_until("the configured MTU", is_1400)
        lab["nva"].ip("link", "set", "egress0", "mtu", "1500")
        assert appliance.control is not None
        wait_until("the log", lambda: "it is set to 1400, as configured" in appliance.control.output())
        wait_until("the configured MTU again", is_1400)
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
