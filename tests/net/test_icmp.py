# SPDX-License-Identifier: BSD-3-Clause
"""A packet that cannot go on is answered: traceroute, tracepath and mtr show the appliance, and TCP finds its path's MTU."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import pytest
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.process import wait_until
from lab.topology import EGRESS, KMS, LAN, MACS, ONPREM, STREAM, WEB, Lab
from lab.transfer import download, upload
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether

MTU = 1400


def test_ping_records_its_route(lab: Lab, appliance: Appliance) -> None:
    """RFC 791, record route: the address of the port by which it leaves, on both ways; a reload has it left alone, or refused."""
    said = lab["onprem"].run("ping", "-n", "-R", "-c", "1", "-W", "5", WEB)
    assert "1 received" in said and EGRESS in said, said
    text = appliance.config.read_text()
    try:
        appliance.config.write_text(f'{text}\n[ip_options]\nrecord_route = "ignore"\n')
        appliance.reload()
        said = lab["onprem"].run("ping", "-n", "-R", "-c", "1", "-W", "5", WEB)
        assert "1 received" in said and EGRESS not in said, said
        appliance.config.write_text(f'{text}\n[ip_options]\nrecord_route = "drop"\n')
        appliance.reload()
        assert lab.execute("onprem", "ping", "-n", "-R", "-c", "1", "-W", "1", WEB).returncode == 1
        wait_until("the drop", lambda: appliance.json("show", "drops", "--last", "--reason", "refused_option"))
    finally:
        appliance.config.write_text(text)
        appliance.reload()


@pytest.mark.parametrize("how", ["-U", "-I", "-T"])
def test_traceroute_shows_the_appliance(lab: Lab, appliance: Appliance, how: str) -> None:
    said = lab["onprem"].run("traceroute", how, "-n", "-q", "1", "-m", "1", "-s", ONPREM, WEB)
    assert said.splitlines()[1].split()[:2] == ["1", LAN]


def test_tracepath_and_mtr_show_the_appliance(lab: Lab, appliance: Appliance) -> None:
    said = lab["onprem"].run("tracepath", "-n", "-m", "1", WEB)
    assert f"1:  {LAN} " in said
    report = json.loads(lab["onprem"].run("mtr", "-n", "--json", "-c", "1", "-m", "1", WEB))
    assert report["report"]["hubs"][0]["host"] == LAN


def test_the_error_is_what_the_rfc_asks(lab: Lab, account: Account, onprem: Injector) -> None:
    sent = frame(ttl=1, size=900, tos=0x28)
    with Capture(lab, "onprem", "eth0") as seen:
        onprem.send(sent)
        got = next(packet for packet in seen.wait(1) if ICMP in packet)
    assert (got[Ether].src, got[Ether].dst) == (MACS["nva", "lan0"], MACS["onprem", "eth0"])
    assert (got[IP].src, got[IP].dst, got[IP].len, got[ICMP].type, got[ICMP].code) == (LAN, ONPREM, 576, 11, 0)
    original = bytes(sent[IP])
    assert bytes(got[ICMP])[8:] == original[:548], "as it was received"
    right = got[IP].copy()
    del right.chksum, right[ICMP].chksum
    assert bytes(right) == bytes(got[IP]), "both checksums"
    account.dropped("lan", "ttl_expired", 1)
    account.said({"lan.icmp.time_exceeded": 1})


@contextlib.contextmanager
def mtu_of(lab: Lab, appliance: Appliance, port: str) -> Iterator[None]:
    """The port's interface has an MTU of 1400 for a while, and nobody remembers it from before."""
    device = {"lan": "lan0", "egress": "egress0"}[port]

    def be(mtu: int) -> None:
        lab["nva"].ip("link", "set", device, "mtu", str(mtu))
        wait_until("the MTU", lambda: appliance.ports()[port]["mtu"] == mtu)
        for space in ("onprem", "internet", "firewall", "nva"):
            lab[space].ip("route", "flush", "cache")

    be(MTU)
    try:
        yield
    finally:
        be(1500)


