# SPDX-License-Identifier: BSD-3-Clause
"""`forced-tunnel`: what VNets send to the Internet leaves by way of on-premises; activation still leaves from Azure."""

from __future__ import annotations

from lab.azure.site import APPLIANCE_PUBLIC, FIREWALL_PUBLIC, GATEWAY, ONPREM_PREFIX, ONPREM_PUBLIC, ROUTE_SERVERS, VM_PUBLIC, AzureLab
from lab.azure.speaker import ROUTE_SERVER_ASN
from lab.process import wait_until
from lab.report import Report
from lab.scenarios import traffic, traps
from lab.scenarios.appliance import Nva, tables
from lab.scenarios.scenario import Scenario
from lab.topology import KMS

DEFAULT = "0.0.0.0/0"
PICTURE = """
  Internet ---- on-premises ---- tunnel ---- VPN gateway ---- fabric ---- lan [ appliance AS 65010 ] egress ---- firewall ---- Internet
    192.0.2.1   172.16.0.0/12    MTU 1400    10.0.6.4           |       10.0.1.4          |  10.0.2.4          (falls back to it)
                AS 65050, --- 0.0.0.0/0 by BGP ---> route servers ---> .                  `---- KMS, as 10.0.2.4 ---- Internet
                                                                |
                                          spoke VNet 10.1.0.0/16, UDR 0.0.0.0/0 -> 10.0.1.4
"""


def build(lab: AzureLab) -> Nva:
    lab.add_hub(tables("forced-tunnel"))
    lab.add_onprem()
    lab.add_appliance()
    lab.add_firewall("firewall", 1)
    lab.add_vm(public=VM_PUBLIC)
    lab.add_route_servers()
    lab.add_gateway("vpngw", "tunnel", mtu=1400, vpn=True)
    lab.add_onprem_internet()
    lab.add_onprem_speaker(gateway_asn=ROUTE_SERVER_ASN, networks=(ONPREM_PREFIX, DEFAULT))
    nva = Nva(lab, "forced-tunnel")
    lab.start()
    return nva


def play(lab: AzureLab, report: Report) -> None:
    nva = build(lab)
    by_bgp(lab, nva, report)
    activation(lab, nva, report)
    activation_elsewhere(lab, nva, report)
    known_by_default_alone(lab, nva, report)
    withdrawn(lab, nva, report)
    by_default_site(lab, nva, report)
    by_user_route(lab, nva, report)


