# SPDX-License-Identifier: BSD-3-Clause
"""The kernel never forwards past the firewall: not when the dataplane dies, not when everything dies.

The appliance's namespace has ip_forward=1 and a default route: a kernel that would gladly forward. A test near the
end takes the guard away and shows that it then does, so the zeros before mean something.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Injector, fence, frame
from lab.process import wait_until
from lab.stream import Stream
from lab.topology import ONPREM, STREAM, Lab

OTHER = "192.0.2.2"  # on interfaces that are no ports
FAR = "192.0.2.130"


def status(appliance: Appliance) -> dict[str, Any]:
    done = appliance.execute("--json", "guard", "status", "--config", appliance.config)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def guarded(lab: Lab) -> bool:
    rules = json.loads(lab["nva"].run("nft", "-j", "list", "ruleset"))["nftables"]
    chains = [entry["chain"] for entry in rules if entry.get("chain", {}).get("table") == "sekisho"]
    return any(chain.get("hook") == "forward" for chain in chains)


def remove_steering(lab: Lab) -> None:
    for device in ("lan0", "egress0"):
        lab["nva"].ip("link", "set", "dev", device, "xdp", "off")


def arrived_at_internet(
    lab: Lab, onprem: Injector, packets: int, device: str = "lan0", source: str = ONPREM
) -> int:
    """How many of the packets the Internet saw once the kernel has had them all."""
    before = lab.counters()["arrived"]
    received = lab.interface("nva", device)["rx_packets"]
    onprem.send(frame(source=source), packets)
    wait_until(
        "the appliance's interface to have all",
        lambda: lab.interface("nva", device)["rx_packets"] - received >= packets,
    )
    lab.settle()
    return lab.counters()["arrived"] - before


def forwards_past_the_firewall(lab: Lab, onprem: Injector, device: str = "lan0") -> None:
    """What the zeros are measured against. The kernel may have to ask for the next hop's MAC first, which on a busy machine takes
    longer than the Internet is listened to.
    """
    wait_until("the kernel to forward", lambda: arrived_at_internet(lab, onprem, 1000, device) > 0)


def test_in_place_while_forwarding(lab: Lab, appliance: Appliance) -> None:
    assert guarded(lab)
    assert sorted(status(appliance)["interfaces"]) == ["egress0", "lan0", "sekisho0"]


def test_flushed_rules_are_mended(lab: Lab, appliance: Appliance) -> None:
    for _ in range(3):
        lab["nva"].run("nft", "flush", "ruleset")
        wait_until("the guard again", lambda: guarded(lab))


def test_other_tables_are_left_alone(lab: Lab, appliance: Appliance) -> None:
    lab["nva"].nft(
        "table ip other {\n chain forward {\n type filter hook forward priority 0; policy accept;\n }\n}\n"
    )
    appliance.reload()
    assert "table ip other" in lab["nva"].run("nft", "list", "ruleset")
    lab["nva"].run("nft", "delete", "table", "ip", "other")
    assert guarded(lab)


def test_dataplane_killed(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    fence(lab)
    appliance.kill_dataplane()
    assert arrived_at_internet(lab, onprem, 1000) == 0
    remove_steering(lab)
    assert arrived_at_internet(lab, onprem, 1000) == 0
    assert guarded(lab)


def test_dataplane_back(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    appliance.start_dataplane()
    appliance.wait_ready()
    account = Account(appliance)
    onprem.send(frame(), 100)
    account.forwarded("lan", "egress", 100)


def test_killed_under_a_stream(lab: Lab, appliance: Appliance) -> None:
    """Not one packet between its death and its return, and afterwards all of them."""
    with Stream(lab, STREAM, seconds=60) as stream:
        stream.wait_received(10_000)
        appliance.kill_dataplane()
        lab.settle()
        arrived = lab.counters()["arrived"]
        received = lab.interface("nva", "lan0")["rx_packets"]
        wait_until(
            "20,000 packets more", lambda: lab.interface("nva", "lan0")["rx_packets"] - received > 20_000
        )
        assert lab.counters()["arrived"] == arrived
        appliance.start_dataplane()
        stream.wait_received(stream.status()["received"] + 20_000)
        assert stream.status()["duplicated"] == 0


def test_everything_killed(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    appliance.kill_control()
    appliance.kill_dataplane()
    remove_steering(lab)
    assert guarded(lab)
    assert arrived_at_internet(lab, onprem, 1000) == 0


def test_everything_stopped(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    appliance.start()
    appliance.stop()
    remove_steering(lab)
    assert guarded(lab)
    assert arrived_at_internet(lab, onprem, 1000) == 0


def locks(appliance: Appliance) -> dict[str, tuple[bool, bool, bool]]:
    """Of each port: steering, tc, forwarding; as the kernel says."""
    return {port["port"]: (port["steering"], port["tc"], port["forwarding"]) for port in status(appliance)["ports"]}


def open_all_but(lab: Lab, lock: str) -> None:
    """Takes every other lock away, as somebody might who does not know what it is for."""
    nva = lab["nva"]
    if lock != "nftables":
        nva.run("nft", "flush", "ruleset")
    for device in ("lan0", "egress0"):
        if lock != "steering":
            nva.ip("link", "set", "dev", device, "xdp", "off")
        if lock != "tc":
            nva.run("tc", "qdisc", "del", "dev", device, "clsact")
    if lock != "forwarding":
        nva.sysctl("net.ipv4.ip_forward", 0)
        nva.sysctl("net.ipv4.ip_forward", 1)


@pytest.mark.parametrize("lock", ["nftables", "steering", "tc", "forwarding"])
def test_each_lock_alone(lab: Lab, appliance: Appliance, onprem: Injector, lock: str) -> None:
    """With nobody alive and every other lock removed, nothing passes; spoofed sources neither."""
    appliance.start()
    appliance.kill_control()
    appliance.kill_dataplane()
    open_all_but(lab, lock)
    try:
        assert arrived_at_internet(lab, onprem, 1000) == 0
        assert arrived_at_internet(lab, onprem, 1000, source="8.8.8.8") == 0
    finally:
        appliance.start_dataplane()
        appliance.start_control()
        appliance.wait_ready()
        appliance.stop()


def test_without_any_lock_it_passes(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    open_all_but(lab, "")
    forwards_past_the_firewall(lab, onprem)


def test_control_puts_each_lock_back(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """At once, and says so; meanwhile nothing passes."""
    nva = lab["nva"]
    appliance.start()
    assert appliance.execute("guard", "status", "--config", appliance.config).returncode == 0
    whole = {"lan": (True, True, False), "egress": (True, True, True)}
    assert locks(appliance) == whole
    for remove in (
        ("nft", "flush", "ruleset"),
        ("tc", "qdisc", "del", "dev", "lan0", "clsact"),
        ("tc", "filter", "del", "dev", "egress0", "ingress"),
        ("sysctl", "-qw", "net.ipv4.ip_forward=0"),
        ("sysctl", "-qw", "net.ipv4.ip_forward=1"),
    ):
        nva.run(*remove)
        wait_until("every lock again", lambda: guarded(lab) and locks(appliance) == whole)
    log = appliance.control.output()  # type: ignore[union-attr]
    assert "somebody removed or changed the guard in nftables; it is back" in log
    assert "lan0: somebody removed or changed the tc program; it is back" in log
    assert "somebody switched forwarding on at" in log
    assert nva.run("sysctl", "-n", "net.ipv4.conf.default.forwarding").strip() == "0"
    assert appliance.execute("guard", "status", "--config", appliance.config).returncode == 0


def test_ipv6_switched_on_is_off_again(lab: Lab, appliance: Appliance) -> None:
    """As zebra switches it on when it starts. Several times: by the last of them, nothing else happens that would have control look."""
    nva = lab["nva"]
    for _ in range(3):
        nva.sysctl("net.ipv6.conf.all.forwarding", 1)
        wait_until("IPv6 off again", lambda: nva.run("sysctl", "-n", "net.ipv6.conf.all.forwarding").strip() == "0", timeout=5)


def test_a_missing_lock_is_said(lab: Lab, appliance: Appliance) -> None:
    appliance.kill_control()
    lab["nva"].run("tc", "qdisc", "del", "dev", "lan0", "clsact")
    done = appliance.execute("guard", "status", "--config", appliance.config)
    assert done.returncode == 1 and "port lan (lan0): no tc program" in done.stderr
    lab["nva"].sysctl("net.ipv4.conf.lan0.forwarding", 1)
    done = appliance.execute("guard", "status", "--config", appliance.config)
    assert done.returncode == 1 and "port lan (lan0): net.ipv4.conf forwarding is 1" in done.stderr
    assert appliance.execute("guard", "on", "--config", appliance.config).returncode == 0
    assert appliance.execute("guard", "status", "--config", appliance.config).returncode == 0
    appliance.start_control()
    appliance.wait_ready()
    appliance.stop()


def test_guard_off_is_what_lets_it_pass(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    assert appliance.execute("guard", "off").returncode == 0
    assert not guarded(lab)
    assert locks(appliance) == {"lan": (False, False, False), "egress": (False, False, True)}
    lab["nva"].sysctl("net.ipv4.ip_forward", 0)
    lab["nva"].sysctl("net.ipv4.ip_forward", 1)
    forwards_past_the_firewall(lab, onprem)
    appliance.start()
    assert guarded(lab)


def other_forwarding(lab: Lab) -> int:
    """How many of the pings from outside of all that Sekisho knows this kernel forwards."""
    done = lab.execute("onprem", "ping", "-n", "-c", "3", "-i", "0.05", "-W", "1", "-I", OTHER, FAR)
    return int(re.search(r"(\d+) received", done.stdout)[1])  # type: ignore[index]


def connect_others(lab: Lab) -> None:
    """Two interfaces that are no ports, between networks of their own."""
    nva = lab["nva"]
    nva.run("ip", "link", "add", "spare", "type", "veth", "peer", "name", "eth9", "netns", lab["onprem"].name)
    nva.run("ip", "link", "add", "spare2", "type", "veth", "peer", "name", "eth9", "netns", lab["vnet"].name)
    for space, device, address in (
        ("nva", "spare", "192.0.2.1/25"),
        ("onprem", "eth9", f"{OTHER}/25"),
        ("nva", "spare2", "192.0.2.129/25"),
        ("vnet", "eth9", f"{FAR}/25"),
    ):
        lab[space].ip("address", "add", address, "dev", device)
        lab[space].ip("link", "set", device, "up")
    lab["onprem"].ip("route", "add", f"{FAR}/32", "via", "192.0.2.1")
    lab["vnet"].ip("route", "add", f"{OTHER}/32", "via", "192.0.2.129")


def forward_everywhere(lab: Lab) -> None:
    for value in (0, 1):
        lab["nva"].sysctl("net.ipv4.ip_forward", value)


def table(lab: Lab) -> str:
    listed = lab["nva"].run("nft", "-a", "list", "table", "inet", "sekisho")
    return re.sub(r"packets.*", "", listed)


def test_an_unreadable_configuration_closes_everything(lab: Lab, appliance: Appliance) -> None:
    """As at boot: no guard, nobody runs, and a typing error in the configuration."""
    appliance.stop()
    remove_steering(lab)
    assert appliance.execute("guard", "off").returncode == 0
    connect_others(lab)
    forward_everywhere(lab)
    assert other_forwarding(lab) == 3

    text = appliance.config.read_text()
    appliance.config.write_text(text + "\n[[[\n")
    try:
        done = appliance.execute("guard", "on", "--config", appliance.config)
        assert done.returncode == 1
        assert "the kernel forwards nothing at all" in done.stderr
        assert status(appliance)["everything"] is True
        assert "nothing at all" in appliance.execute("guard", "status", "--config", appliance.config).stdout
        assert other_forwarding(lab) == 0
        ping = lab.execute("onprem", "ping", "-n", "-c", "1", "-W", "5", "-I", OTHER, "192.0.2.1")
        assert " 1 received" in ping.stdout, "who logs in is not shut out"
        before = table(lab)
        done = appliance.execute("guard", "on", "--config", appliance.config)
        assert done.returncode == 1 and "the guard stays as it is" in done.stderr
        assert table(lab) == before
    finally:
        appliance.config.write_text(text)


def test_the_whole_host_or_what_is_allowed(lab: Lab, appliance: Appliance) -> None:
    """By default the kernel forwards for nobody; with scope = "ports" among the interfaces that are named, and for nobody
    while a configured port's interface is missing."""
    text = appliance.config.read_text()
    try:
        assert appliance.execute("guard", "on", "--config", appliance.config).returncode == 0
        assert status(appliance)["everything"] is True
        assert other_forwarding(lab) == 0
        ports = text + '\n[guard]\nscope = "ports"\nallow = ["spare", "spare2"]\n'
        appliance.config.write_text(ports)
        assert appliance.execute("guard", "on", "--config", appliance.config).returncode == 0
        now = status(appliance)
        assert (now["everything"], now["allow"]) == (False, ["spare", "spare2"])
        forward_everywhere(lab)
        assert other_forwarding(lab) == 3
        appliance.config.write_text(ports.replace("af_xdp:lan0", "af_xdp:lan9"))
        assert appliance.execute("guard", "on", "--config", appliance.config).returncode == 0
        assert status(appliance)["everything"] is True
        assert other_forwarding(lab) == 0
    finally:
        appliance.config.write_text(text)


def test_both_renamed_live(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """A guard that knew its interfaces by name alone would hold nothing now: not with the dataplane, not without it."""
    nva = lab["nva"]
    appliance.start()
    for old, new in (("lan0", "was-lan"), ("egress0", "was-egress")):
        nva.ip("link", "set", old, "down")
        nva.ip("link", "set", old, "name", new)
        nva.ip("link", "set", new, "up")
    nva.ip("route", "replace", "default", "via", "10.0.2.10")
    appliance.kill_control()
    appliance.kill_dataplane()
    for device in ("was-lan", "was-egress"):
        nva.ip("link", "set", "dev", device, "xdp", "off")
    forward_everywhere(lab)
    assert arrived_at_internet(lab, onprem, 1000, "was-lan") == 0
    assert appliance.execute("guard", "off").returncode == 0
    forward_everywhere(lab)
    forwards_past_the_firewall(lab, onprem, "was-lan")
