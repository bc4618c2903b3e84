# SPDX-License-Identifier: BSD-3-Clause
"""`vpn`: a VPN gateway hands on no 0.0.0.0/0, so the appliance advertises its halves; the tunnel takes 1,400 bytes."""

from __future__ import annotations

from lab.azure.site import FIREWALL_PUBLIC, ROUTE_SERVERS, AzureLab
from lab.azure.speaker import ROUTE_SERVER_ASN
from lab.process import wait_until
from lab.report import Report
from lab.scenarios import disturb, traffic, traps
from lab.scenarios.appliance import Nva, tables
from lab.scenarios.scenario import Scenario

DEFAULT = "0.0.0.0/0"
HALVES = ("0.0.0.0/1", "128.0.0.0/1")
FIREWALL = "10.0.10.10"
PART = "10.1.128.0/17"  # of the spoke
MISTAKE = ('advertise = "halves"', 'advertise = "default"')
MISTAKE2 = ("[bgp]\n", f'[bgp]\nadvertise = ["{PART}"]\n')
PICTURE = """
                               AS 65515 route servers
     0.0.0.0/1, 128.0.0.0/1 <- BGP ----------------- <--- BGP, both halves ---.
     (0.0.0.0/0 is dropped)                                                   |
  on-premises ---- tunnel ---- VPN gateway ---- fabric ---- lan [ appliance AS 65010 ] egress ---- firewall ---- Internet
  172.16.0.0/12   MTU 1400     10.0.6.4                     10.0.1.4       10.0.2.4                10.0.10.10
  AS 65050                     AS 65515
"""
# Azure's gateways do so by themselves.
CLAMP = """
table ip clamp {
  chain forward {
    type filter hook forward priority mangle; policy accept;
    oifname "tunnel" tcp flags syn tcp option maxseg size set 1350
    iifname "tunnel" tcp flags syn tcp option maxseg size set 1350
  }
}
"""


def build(lab: AzureLab) -> Nva:
    lab.add_hub(tables("vpn"))
    lab.add_onprem()
    lab.add_appliance()
    lab.add_firewall("firewall", 1)
    lab.add_vm()
    lab.add_route_servers()
    lab.add_gateway("vpngw", "tunnel", mtu=1400, vpn=True)
    lab.add_onprem_speaker(gateway_asn=ROUTE_SERVER_ASN)
    lab["vpngw"].nft(CLAMP)
    lab.watch("nva", "firewall")
    nva = Nva(lab, "vpn")
    nva.replace(*MISTAKE)
    nva.replace(*MISTAKE2)
    lab.start()
    return nva


def play(lab: AzureLab, report: Report) -> None:
    nva = build(lab)
    default_is_dropped(lab, nva, report)
    advertised(lab, nva, report)
    both_ways(lab, report)
    large_transfer(lab, nva, report)
    halves_trap(lab, nva, report)
    disturb.firewall_dies(lab, nva, report, lab.frr["onprem-router"], HALVES)


def default_is_dropped(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step("Trap: 0.0.0.0/0 and a part of a VNet are advertised, which a VPN gateway never hands on")
    for prefix in (DEFAULT, PART):
        for name in ROUTE_SERVERS:
            lab.frr[name].wait_for(prefix)
    onprem = lab.frr["onprem-router"]
    onprem.wait_for("10.1.0.0/16")  # by which it has all that the gateway tells
    report.equal("the route servers have both; on-premises", [], [prefix for prefix in (DEFAULT, PART) if onprem.has(prefix)])
    traps.found(nva, report, "default-to-vpn")
    report.title("   Cure: advertise = \"halves\"")
    nva.replace(*reversed(MISTAKE))
    nva.replace(*reversed(MISTAKE2))
    nva.reload(force=True)
    nva.apply_bgp()
    traps.found(nva, report, "default-to-vpn", there=False)


def advertised(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step("Both halves arrive on-premises")
    onprem = lab.frr["onprem-router"]
    for half in HALVES:
        onprem.wait_for(half)
        report.equal(f"on-premises has {half}, by way of", "65515 65010", onprem.path(half))
    report.equal("and 0.0.0.0/0", None, onprem.path(DEFAULT))


def both_ways(lab: AzureLab, report: Report) -> None:
    report.step("Traffic, both ways through the firewall")
    traffic.wait_open(lab)
    for space in ("onprem", "vm"):
        traffic.page(lab, report, space, [FIREWALL_PUBLIC["firewall"]])


def large_transfer(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step("A large transfer through a tunnel of 1,400 bytes")
    report.equal("bytes that came, with the gateway's MSS of 1,350", traffic.LARGE, traffic.large(lab, "onprem"))
    lab["vpngw"].nft("delete table ip clamp\n")
    before = lab.counters()["too_long"]
    report.equal("without it, by path MTU discovery", traffic.LARGE, traffic.large(lab, "onprem"))
    errors = lab.counters()["too_long"] - before
    report.check(
        "the gateway's \"fragmentation needed\" came to the web server, through the appliance and the firewall of the flow",
        ">= 1", str(errors), errors >= 1,
    )  # fmt: skip
    lab["vpngw"].nft(CLAMP)


def halves_trap(lab: AzureLab, nva: Nva, report: Report) -> None:
    """The documented remedy is a route for 0.0.0.0/0, which loses by longest prefix to the halves learned back."""
    report.step("Trap: the halves learned back in the appliance's own egress subnet, whose UDR 0.0.0.0/0 leads to the firewall")
    good = lab.fabric.plan.subnets["egress1"].table
    assert good is not None
    traps.put(lab, nva, "egress1", traps.table("egress1", (DEFAULT, FIREWALL), propagation=True))
    wait_until("the halves in the egress subnet", lambda: lab.fabric.active("egress1", HALVES[0]))
    for line in lab.fabric.effective("egress1"):
        report.note(line)
    traps.loops(lab, report, 10, "the appliance", lambda: lab.fabric.marked_to("nva-lan0"))
    traps.found(nva, report, "halves-trap")
    cures = (
        ("both halves as UDRs", traps.table("egress1", *((half, FIREWALL) for half in HALVES), propagation=True)),
        ("propagation off", good),
    )
    for what, content in cures:
        report.title(f"   Cure: {what}")
        traps.put(lab, nva, "egress1", content)
        traffic.reopen(lab, nva, lab.frr["onprem-router"], HALVES)
        report.equal(f"of {traffic.MARKED} packets came to the Internet", traffic.MARKED, traffic.marked(lab))
        traps.found(nva, report, "halves-trap", there=False)


SCENARIO = Scenario("vpn", "the halves by a VPN gateway, which drops 0.0.0.0/0; MTU 1400", PICTURE, play)
