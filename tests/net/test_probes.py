# SPDX-License-Identifier: BSD-3-Clause
"""Firewalls that look alive and are not, under streams of 20,000 packets a second.

A fabric answers every ARP request, as Azure's does: neighbours say nothing. Losses are packets of a stream that the dead firewall
had, against as many as were sent in the time in which its flows have to have moved; the other firewall's stream loses none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from socket import IPPROTO_UDP
from typing import Any

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance, Refused
from lab.firewalls import ADDRESS, BOTH, PROBED_PORT, Firewalls
from lab.frames import Capture, Injector, frame
from lab.metrics import LISTEN, Scrape
from lab.process import wait_until
from lab.stream import Stream, StreamResult
from lab.topology import FIREWALL, FIREWALL2, MACS, STREAM, STREAM_PORT, WEB, Lab
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

RATE = 10_000  # of each of two streams
INTERVAL, DOWN_AFTER, TIMEOUT, HOLD = 0.2, 3, 0.2, 1.0
BOUND = DOWN_AFTER * INTERVAL + TIMEOUT + 0.15  # control and the dataplane wait for a CPU a few times
TIMES = f'interval = "{INTERVAL * 1000:g}ms", down_after = {DOWN_AFTER}, hold = "{HOLD:g}s"'
ITSELF = f'{{ type = "tcp", port = {PROBED_PORT}, {TIMES} }}'
THROUGH = f'{{ type = "http", through = "{WEB}:80", {TIMES} }}'


@pytest.fixture(scope="module")
def firewalls(lab: Lab) -> Firewalls:
    firewalls = Firewalls(lab)
    firewalls.listen()
    firewalls.answer_every_arp()
    return firewalls


@pytest.fixture(scope="module")
def appliance(lab: Lab, firewalls: Firewalls) -> Appliance:
    appliance = Appliance(lab, configure(lab, ITSELF))
    appliance.start()
    wait_until("both firewalls", lambda: alive(appliance) == set(BOTH))
    return appliance


@pytest.fixture(autouse=True)
def both_firewalls(appliance: Appliance, firewalls: Firewalls) -> Iterator[None]:
    yield
    for name in BOTH:
        firewalls.recovers(name)
    wait_until("both firewalls", lambda: appliance.ready() and alive(appliance) == set(BOTH))


def configure(lab: Lab, probe: str, members: tuple[str, ...] = (FIREWALL, FIREWALL2)) -> Any:
    listed = ", ".join(f'"{member}"' for member in members)
    edits = (f'members = ["{FIREWALL}"]', f"members = [{listed}]\nprobe = {probe}")
    written = config.adapted(lab, edits)
    written.write_text(f'{written.read_text()}\n[metrics]\nlisten = "{LISTEN}"\n')
    return written


def probe_by(lab: Lab, appliance: Appliance, probe: str) -> None:
    appliance.config = configure(lab, probe)
    appliance.reload()
    wait_until("both firewalls", lambda: alive(appliance) == set(BOTH))


def members(appliance: Appliance) -> dict[str, Any]:
    """Of next hop firewall, by the name of their namespace."""
    found = next(hop for hop in appliance.json("show", "next-hops") if hop["name"] == "firewall")
    states = {member["address"]: member for member in found["members"]}
    return {name: states[ADDRESS[name]] for name in BOTH}


def alive(appliance: Appliance) -> set[str]:
    return {name for name, member in members(appliance).items() if member["alive"]}


@contextmanager
def held(lab: Lab, appliance: Appliance, seconds: int) -> Iterator[None]:
    """With another hold, long enough to be looked at on a machine that is busy with others."""
    probe_by(lab, appliance, ITSELF.replace(f'hold = "{HOLD:g}s"', f'hold = "{seconds}s"'))
    try:
        yield
    finally:
        appliance.config = configure(lab, ITSELF)
        appliance.reload()


def wait_for(appliance: Appliance, *names: str) -> None:
    wait_until(f"{' and '.join(names) or 'nobody'} alive", lambda: alive(appliance) == set(names))
    wait_until("the dataplane", lambda: appliance.next_hops()["firewall"] == len(names))


def goes_to(packet: Packet, port: int) -> bool:
    """Not an ICMP error about it."""
    return IP in packet and packet[IP].proto == IPPROTO_UDP and packet[UDP].dport == port


def source_ports(lab: Lab, port: int) -> dict[str, int]:
    """A source port of a flow to this port of the stream's receiver, by the firewall that it takes."""
    injector = Injector(lab)
    first = port - 2000  # each stream binds its own
    candidates = range(first, first + 400, 25)
    with Capture(lab, "fabric", "nva-egress0", only=lambda packet: goes_to(packet, port)) as seen:
        for number in candidates:
            packet = frame()
            packet[UDP].sport, packet[UDP].dport = number, port
            injector.send(packet)
        got = seen.wait(len(candidates))
    injector.close()
    names = {MACS[name, "inside"]: name for name in BOTH}
    return {names[packet[Ether].dst]: packet[UDP].sport for packet in got}


