# SPDX-License-Identifier: BSD-3-Clause
"""`vwan`: a Virtual WAN hub advertises the default itself, to the connections that ask for it; the appliance in a spoke installs and
does not advertise."""

from __future__ import annotations

from lab.azure.fabric import Fabric
from lab.azure.site import FIREWALL_PUBLIC, VM_PUBLIC, AzureLab
from lab.azure.speaker import APPLIANCE_ASN, ONPREM_ASN, ROUTE_SERVER_ASN, Neighbour, configuration
from lab.config import many_routes
from lab.process import wait_until
from lab.report import Report
from lab.scenarios import disturb, traffic
from lab.scenarios.appliance import Nva, tables
from lab.scenarios.scenario import Scenario
from lab.stream import Stream, StreamResult
from lab.topology import STREAM

DEFAULT = "0.0.0.0/0"
APPLIANCE = "10.0.1.4"
HUB_ROUTERS = {"hubrt1": "10.100.0.68", "hubrt2": "10.100.0.69"}
HUB_GATEWAY = "10.100.0.4"
OTHER_HUB = "10.101.0.68"
SITES = {"site1": ("172.16", ONPREM_ASN), "site2": ("172.17", ONPREM_ASN + 1)}  # the first's connection propagates the default
PICTURE = """
  site1 172.16.0.0/16 --- connection that propagates the default ---.
                                                                    +-- hub gateway -- hub 10.100.0.0/23, AS 65515
  site2 172.17.0.0/16 --- connection that does not -----------------'        |          routers 10.100.0.68, .69 ---- other hub
                                                                             |            |  advertise 0.0.0.0/0      (no default)
  spoke1 10.1.0.0/16, propagates the default --------------------------------+            | BGP, installs and
  spoke2 10.2.0.0/16, does not ----------------------------------------------+            | does not advertise
                                                                             |            |
                                                     spoke 10.0.0.0/16  lan [ appliance AS 65010 ] egress ---- firewall ---- Internet
"""
# What a peer must not be believed.
BOGONS = {
    "0.0.0.0/1": "a half",
    "128.0.0.0/1": "the other half",
    "96.0.0.0/6": "more than anybody was ever given",
    "10.0.1.128/25": "a part of the appliance's own subnet",
    "168.63.129.16/32": "Azure's host",
    "127.0.0.0/8": "loopback",
}
LOOPED, AFTER = "192.168.50.0/24", "192.168.51.0/24"
FLOOD = 100_000
NO_DEFAULT = """ip prefix-list default permit 0.0.0.0/0
route-map no-default deny 10
 match ip address prefix-list default
route-map no-default permit 20
"""


def build(lab: AzureLab) -> Nva:
    fabric = lab.fabric
    lab.add_hub(tables("vwan"))
    build_hub(lab, fabric)
    for number, (site, (net, asn)) in enumerate(SITES.items()):
        lab.add_onprem(site, f"{net}.0")
        link = f"169.254.{20 + number}"
        lab.wire("hubgw", f"{site}-router", site, (f"{link}.1/30", f"{link}.2/30"))
        lab.add_onprem_speaker(site, f"{link}.1", ROUTE_SERVER_ASN, (f"{net}.0.0/16",), asn, f"{net}.0.1")
    lab.add_appliance()
    lab.add_firewall("firewall", 1)
    lab.add_vm(public=VM_PUBLIC)
    lab.watch("firewall", *HUB_ROUTERS)
    nva = Nva(lab, "vwan")
    lab.start()
    return nva