def by_bgp(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step("On-premises advertises 0.0.0.0/0; the zone of the VNets follows it")
    nva.speaker.wait_for(DEFAULT)
    wait_until("the default in the appliance's subnet", lambda: lab.fabric.learned("lan", DEFAULT))
    wait_until("the zone to follow it", lambda: nva.leads_to("10.1.0.4") == "azure")
    traffic.wait_open(lab, "vm")
    traffic.page(lab, report, "vm", [ONPREM_PUBLIC])


def activation(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step(f"Activation ({KMS}) leaves from Azure all the same: the appliance masquerades it")
    report.equal("the KMS server answers", "KMS", lab.activate("vm"))
    report.equal("and saw the appliance's own public address", APPLIANCE_PUBLIC, lab.last_client("kms"))


def activation_elsewhere(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step("Trap: the egress subnet's UDR sends the KMS /32 elsewhere. What the appliance chose does not matter to the fabric")
    good = lab.fabric.plan.subnets["egress1"].table
    assert good is not None
    bad = traps.table("egress1", (DEFAULT, "10.0.10.10"), (f"{KMS}/32", "VirtualNetworkGateway"), propagation=False)
    traps.put(lab, nva, "egress1", bad)
    report.equal("the KMS server answers", "KMS", lab.activate("vm"))
    report.equal("but saw on-premises' address, which it refuses", ONPREM_PUBLIC, lab.last_client("kms"))
    traps.found(nva, report, "subnet-elsewhere")
    report.title("   Cure: the /32 -> Internet in that subnet, too")
    traps.put(lab, nva, "egress1", good)
    report.equal("the KMS server answers", "KMS", lab.activate("vm"))
    report.equal("and saw the appliance's own public address", APPLIANCE_PUBLIC, lab.last_client("kms"))
    traps.found(nva, report, "subnet-elsewhere", there=False)


def known_by_default_alone(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step("Trap: the host knows the route servers by its own default alone, and zebra takes no default whose next hop it reaches so")
    route, onprem = ("10.0.5.0/27", "via", "10.0.1.1", "dev", "lan0"), lab.frr["onprem-router"]
    onprem.originate(DEFAULT, on=False)
    wait_until("the zone to fall back", lambda: nva.leads_to("10.1.0.4") == "firewall")
    lab["nva"].ip("route", "del", *route)
    onprem.originate(DEFAULT, on=True)
    nva.speaker.wait_for(DEFAULT)
    zebra = wait_until(
        "zebra to have it", lambda: [line for line in nva.speaker.vtysh("show ip route table 100").splitlines() if DEFAULT in line]
    )
    report.check("BGP has it, and zebra", "inactive", " ".join(zebra), all("inactive" in line and ">" not in line for line in zebra))
    report.equal("so the zone leads to", "firewall", nva.leads_to("10.1.0.4"))
    report.equal("sessions with the route servers, all the same", 2, nva.established())
    report.equal("`sekisho doctor` says so of", sorted(ROUTE_SERVERS.values()), unreached(nva))
    traps.found(nva, report, "learned-default-unreached")
    report.title("   Cure: a route to RouteServerSubnet, and the default told anew: zebra does not look again by itself")
    lab["nva"].ip("route", "add", *route)
    nva.speaker.vtysh("clear bgp ipv4 unicast *")
    wait_until("the zone to follow it", lambda: nva.leads_to("10.1.0.4") == "azure")
    report.equal("`sekisho doctor` says so of", [], unreached(nva))
    traps.found(nva, report, "learned-default-unreached", there=False)


def unreached(nva: Nva) -> list[str]:
    """Peers that doctor finds to be reached by the host's default alone."""
    said = " ".join(finding["sentence"] for finding in nva.json("doctor", "--config", nva.config)["findings"])
    return sorted(address for address in ROUTE_SERVERS.values() if f"peer {address} by its own default alone" in said)


def withdrawn(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step("On-premises withdraws it: the zone falls back to the firewall")
    onprem = lab.frr["onprem-router"]
    onprem.originate(DEFAULT, on=False)
    wait_until("the zone to fall back", lambda: nva.leads_to("10.1.0.4") == "firewall")
    traffic.wait_open(lab, "vm")
    traffic.page(lab, report, "vm", [FIREWALL_PUBLIC["firewall"]])


def by_default_site(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step("The gateway's Default Site: 0.0.0.0/0 in the VNet's routes, and no BGP says so; the zone has its own `via`")
    lab["vpngw"].ip("route", "replace", "default", "via", "169.254.10.2", "dev", "tunnel")
    lab.fabric.propagate("hub", DEFAULT, GATEWAY)
    wait_until("the default in the appliance's subnet", lambda: lab.fabric.learned("lan", DEFAULT))
    nva.replace("follow_default = true", 'via            = "azure"')
    nva.reload(force=True)
    traffic.wait_open(lab, "vm")
    traffic.page(lab, report, "vm", [ONPREM_PUBLIC])
    report.equal("the KMS server answers", "KMS", lab.activate("vm"))
    report.equal("and saw the appliance's own public address", APPLIANCE_PUBLIC, lab.last_client("kms"))


def by_user_route(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step("A UDR 0.0.0.0/0 -> VirtualNetworkGateway at the VM's subnet (VPN only), with the KMS /32s -> Internet")
    routes = ((DEFAULT, "VirtualNetworkGateway"), (f"{KMS}/32", "Internet"))
    lab.fabric.set_table("vm", traps.table("vm", *routes, propagation=False))
    before = lab.fabric.sent_to("nva-lan0")
    traffic.page(lab, report, "vm", [ONPREM_PUBLIC])
    report.equal("the KMS server answers", "KMS", lab.activate("vm"))
    report.equal("and saw the VM's own public address", VM_PUBLIC, lab.last_client("kms"))
    came = lab.fabric.sent_to("nva-lan0") - before
    report.check("packets of it at the appliance, but for BGP's own", "< 50", str(came), came < 50)


SCENARIO = Scenario(
    "forced-tunnel", "VNets to the Internet by way of on-premises: learned default, Default Site, UDR; KMS directly", PICTURE, play
)