@dataclass
class Streams:
    """One by each firewall."""

    of: dict[str, Stream]

    def wait_more(self, packets: int) -> None:
        for stream in self.of.values():
            stream.wait_more(packets)

    def finish(self) -> dict[str, StreamResult]:
        for stream in self.of.values():
            stream.stop()
        return {name: stream.finish() for name, stream in self.of.items()}


@pytest.fixture
def streams(lab: Lab, appliance: Appliance) -> Iterator[Streams]:
    wait_for(appliance, *BOTH)
    # Before any stream runs: a capture looks at each packet.
    sources = {port: source_ports(lab, port) for port in (STREAM_PORT, STREAM_PORT + 1)}
    with ExitStack() as stack:
        found = {}
        for (port, source_of), name in zip(sources.items(), BOTH):
            source = source_of[name]
            stream = Stream(lab, STREAM, rate=RATE, port=port, source_port=source)
            found[name] = stack.enter_context(stream)
        result = Streams(found)
        for stream in found.values():
            stream.wait_received(1000)
        yield result


def check(results: dict[str, StreamResult]) -> None:
    """What the first firewall's stream lost was sent while that had not moved; the other's lost nothing. A machine that is busy with
    others stops control as it stops senders, whose longest pause is known."""
    pause = results["firewall2"].sender_gap_us / 1e6
    for name, result in results.items():
        most = 0.0
        if name == "firewall":
            most = (BOUND + pause) * result.sent / result.seconds
        assert result.duplicated == 0 and result.lost <= most, f"{name}: {result}; at most {most:.0f}"


def fail_under_streams(
    appliance: Appliance, streams: Streams, fault: Callable[[str], None], why: str
) -> None:
    before = members(appliance)["firewall"]["flaps"]
    fault("firewall")
    wait_for(appliance, "firewall2")
    assert why in members(appliance)["firewall"]["why"]
    streams.wait_more(2000)
    results = streams.finish()
    print(results["firewall"])
    check(results)
    assert members(appliance)["firewall"]["flaps"] == before + 1


# --- One of two firewalls.


def test_a_port_that_is_closed(appliance: Appliance, firewalls: Firewalls, streams: Streams) -> None:
    """It would go on forwarding: nothing is lost."""
    fail_under_streams(appliance, streams, firewalls.closes_its_port, "probe: Connection refused")


def test_all_is_dropped_but_arp(appliance: Appliance, firewalls: Firewalls, streams: Streams) -> None:
    fail_under_streams(appliance, streams, firewalls.drops_all, "probe: no answer within 200ms")


def test_silent_at_layer_2(appliance: Appliance, firewalls: Firewalls, streams: Streams) -> None:
    """The fabric goes on answering ARP for it."""
    fail_under_streams(appliance, streams, firewalls.falls_silent, "probe: no answer within 200ms")


def test_flapping_every_200_ms_moves_flows_once(
    lab: Lab, appliance: Appliance, firewalls: Firewalls, streams: Streams
) -> None:
    with held(lab, appliance, 3):
        before = members(appliance)["firewall"]["transitions"]
        began = time.monotonic()
        while time.monotonic() - began < 12:  # four holds
            firewalls.falls_silent("firewall")
            time.sleep(0.2)
            firewalls.recovers("firewall")
            time.sleep(0.2)
        firewalls.falls_silent("firewall")
        wait_for(appliance, "firewall2")
        streams.wait_more(2000)
        results = streams.finish()
        assert results["firewall2"].lost == 0, results
        after = members(appliance)["firewall"]["transitions"]
        assert (after["down"] - before["down"], after["up"] - before["up"]) == (1, 0), results


def test_where_it_was_when_it_is_back(
    lab: Lab, appliance: Appliance, firewalls: Firewalls, streams: Streams
) -> None:
    """After its hold, and without a packet lost."""
    with held(lab, appliance, 5):
        firewalls.drops_all("firewall")
        wait_for(appliance, "firewall2")
        inside = lab.counters("firewall")["inside"]
        streams.wait_more(2000)
        assert lab.counters("firewall")["inside"] - inside < 100, "no stream goes there"
        firewalls.recovers("firewall")
        wait_until("its answers", lambda: "answers again" in members(appliance)["firewall"]["why"])
        assert alive(appliance) == {"firewall2"}
        wait_for(appliance, *BOTH)
        streams.wait_more(2000)
        wait_until("packets of a stream", lambda: lab.counters("firewall")["inside"] - inside > 1000)
        check(streams.finish())


