# SPDX-License-Identifier: BSD-3-Clause
"""`expressroute`: two route servers carry the appliance's default to an ExpressRoute gateway, and that to on-premises."""

from __future__ import annotations

from lab.azure.site import APPLIANCE_PUBLIC, FIREWALL_PUBLIC, ROUTE_SERVERS, AzureLab
from lab.process import wait_until
from lab.report import Report
from lab.scenarios import disturb, traffic, traps
from lab.scenarios.appliance import Nva, tables
from lab.scenarios.scenario import Scenario
from lab.stream import Stream, StreamResult
from lab.topology import STREAM

DEFAULT = "0.0.0.0/0"
PICTURE = """
                               AS 65515 route servers 10.0.5.4, 10.0.5.5
     0.0.0.0/0 <---- BGP ----- (no traffic passes them) <--- BGP, 0.0.0.0/0 --.
         |                                                                    |
  on-premises ---- circuit ---- ER gateway ---- fabric ---- lan [ appliance AS 65010 ] egress ---- firewall ---- Internet
  172.16.0.0/12    AS 12076     10.0.6.4                    10.0.1.4       10.0.2.4                10.0.10.10
  AS 65050                                        |                           `---- KMS, as 10.0.2.4 ----------> Internet
                                       spoke VNet 10.1.0.0/16
"""


def build(lab: AzureLab) -> Nva:
    lab.add_hub(tables("expressroute"))
    lab.add_onprem()
    lab.add_appliance()
    lab.add_firewall("firewall", 1)
    lab.add_vm()
    lab.add_route_servers()
    lab.add_gateway("ergw", "circuit")
    lab.add_onprem_speaker()
    lab.watch("rs1", "rs2", "nva", "firewall")
    nva = Nva(lab, "expressroute")
    lab.start()
    return nva


def play(lab: AzureLab, report: Report) -> None:
    nva = build(lab)
    advertised(lab, report)
    both_ways(lab, nva, report)
    learns_its_own(lab, nva, report)
    onprem = lab.frr["onprem-router"]
    disturb.firewall_dies(lab, nva, report, onprem, (DEFAULT,))
    disturb.control_dies(lab, nva, report, onprem, (DEFAULT,))
    disturb.frr_dies(lab, nva, report, onprem, (DEFAULT,))
    disturb.frr_dies_gracefully(lab, nva, report, onprem, (DEFAULT,))
    disturb.dataplane_dies(lab, nva, report, onprem, (DEFAULT,))
    disturb.both_die(lab, nva, report, onprem, (DEFAULT,))


def advertised(lab: AzureLab, report: Report) -> None:
    report.step("0.0.0.0/0 goes to both route servers, by the gateway to on-premises")
    onprem = lab.frr["onprem-router"]
    onprem.wait_for(DEFAULT)
    for name in ROUTE_SERVERS:
        lab.frr[name].wait_for(DEFAULT)
        hops = lab.frr[name].next_hops(DEFAULT)
        report.equal(f"{name} has the appliance's default, with its own address as next hop", ["10.0.1.4"], hops)
    hops = lab.frr["ergw"].next_hops(DEFAULT)
    report.equal("the ExpressRoute gateway, too: it sees the appliance's own address", ["10.0.1.4"], hops)
    report.equal("on-premises has it, by way of", "12076 65515 65010", onprem.path(DEFAULT))
    default = wait_until("the default in the fabric", lambda: lab.fabric.learned("gateway", DEFAULT))
    holds = default.endswith("10.0.1.4")
    report.check("and Azure's fabric sends by it", "VirtualNetworkGateway 10.0.1.4", default, holds)


def both_ways(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step("Traffic, both ways through the firewall")
    traffic.wait_open(lab)
    for space in ("onprem", "vm"):
        traffic.page(lab, report, space, [FIREWALL_PUBLIC["firewall"]])
    before = nva.stats_of("egress")["rx"]
    report.equal("bytes of a large page on-premises", traffic.LARGE, traffic.large(lab, "onprem"))
    back = nva.stats_of("egress")["rx"] - before
    least = traffic.LARGE // 1460
    report.check("packets of it that came back by the appliance's egress port", f">= {least}", f"{back}", back >= least)

    def play() -> StreamResult:
        with Stream(lab, STREAM, rate=disturb.RATE, seconds=1.5) as stream:
            return stream.finish()

    disturb.Ride(lab, report, [nva]).none_lost(f"a stream of {disturb.RATE} packets a second from on-premises", play)
    through = [lab.watched(name)["stream"] for name in ROUTE_SERVERS]
    report.equal("packets of it at the route servers: they are in the control path only", [0, 0], through)
    report.equal("the KMS server answers", "KMS", lab.activate())
    report.equal("and saw the appliance's own address, not the firewall's", APPLIANCE_PUBLIC, lab.last_client("kms"))
    report.equal("packets with a foreign source that left for the Internet", 0, traffic.past_firewalls(lab))


def learns_its_own(lab: AzureLab, nva: Nva, report: Report) -> None:
    """The firewall's subnet learns the appliance's default back, and sends to the appliance what should leave for the Internet."""
    report.step("Trap: the default learned back. Propagation on in the subnet by which the firewall leaves")
    good = lab.fabric.plan.subnets["outside1"].table
    lab.fabric.set_table("outside1", None)
    report.check(
        "the subnet's default", "VirtualNetworkGateway 10.0.1.4", str(lab.fabric.active("outside1", DEFAULT)),
        str(lab.fabric.active("outside1", DEFAULT)).endswith("10.0.1.4"),
    )  # fmt: skip
    traps.loops(lab, report, 1, "the firewall", lambda: lab.watched("firewall")["marked"])
    nva.wait_verdict("closed")
    report.note("the probe through the firewall notices: " + "; ".join(nva.json("show", "state")["reasons"]))
    report.title("   Cure: a UDR 0.0.0.0/0 -> Internet there, propagation off")
    lab.fabric.set_table("outside1", good)
    traffic.reopen(lab, nva, lab.frr["onprem-router"], (DEFAULT,))
    report.equal(f"of {traffic.MARKED} packets came to the Internet", traffic.MARKED, traffic.marked(lab))


SCENARIO = Scenario("expressroute", "0.0.0.0/0 by Route Server and an ExpressRoute gateway", PICTURE, play)
