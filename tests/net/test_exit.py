# SPDX-License-Identifier: BSD-3-Clause
"""Next hop `Internet`: exceptions leave through the appliance's kernel as its own, replies return, and nothing else does.

The appliance's namespace has ip_forward=1 throughout, so what is dropped here is dropped by the guard.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import MARK, Capture, Injector, fence, frame
from lab.process import wait_until
from lab.topology import EGRESS, INTERNET, KMS, KMS_PORT, MACS, ONPREM, ROUTER, VNET, Lab
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

pytestmark = pytest.mark.usefixtures("manuals_neighbour_timers")


@pytest.fixture
def router(lab: Lab) -> Any:
    injector = Injector(lab, "router", "inside")
    yield injector
    injector.close()


def ours(lab: Lab, what: str) -> list[Any]:
    """Rules or routes of all tables that sekisho-control made."""
    words = ("rule", "show") if what == "rule" else ("-d", "route", "show", "table", "all")
    found = json.loads(lab["nva"].run("ip", "-j", *words))
    return [entry for entry in found if entry.get("protocol") == "83"]


def guarded(appliance: Appliance) -> list[str]:
    done = appliance.execute("--json", "guard", "status", "--config", appliance.config)
    return json.loads(done.stdout)["interfaces"]  # type: ignore[no-any-return]


def dropped_by_guard(lab: Lab) -> int:
    """By the tc program on the ports' interfaces, which comes first, and in nftables."""
    at_ports = sum(
        qdisc["drops"]
        for device in ("lan0", "egress0")
        for qdisc in json.loads(lab["nva"].run("tc", "-j", "-s", "qdisc", "show", "dev", device))
        if qdisc["kind"] == "clsact"
    )
    rules = json.loads(lab["nva"].run("nft", "-j", "list", "chain", "inet", "sekisho", "forward"))["nftables"]
    expressions = [entry["rule"]["expr"] for entry in rules if "rule" in entry]
    return at_ports + sum(words[-2]["counter"]["packets"] for words in expressions if "drop" in words[-1])


def activates(lab: Lab, space: str = "onprem") -> bool:
    try:
        return lab.activate(space) == "KMS"
    except OSError:
        return False


@pytest.mark.parametrize("space", ["onprem", "vnet"])
def test_masqueraded_and_answered(lab: Lab, appliance: Appliance, space: str) -> None:
    before, inside = lab.counters(), lab.counters("firewall")["inside"]
    assert lab.activate(space) == "KMS"
    assert lab.seen_clients("kms")[-1] == EGRESS
    after = lab.counters()
    assert after["appliance"] - before["appliance"] == after["arrived"] - before["arrived"] > 0
    assert lab.counters("firewall")["inside"] == inside
    assert lab.counters("router")["foreign"] == 0