# --- All of them.


def test_all_dead(lab: Lab, appliance: Appliance, firewalls: Firewalls, streams: Streams) -> None:
    for name in BOTH:
        firewalls.closes_its_port(name)  # both would go on forwarding
    wait_for(appliance)
    lab.settle()
    arrived = lab.counters()["arrived"]
    account = Account(appliance)
    wait_until("10,000 packets", lambda: account.changes().get("lan.drop.next_hop_down", 0) >= 10_000)
    assert lab.counters()["arrived"] == arrived
    assert appliance.explain("172.16.0.10", STREAM)["drop_reason"] == "next_hop_down"
    assert all(stream.running() for stream in streams.of.values())


# --- Control dies.


def test_control_comes_back_in_the_middle_of_an_outage(
    lab: Lab, appliance: Appliance, firewalls: Firewalls, streams: Streams
) -> None:
    firewalls.drops_all("firewall")
    wait_for(appliance, "firewall2")
    appliance.kill_control()
    streams.wait_more(2000)
    appliance.start_control()
    wait_until("control", appliance.answers)
    wait_until("its word", lambda: appliance.ready())
    assert alive(appliance) == {"firewall2"}
    wait_until("its probes", lambda: "no answer" in members(appliance)["firewall"]["why"])
    streams.wait_more(2000)
    assert alive(appliance) == {"firewall2"}
    check(streams.finish())  # the first outage and no other


def test_control_comes_back_while_all_is_well(appliance: Appliance, streams: Streams) -> None:
    appliance.kill_control()
    streams.wait_more(2000)
    appliance.start_control()
    appliance.wait_ready()
    wait_until("both answer", lambda: all(m["why"] == "answers its probe" for m in members(appliance).values()))
    streams.wait_more(2000)
    for result in streams.finish().values():
        assert (result.lost, result.duplicated) == (0, 0), result
    assert all(member["flaps"] == 0 for member in members(appliance).values())


# --- What is shown.


def test_the_kernels_rules_are_put_back(lab: Lab, appliance: Appliance) -> None:
    def rules() -> set[str]:
        listed = lab["nva"].ip("rule", "show", "priority", "8300").splitlines()
        return {line.split("fwmark ")[1].split()[0] for line in listed}

    expected = {"0xa00020a", "0xa00020b"}
    assert rules() == expected
    lab["nva"].ip("rule", "del", "priority", "8300", "fwmark", "0xa00020a")
    wait_until("the rule", lambda: rules() == expected)
    assert alive(appliance) == set(BOTH)


def test_metrics(lab: Lab, appliance: Appliance, firewalls: Firewalls) -> None:
    firewalls.closes_its_port("firewall2")
    wait_for(appliance, "firewall")
    scrape = Scrape.take(lab)
    assert scrape("sekisho_member_up", next_hop="firewall", address=FIREWALL, port="egress") == 1
    assert scrape("sekisho_member_up", next_hop="firewall", address=FIREWALL2, port="egress") == 0
    flaps = members(appliance)["firewall2"]["flaps"]
    assert flaps >= 1
    counted = scrape("sekisho_member_transitions_total", next_hop="firewall", address=FIREWALL2, to="down")
    assert counted == flaps
    trip = scrape("sekisho_member_probe_round_trip_seconds", next_hop="firewall", address=FIREWALL)
    assert trip is not None and 0 < trip < TIMEOUT
    shown = appliance.execute("show", "next-hops").stdout
    assert "probe: Connection refused" in shown and "FLAPS" in shown


# --- Other configurations.


@pytest.mark.parametrize(
    "probe, reason",
    [
        ('{ type = "tcp", through = "no-such-host.invalid:443" }', '"no-such-host.invalid" '),
        ('{ type = "icmp", timeout = "2s" }', '"timeout" 2s is longer than "interval" 500ms'),
    ],
)
def test_what_is_refused_changes_nothing(lab: Lab, appliance: Appliance, probe: str, reason: str) -> None:
    good = appliance.config.read_text()
    try:
        written = configure(lab, probe)
        with pytest.raises(Refused) as refused:
            appliance.reload()
        line = next(
            number for number, text in enumerate(written.read_text().splitlines(), 1) if "probe =" in text
        )
        assert f"halves.toml:{line}: " in str(refused.value) and reason in str(refused.value)
        checked = appliance.execute("check", "--config", written)
        assert checked.returncode == 1 and reason in checked.stdout + checked.stderr
    finally:
        appliance.config.write_text(good)
    assert alive(appliance) == set(BOTH)