def remembered_mtu(lab: Lab, space: str, destination: str, source: str) -> str:
    return lab[space].ip("route", "get", destination, "from", source)


def test_tcp_finds_the_mtu_of_the_egress_port(lab: Lab, appliance: Appliance, account: Account) -> None:
    with mtu_of(lab, appliance, "egress"):
        upload(lab, WEB)
        assert f"mtu {MTU}" in remembered_mtu(lab, "onprem", WEB, ONPREM)
    wait_until("an error", lambda: "lan.icmp.fragmentation_needed" in account.errors())


def test_tcp_finds_the_mtu_of_the_lan_port(lab: Lab, appliance: Appliance, account: Account) -> None:
    """The error goes to the server through the firewall, which translates it."""
    with mtu_of(lab, appliance, "lan"):
        download(lab, WEB)
    wait_until("an error", lambda: "egress.icmp.fragmentation_needed" in account.errors())


def test_tcp_finds_the_mtu_of_the_exit(lab: Lab, appliance: Appliance, account: Account) -> None:
    with mtu_of(lab, appliance, "egress"):
        upload(lab, KMS)
        assert f"mtu {MTU}" in remembered_mtu(lab, "onprem", KMS, ONPREM)
    wait_until("an error", lambda: "lan.icmp.fragmentation_needed" in account.errors())


def test_tcp_finds_the_mtu_behind_the_exit(lab: Lab, appliance: Appliance, account: Account) -> None:
    """A reply by the exit that is too long for the lan port: the error goes back through the kernel, which translates it."""
    with mtu_of(lab, appliance, "lan"):
        download(lab, KMS)
    wait_until("an error", lambda: "egress.icmp.fragmentation_needed" in account.errors())


def clamped(appliance: Appliance, port: str) -> int:
    return next(entry["mss_clamped"] for entry in appliance.stats()["ports"] if entry["name"] == port)


@pytest.mark.parametrize("address", [WEB, KMS], ids=["by the firewall", "by the exit"])
def test_tcp_over_a_smaller_mtu_that_nobody_tells_of(lab: Lab, appliance: Appliance, address: str) -> None:
    """Both ways, though no ICMP gets through: SYN and its answer have said what the way takes."""
    text = appliance.config.read_text()
    lan, egress = 'device = "af_xdp:lan0"\n', 'device = "af_xdp:egress0"\n'
    silent = "\n[icmp]\nerrors = false\n"
    with mtu_of(lab, appliance, "egress"):
        try:
            appliance.config.write_text(text.replace(egress, f'{egress}mss_clamp = "auto"\n') + silent)
            appliance.reload()
            assert [appliance.ports()[port]["mss_clamp"] for port in ("lan", "egress")] == [None, "auto"]
            upload(lab, address)
            download(lab, address)
            wait_until("SYNs", lambda: clamped(appliance, "lan") >= 2)
            appliance.config.write_text(text.replace(lan, f"{lan}mss_clamp = 1300\n") + silent)
            appliance.reload()
            before = clamped(appliance, "egress")
            upload(lab, address)
            wait_until("an answer", lambda: clamped(appliance, "egress") > before)
        finally:
            appliance.config.write_text(text)
            appliance.reload()


def test_what_may_be_fragmented_is(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    with mtu_of(lab, appliance, "egress"):
        account = Account(appliance)
        with Capture(lab, "firewall", "inside", only=lambda packet: IP in packet and packet[IP].dst == STREAM) as seen:
            onprem.send(frame(size=1472, id=77))
            first, last = seen.wait(2)
        assert (first[IP].len, int(first[IP].flags), first[IP].frag) == (1396, 1, 0)
        assert (last[IP].len, int(last[IP].flags), last[IP].frag) == (1500 - 1376, 0, 1376 // 8)
        assert (first[IP].id, last[IP].id) == (77, 77)
        account.expect(
            {"lan.steer.redirected": 1, "lan.rx": 1, "egress.generated": 1, "egress.tx": 2},
        )