def build_hub(lab: AzureLab, fabric: Fabric) -> None:
    """Two routers, a gateway with a cable to each site, and another hub's router. The hub's table has the appliance as next hop of
    0.0.0.0/0, as its connection's static route says."""
    fabric.add_vnet("vhub", "10.100.0.0/23")
    fabric.add_vnet("vhub2", "10.101.0.0/23")
    fabric.add_vnet("spoke2", "10.2.0.0/16")
    for one, other in (("vhub", "hub"), ("vhub", "spoke"), ("vhub", "spoke2"), ("vhub", "vhub2"), ("hub", "spoke2")):
        fabric.peer(one, other)
    to_appliance = {"routes": [{"addressPrefix": DEFAULT, "nextHopType": "VirtualAppliance", "nextHopIpAddress": APPLIANCE}]}
    fabric.add_subnet("hubgw", "vhub", "10.100.0.0/26", to_appliance)
    fabric.add_subnet("hubrouters", "vhub", "10.100.0.64/26", to_appliance)
    fabric.add_subnet("hub2routers", "vhub2", "10.101.0.64/26")
    fabric.add_subnet("vm2", "spoke2", "10.2.0.0/24")
    for name, address in {**HUB_ROUTERS, "hub2rt": OTHER_HUB, "hubgw": HUB_GATEWAY}.items():
        space = lab.add_space(name)
        subnet = {"hub2rt": "hub2routers", "hubgw": "hubgw"}.get(name, "hubrouters")
        fabric.add_nic(name, "eth0", subnet, address)
        space.sysctl("net.ipv4.ip_forward", 1)
        router = fabric.plan.subnets[subnet].router
        space.ip("route", "add", "10.0.0.0/8", "via", router, "dev", "eth0")
    for vnet in ("vhub", "hub", "spoke", "spoke2"):
        fabric.learn_from(vnet, *HUB_ROUTERS)
    fabric.propagate("spoke", DEFAULT, APPLIANCE)  # its connection asks for it
    networks = (DEFAULT, "10.100.0.0/23", "10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16")
    for name, address in HUB_ROUTERS.items():
        neighbours = [
            Neighbour(APPLIANCE, APPLIANCE_ASN, ("ebgp-multihop 8",)),
            Neighbour(HUB_GATEWAY, ROUTE_SERVER_ASN, (), ("route-reflector-client",)),
            Neighbour(OTHER_HUB, ROUTE_SERVER_ASN, (), ("route-reflector-client", "route-map no-default out")),
        ]
        lab.add_frr(name, configuration(ROUTE_SERVER_ASN, address, neighbours, networks, NO_DEFAULT))
    routers = [Neighbour(address, ROUTE_SERVER_ASN) for address in HUB_ROUTERS.values()]
    lab.add_frr("hub2rt", configuration(ROUTE_SERVER_ASN, OTHER_HUB, routers, ("10.101.0.0/23",)))
    own = [Neighbour(address, ROUTE_SERVER_ASN, (), ("next-hop-self",)) for address in HUB_ROUTERS.values()]
    sites = [Neighbour("169.254.20.2", ONPREM_ASN), Neighbour("169.254.21.2", ONPREM_ASN + 1, (), ("route-map no-default out",))]
    lab.add_frr("hubgw", configuration(ROUTE_SERVER_ASN, HUB_GATEWAY, own + sites, (), NO_DEFAULT))


def play(lab: AzureLab, report: Report) -> None:
    nva = build(lab)
    advertised(lab, nva, report)
    both_ways(lab, nva, report)
    hears_the_default(lab, nva, report)
    hostile(lab, nva, report)