def test_icmp(lab: Lab, appliance: Appliance, firewalls: Firewalls) -> None:
    probe_by(lab, appliance, f'{{ type = "icmp", {TIMES} }}')
    wait_until("answers", lambda: members(appliance)["firewall"]["why"] == "answers its probe")
    firewalls.drops_all("firewall")
    wait_for(appliance, "firewall2")


def test_a_probe_that_cannot_be_sent_says_why(lab: Lab, appliance: Appliance) -> None:
    """And is no reason to move flows."""
    probe_by(lab, appliance, f'{{ type = "icmp", {TIMES} }}')
    lab["nva"].nft(
        "table inet local {\nchain out {\ntype filter hook output priority 0;\n"
        f"ip protocol icmp ip daddr {FIREWALL} drop\n}}\n}}\n"
    )
    try:
        said = wait_until(
            "the reason", lambda: "cannot be sent" in (why := members(appliance)["firewall"]["why"]) and why
        )
        assert said.endswith("its probe cannot be sent: Operation not permitted")
        assert alive(appliance) == set(BOTH)
    finally:
        lab["nva"].nft("delete table inet local\n")
    wait_until("answers", lambda: members(appliance)["firewall"]["why"] == "answers its probe")


def test_http_with_another_status(lab: Lab, appliance: Appliance) -> None:
    """Its answer is not the one that was asked for: it has flows until then, and none afterwards."""
    good = appliance.config.read_text()
    appliance.config = configure(lab, f'{{ type = "http", port = {PROBED_PORT}, status = 204, {TIMES} }}')
    appliance.reload()
    wait_for(appliance)
    wait_until("the reason", lambda: members(appliance)["firewall"]["why"] == "probe: HTTP status 200")
    appliance.config.write_text(good.replace("status = 204, ", ""))
    appliance.reload()


@pytest.fixture(scope="module")
def through(lab: Lab, appliance: Appliance) -> None:
    probe_by(lab, appliance, THROUGH)


def test_a_firewall_that_forwards_nothing(
    through: None, appliance: Appliance, firewalls: Firewalls, streams: Streams
) -> None:
    """It answers ARP, ping, and on its port."""
    fail_under_streams(appliance, streams, firewalls.forwards_nothing, "probe: no answer within 200ms")


def test_a_firewall_whose_far_side_is_dead(
    through: None, appliance: Appliance, firewalls: Firewalls, streams: Streams
) -> None:
    fail_under_streams(appliance, streams, firewalls.loses_its_far_side, "probe: ")


def test_control_comes_back_to_probes_through(through: None, appliance: Appliance, streams: Streams) -> None:
    appliance.kill_control()
    appliance.start_control()
    appliance.wait_ready()
    streams.wait_more(2000)
    for result in streams.finish().values():
        assert (result.lost, result.duplicated) == (0, 0), result


def test_64_members_live_and_what_they_cost(lab: Lab, appliance: Appliance) -> None:
    """As many as there can be, ten times a second each: all stay alive. The cost is printed, not judged."""
    addresses = [f"10.0.2.{number}" for number in range(100, 164)]
    for address in addresses:
        lab["firewall"].ip("address", "add", f"{address}/24", "dev", "inside")
    probe_by(lab, appliance, ITSELF)
    # A second without a CPU is no death: what is looked at is that 64 are asked and answered.
    many = f'{{ type = "tcp", port = {PROBED_PORT}, interval = "100ms", down_after = 10 }}'
    appliance.config = configure(lab, many, tuple(addresses))
    appliance.reload()
    wait_until("all 64", lambda: appliance.next_hops()["firewall"] == 64)
    lab["firewall"].nft(
        f"table inet count {{ counter probes {{}}\nchain in {{ type filter hook input priority 0;\n"
        f"tcp dport {PROBED_PORT} tcp flags syn counter name probes\n}}\n}}\n"
    )

    def probes() -> int:
        listed = lab["firewall"].run("nft", "list", "counter", "inet", "count", "probes")
        return int(listed.split("packets ")[1].split()[0])

    assert appliance.control is not None
    stat = f"/proc/{appliance.control.pid}/stat"

    def ticks() -> int:
        with open(stat) as file:
            words = file.read().rsplit(")", 1)[1].split()
        return int(words[11]) + int(words[12])

    before, sent = ticks(), probes()
    wait_until("5,000 probes", lambda: probes() - sent >= 5_000, timeout=60, interval=0.5)
    each = (ticks() - before) / 100 / (probes() - sent)
    print(f"{each * 1e6:.0f} us of a CPU for each probe, {each * 128:.2%} of a core at 64 members and 500 ms")
    firewall = next(hop for hop in appliance.json("show", "next-hops") if hop["name"] == "firewall")
    states = [(member["alive"], member["flaps"]) for member in firewall["members"]]
    appliance.config = configure(lab, ITSELF)
    appliance.reload()
    assert states == [(True, 0)] * 64
