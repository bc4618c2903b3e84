# SPDX-License-Identifier: BSD-3-Clause
"""Demonstrations 1 to 3: through the firewall, past it where an exception says so, and what is refused."""

from __future__ import annotations

from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Injector, frame
from lab.process import WaitTimeout
from lab.report import Report
from lab.topology import EGRESS, FIREWALL_OUTSIDE, KMS, KMS_PORT, MACS, WEB, Lab


def web_page(lab: Lab, appliance: Appliance, report: Report) -> None:
    report.step(f"A web page fetched from on-premises, http://{WEB}/")
    page = lab.fetch()
    report.check("the page", "a greeting", " ".join(page.split()), "Hello from behind the checkpoint" in page)
    report.equal("who the web server saw", [FIREWALL_OUTSIDE], lab.seen_clients("web"))
    report.equal("packets at the Internet that no firewall translated", 0, lab.counters()["unnatted"])


def kms(lab: Lab, appliance: Appliance, report: Report) -> None:
    report.step(f"Windows activation ({KMS} port {KMS_PORT}) leaves as the appliance's own, not by the firewall")
    before = lab.counters("firewall")["inside"]
    report.equal("the KMS listener's answer", "KMS", lab.activate())
    report.equal("who the KMS listener saw: the exit port's address", [EGRESS], lab.seen_clients("kms"))
    report.equal("packets of it at the firewall", 0, lab.counters("firewall")["inside"] - before)
    report.equal("packets that left with somebody else's address", 0, lab.counters("router")["foreign"])
    for line in appliance.execute("explain", "172.16.0.10", KMS, "--port", "lan").stdout.splitlines():
        report.note(line)


def refused(lab: Lab, appliance: Appliance, report: Report) -> None:
    report.step("What may not pass: 100 packets each")
    ipv6 = Ether(src=MACS["onprem", "eth0"], dst=MACS["nva", "lan0"]) / IPv6(dst="2001:db8::1") / UDP()
    cases = (
        ("a spoofed source (8.8.8.8 from the LAN)", frame(source="8.8.8.8"), "lan.drop.spoofed_source"),
        (
            "private space that no route names (192.168.1.1)",
            frame(destination="192.168.1.1"),
            "lan.drop.null_route",
        ),
        ("IPv6 transit", ipv6, "lan.steer.dropped_ipv6"),
    )
    injector = Injector(lab)
    firewall, internet = lab.counters("firewall")["inside"], lab.counters()["arrived"]
    for what, packet, counter in cases:
        account = Account(appliance)
        injector.send(packet, 100)
        expected = {counter: 100}
        if ".drop." in counter:
            expected |= {"lan.rx": 100, "lan.steer.redirected": 100}
        try:
            account.expect(expected)
            holds = True
        except (AssertionError, WaitTimeout):
            holds = False
        report.check(what, f"{expected}", f"{account.changes()}", holds)
    injector.close()
    report.equal("packets of it at the firewall", 0, lab.counters("firewall")["inside"] - firewall)
    report.equal("packets of it at the Internet", 0, lab.counters()["arrived"] - internet)