def advertised(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step("The hub advertises the default, to whom it is asked to")
    sites = {site: lab.frr[f"{site}-router"] for site in SITES}
    sites["site1"].wait_for(DEFAULT)
    report.equal("site1, whose connection propagates it, has 0.0.0.0/0 by way of", "65515", sites["site1"].path(DEFAULT))
    for prefix in ("172.16.0.0/16", "172.17.0.0/16"):
        lab.frr["hub2rt"].wait_for(prefix)
    sites["site2"].wait_for("172.16.0.0/16")
    report.equal("site2, whose connection does not, has the other site and no default", None, sites["site2"].path(DEFAULT))
    report.equal("the other hub has both sites and no default", None, lab.frr["hub2rt"].path(DEFAULT))
    report.check(
        "spoke1, whose connection propagates it, sends to the appliance", f"VirtualNetworkGateway {APPLIANCE}",
        str(lab.fabric.active("vm", DEFAULT)), str(lab.fabric.active("vm", DEFAULT)).endswith(APPLIANCE),
    )  # fmt: skip
    system = str(lab.fabric.active("vm2", DEFAULT))
    report.check("spoke2, whose connection does not, has Azure's own", "Internet", system, system.endswith("Internet"))
    for name in HUB_ROUTERS:
        report.equal(f"what {name} has from the appliance", [], lab.frr[name].from_neighbour(APPLIANCE))


def both_ways(lab: AzureLab, nva: Nva, report: Report) -> None:
    report.step("Traffic of site1 and spoke1, both ways through the firewall")
    for space in ("site1", "vm"):
        traffic.wait_open(lab, space)
        traffic.page(lab, report, space, [FIREWALL_PUBLIC["firewall"]])
    before = lab.counters()["marked"]
    traffic.send_marked(lab, "site2")
    came = lab.counters()["marked"] - before
    report.equal(f"of {traffic.MARKED} packets of site2, which has no default, came to the Internet", 0, came)

    def play() -> StreamResult:
        with Stream(lab, STREAM, rate=disturb.RATE, seconds=1.5, source="site1") as stream:
            return stream.finish()

    disturb.Ride(lab, report, [nva]).none_lost(f"a stream of {disturb.RATE} packets a second from site1", play)
    report.equal("packets at the Internet that no firewall sent", 0, traffic.past_firewalls(lab))


def hears_the_default(lab: AzureLab, nva: Nva, report: Report) -> None:
    """The hub's routers tell the appliance, too, of the default that leads to it."""
    report.step("Trap: the hub tells the appliance of the default as well")
    wait_until("the hub's default at the appliance", lambda: DEFAULT in nva.learned())
    report.check("it is learned, and not taken", "a reason", str(nva.learned()[DEFAULT]["refused"]), not nva.learned()[DEFAULT]["in_force"])
    host = lab["nva"].ip("route", "show", "default").strip()
    own = "default via 10.0.1.1 dev lan0"
    report.check("the host's own default stays what it was", own, host, host.startswith(own))
    report.equal("what leads to the Internet", "firewall", nva.leads_to("172.16.0.10"))


def hostile(lab: AzureLab, nva: Nva, report: Report) -> None:
    """One of the hub's routers goes mad. The other tells the same of the sites, so nothing may be lost."""
    report.step("A peer that sends what it must not, flaps, and sends too much")
    mad = lab.frr["hubrt2"]

    def play() -> StreamResult:
        with Stream(lab, STREAM, rate=disturb.RATE, seconds=120, source="site1") as stream:
            stream.wait_more(disturb.ENOUGH)
            mad.configure(f"router bgp {ROUTE_SERVER_ASN}", "address-family ipv4 unicast", *(f"network {prefix}" for prefix in BOGONS))
            wait_until("all of it to be learned", lambda: nva.learned().keys() >= BOGONS.keys())
            learned = nva.learned()
            for prefix, what in BOGONS.items():
                route = learned[prefix]
                report.check(f"{prefix}, {what}", "refused", str(route["refused"]), bool(route["refused"]) and not route["in_force"])
            mad.configure(
                f"ip prefix-list looped permit {LOOPED}", "route-map looped permit 10", "match ip address prefix-list looped",
                f"set as-path prepend {APPLIANCE_ASN}", "route-map looped permit 20", "exit", f"router bgp {ROUTE_SERVER_ASN}",
                "address-family ipv4 unicast", f"neighbor {APPLIANCE} route-map looped out", f"network {LOOPED}", f"network {AFTER}",
            )  # fmt: skip
            wait_until("what came after", lambda: AFTER in nva.learned())
            report.equal(f"{LOOPED}, with the appliance's own AS in its path, is learned", False, LOOPED in nva.learned())
            for _ in range(3):
                mad.kill_daemon("bgpd")
                wait_until("its end to be heard", lambda: nva.established() == 1)
                mad.start_daemon("bgpd")
                wait_until("it to be back", lambda: nva.established() == 2)
            report.equal("after three flaps, sites that are known", ["172.16.0.0/16", "172.17.0.0/16"], nva.sites())
            stream.wait_more(disturb.ENOUGH)
            stream.stop()
            return stream.finish()

    disturb.Ride(lab, report, [nva]).none_lost("the stream of site1, all the while", play)
    before = nva.resident()
    flood(lab, "hubrt2")
    wait_until("the guard to end the session", lambda: nva.established() == 1)
    session = next(entry for entry in nva.bgp()["sessions"] if entry["peer"] == HUB_ROUTERS["hubrt2"])
    report.check(f"after {FLOOD} routes its session", "not Established", session["state"], not session["established"])
    report.check("memory of control", f"<= {before} + 64 MiB", f"{nva.resident()} MiB", nva.resident() <= before + 64)
    report.equal("sites that are known", ["172.16.0.0/16", "172.17.0.0/16"], nva.sites())
    traffic.page(lab, report, "site1", [FIREWALL_PUBLIC["firewall"]])
    report.equal("packets at the Internet that no firewall sent", 0, traffic.past_firewalls(lab))


def flood(lab: AzureLab, router: str) -> None:
    """Many routes of its kernel, redistributed."""
    lines = [f"route add blackhole {line.split()[0]}" for line in many_routes("-", FLOOD)]
    lab[router].run("ip", "-batch", "-", stdin="\n".join(lines) + "\n")
    lab.frr[router].configure(f"router bgp {ROUTE_SERVER_ASN}", "address-family ipv4 unicast", "redistribute kernel")


SCENARIO = Scenario("vwan", "a Virtual WAN hub that advertises the default itself, to the connections that ask for it", PICTURE, play)