def test_what_a_packet_looks_like(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    with Capture(lab, "router", "inside") as seen:
        onprem.send(frame(destination=KMS, ttl=17), 5)
        packets = seen.wait(5)
    assert {(packet[Ether].src, packet[IP].src, packet[IP].dst) for packet in packets} == {
        (MACS["nva", "egress0"], EGRESS, KMS)
    }
    # Two routers: the dataplane and the kernel.
    assert {packet[IP].ttl for packet in packets} == {15}


def to_kms(*layers: Packet) -> Packet:
    packet = Ether(src=MACS["onprem", "eth0"], dst=MACS["nva", "lan0"]) / IP(src=ONPREM, dst=KMS)
    for layer in layers:
        packet /= layer
    return packet / Raw(MARK)


UNTRACKED = {
    "tcp-without-flags": to_kms(TCP(sport=4000, dport=KMS_PORT, flags=0)),
    "tcp-all-flags": to_kms(TCP(sport=4000, dport=KMS_PORT, flags="FSRPAU")),
    "lone-rst": to_kms(TCP(sport=4001, dport=KMS_PORT, flags="R")),
    "lone-syn-ack": to_kms(TCP(sport=4002, dport=KMS_PORT, flags="SA")),
    "tcp-bad-checksum": to_kms(TCP(sport=4003, dport=KMS_PORT, flags="S", chksum=0xBAD)),
    "udp-bad-checksum": to_kms(UDP(sport=4004, dport=4002, chksum=0xBAD)),
    "udp-port-0": to_kms(UDP(sport=4004, dport=0)),
    "unasked-echo-reply": to_kms(ICMP(type="echo-reply")),
    "error-about-nothing": to_kms(
        ICMP(type="dest-unreach", code=3), IP(src=KMS, dst=ONPREM), UDP(sport=KMS_PORT, dport=4005)
    ),
}


@pytest.mark.parametrize("kind", UNTRACKED)
def test_nothing_leaves_with_its_private_source(lab: Lab, appliance: Appliance, onprem: Injector, kind: str) -> None:
    """What connection tracking calls invalid passes by every nat chain: the guard has to drop it."""
    with Capture(lab, "router", "inside") as seen:
        onprem.send(UNTRACKED[kind], 5)
        onprem.send(frame(destination=KMS), 1)
        # The sender's order is kept: what was to leave has left before the last.
        wait_until("the last packet", lambda: any(UDP in packet and packet[UDP].dport == 4001 for packet in seen.read()))
    assert {packet[IP].src for packet in seen.frames} == {EGRESS}


def test_explain_says_so(appliance: Appliance) -> None:
    said = appliance.explain(ONPREM, KMS)
    assert (said["verdict"], said["next_hop"]) == ("exit", "Internet")
    assert said["sentence"] == f"leaves by sekisho0, masqueraded as {EGRESS} out of egress0"
    assert said["dataplane"]["agrees"], said
    assert said["exit"]["gateway"] == ROUTER


def test_neighbours_of_an_exception_do_not_leave(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    inside = lab.counters("router")["inside"]
    with Capture(lab, "firewall", "inside") as seen:
        for last in (223, 225):
            onprem.send(frame(destination=f"20.118.99.{last}"), 10)
        seen.wait(20)
    assert lab.counters("router")["inside"] == inside


def test_spoofed_sources_do_not_leave(lab: Lab, account: Account, onprem: Injector) -> None:
    inside = lab.counters("router")["inside"]
    onprem.send(frame(source="8.8.8.8", destination=KMS), 25)
    account.dropped("lan", "spoofed_source", 25)
    assert lab.counters("router")["inside"] == inside


def test_the_host_answers_on_another_ports_address(lab: Lab, appliance: Appliance) -> None:
    """It comes in by `lan`, is for an address of `egress`, and is the kernel's all the same."""
    said = appliance.explain(VNET, EGRESS)
    assert said["verdict"] == "host" and said["dataplane"]["agrees"], said


def test_without_ip_forward(lab: Lab, appliance: Appliance) -> None:
    """Forwarding is switched on for the two devices concerned, and on again when somebody switches all off."""
    nva = lab["nva"]
    nva.sysctl("net.ipv4.ip_forward", 0)
    try:
        wait_until("activation", lambda: activates(lab))
        assert nva.run("sysctl", "-n", "net.ipv4.conf.lan0.forwarding").strip() == "0"
    finally:
        nva.sysctl("net.ipv4.ip_forward", 1)


def test_forwarding_ends_where_the_exit_was(lab: Lab, appliance: Appliance) -> None:
    """The exit moves from a port that then leaves the configuration. What was ever a port stays guarded."""
    nva, text = lab["nva"], appliance.config.read_text()

    def forwarding(device: str) -> str:
        return nva.run("sysctl", "-n", f"net.ipv4.conf.{device}.forwarding").strip()

    MACS["nva", "third"] = "02:00:00:00:03:09"
    lab.connect("nva", "third", "internet-br", "203.0.113.9/24")
    nva.sysctl("net.ipv4.ip_forward", 0)
    try:
        third = f'[port.third]\ndevice = "af_xdp:third"\ngateway = "{INTERNET}"\n'
        appliance.config.write_text(third + text.replace('{ port = "egress" }', '{ port = "third" }'))
        appliance.reload()
        appliance.wait_ready()
        assert forwarding("third") == "1"
        assert "third" in guarded(appliance)
        appliance.config.write_text(text)
        appliance.reload(force=True)
        appliance.wait_ready()
        assert "third" in guarded(appliance)
        assert (forwarding("third"), forwarding("egress0"), forwarding("sekisho0")) == ("0", "1", "1")
    finally:
        appliance.config.write_text(text)
        nva.sysctl("net.ipv4.ip_forward", 1)
        nva.ip("link", "del", "third")


def test_a_strict_reverse_path_filter_on_the_exit(lab: Lab, appliance: Appliance) -> None:
    lab["nva"].sysctl("net.ipv4.conf.egress0.rp_filter", 1)
    wait_until("activation", lambda: activates(lab))
    mode = lambda: lab["nva"].run("sysctl", "-n", "net.ipv4.conf.egress0.rp_filter").strip()  # noqa: E731
    wait_until("a loose filter", lambda: mode() == "2")


def test_a_dead_gateway_takes_it_down_and_says_why(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    lab["router"].ip("link", "set", "inside", "down")
    wait_until("the exit to be down", lambda: not appliance.ready())
    account = Account(appliance)
    onprem.send(frame(destination=KMS), 25)
    account.dropped("lan", "next_hop_down", 25)
    said = appliance.explain(ONPREM, KMS)
    assert said["drop_reason"] == "next_hop_down" and said["dataplane"]["agrees"], said
    assert f"next hop Internet is down: gateway {ROUTER} is" in said["sentence"]
    lab["router"].ip("link", "set", "inside", "up")
    appliance.wait_ready()
    assert lab.activate() == "KMS"


def test_its_interface_comes_back(lab: Lab, appliance: Appliance) -> None:
    lab["nva"].ip("link", "del", "sekisho0")
    wait_until("activation", lambda: activates(lab))
    appliance.wait_ready()


def test_goes_on_without_control(lab: Lab, appliance: Appliance) -> None:
    rules, routes = ours(lab, "rule"), ours(lab, "route")
    appliance.kill_control()
    assert lab.activate() == "KMS"
    appliance.start_control()
    appliance.wait_ready()
    assert (ours(lab, "rule"), ours(lab, "route")) == (rules, routes)
    assert lab.activate() == "KMS"


def test_what_an_earlier_run_left_is_cleaned(lab: Lab, appliance: Appliance) -> None:
    nva, rules = lab["nva"], ours(lab, "rule")
    appliance.kill_control()
    nva.ip("rule", "add", "from", "10.99.0.1", "table", "99", "protocol", "83", "priority", "8303")
    nva.ip("rule", "add", "from", "10.99.0.2", "table", "99", "priority", "99")
    appliance.start_control()
    wait_until("only what is wanted", lambda: ours(lab, "rule") == rules)
    assert "10.99.0.2" in nva.ip("rule", "show")
    nva.ip("rule", "del", "priority", "99")
    appliance.wait_ready()


def test_a_reload_removes_and_returns_it(lab: Lab, appliance: Appliance) -> None:
    text = appliance.config.read_text()
    without = text.replace('exit    = { port = "egress" }\n', "").replace('next_hop = "Internet"', 'next_hop = "firewall"')
    appliance.config.write_text(without)
    appliance.reload()
    wait_until("no rule of the exit", lambda: not any("iif" in rule for rule in ours(lab, "rule")))
    assert "masquerade" not in lab["nva"].run("nft", "list", "table", "inet", "sekisho")
    appliance.config.write_text(text)
    appliance.reload()
    appliance.wait_ready()
    assert lab.activate() == "KMS"


def test_the_dataplane_killed(lab: Lab, appliance: Appliance, onprem: Injector, router: Injector) -> None:
    """Exceptions stop, and what then reaches the kernel by the interfaces is dropped: from inside, for an exception and for
    others; from outside, what claims to be a reply."""
    fence(lab)
    inside, arrived = lab.counters("router")["inside"], lab.counters()["arrived"]
    appliance.kill_dataplane()
    for device in ("lan0", "egress0"):
        lab["nva"].ip("link", "set", "dev", device, "xdp", "off")
    before = dropped_by_guard(lab)
    onprem.send(frame(destination=KMS), 100)
    onprem.send(frame(), 100)
    wait_until("the guard to have them all", lambda: dropped_by_guard(lab) == before + 200)
    assert (lab.counters("router")["inside"], lab.counters()["arrived"]) == (inside, arrived)
    with Capture(lab, "onprem") as seen:
        reply = frame(source=KMS, destination=ONPREM, to="egress0")
        reply[Ether].src = MACS["router", "inside"]
        router.send(reply, 100)
        wait_until("the guard to have these, too", lambda: dropped_by_guard(lab) == before + 300)
        seen.wait(0)
    appliance.start_dataplane()
    appliance.wait_ready()
    assert lab.activate() == "KMS"


def test_an_unasked_reply_is_nobodys(lab: Lab, appliance: Appliance, router: Injector) -> None:
    """To the exit's own address, from an exception: the kernel has no connection that it could belong to."""
    with Capture(lab, "onprem") as seen:
        reply = frame(source=KMS, destination=EGRESS, to="egress0")
        reply[Ether].src = MACS["router", "inside"]
        router.send(reply, 25)
        fence(lab)
        seen.wait(0)
