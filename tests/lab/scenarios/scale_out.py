# SPDX-License-Identifier: BSD-3-Clause
"""`scale-out`: two appliances behind ECMP and behind a load balancer, with the same two stateful firewalls."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from lab.azure.site import FIREWALL_PUBLIC, ROUTE_SERVERS, VM, AzureLab
from lab.process import Process, wait_until
from lab.report import Report
from lab.scenarios import disturb, traffic
from lab.scenarios.appliance import Nva, tables
from lab.scenarios.scenario import Scenario
from lab.stream import Stream, StreamResult
from lab.topology import STREAM

DEFAULT = "0.0.0.0/0"
FRONTEND = "10.0.1.100"
APPLIANCES = {"nva": "10.0.1.4", "nva2": "10.0.1.5"}
SESSIONS = 32
PORT = 7007
PICTURE = """
                     AS 65515 route servers <--- BGP, 0.0.0.0/0 of both: equal AS paths, ECMP
                                                             |
                                                  .-- lan [ appliance  10.0.1.4 ] egress1, egress2 --.   .-- firewall  --.
  on-premises -- circuit -- ER gateway -- fabric -+                                                  +---+               +-- Internet
  172.16.0.0/12                              |    `-- lan [ appliance2 10.0.1.5 ] egress1, egress2 --'   `-- firewall2 --'
                                             |    load balancer 10.0.1.100, probes port 8080                    |
                            spoke 10.1.0.0/16, UDR 0.0.0.0/0 and 172.16.0.0/12 -> 10.0.1.100                   spoke, on-premises
"""
# On one NIC: in from the appliance, out to where it goes. A connection begins on-premises; whatever belongs to none that this
# firewall has seen begin is `strange`.
FIREWALL_RULES = """
table ip lab {
  counter inside {}
  counter strange {}
  counter begun {}
  chain arriving {
    type filter hook prerouting priority raw; policy accept;
    iifname "inside" counter name inside
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "inside" oifname "outside" accept
    iifname "inside" oifname "inside" ip saddr 172.16.0.0/12 ct state new counter name begun accept
    counter name strange
  }
  chain translate {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "outside" masquerade
  }
}
"""


def build(lab: AzureLab) -> tuple[Nva, Nva]:
    lab.add_hub(tables("scale-out"), firewalls=("firewall", "firewall2"))
    lab.add_onprem()
    for number, name in enumerate(FIREWALL_PUBLIC):
        lab.add_firewall(name, number + 1, FIREWALL_RULES)
        lab[name].sysctl("net.netfilter.nf_conntrack_tcp_loose", 0)
    lab.add_vm()
    for space, address in APPLIANCES.items():
        lab.add_appliance(space, int(address.split(".")[-1]), egress=2, public=None)
    lab.add_route_servers(tuple(APPLIANCES.values()))
    lab.add_gateway("ergw", "circuit")
    lab.add_onprem_speaker()
    lab.fabric.balance(FRONTEND, list(APPLIANCES.values()), 8080)
    lab.watch("nva", "nva2", "firewall", "firewall2")
    first = Nva(lab, "scale-out")
    second = Nva(lab, "scale-out", "nva2", address=APPLIANCES["nva2"])
    lab.start()
    return first, second


def play(lab: AzureLab, report: Report) -> None:
    nvas = build(lab)
    spread(lab, report)
    sessions = Sessions(lab)
    same_firewall(lab, nvas, report, sessions)
    drained(lab, nvas, report, sessions)
    one_dies(lab, nvas, report)
    active_and_passive(lab, nvas, report)
    behind_the_frontend(lab, nvas, report)


class Sessions:
    """TCP connections from on-premises to the VM, through the firewalls."""

    def __init__(self, lab: AzureLab) -> None:
        self.lab = lab
        self.python = shutil.which("python3", path="/usr/bin") or "python3"
        self.program = Path(__file__).parents[1] / "echo.py"
        server = lab.spawn("vm", "echo", self.python, self.program, "serve", str(PORT))
        wait_until("the VM to listen", lambda: "ready" in server.output())
        self.client: Process | None = None

    def open(self) -> None:
        self.client = self.lab.spawn(
            "onprem", "sessions", self.python, self.program, "talk", VM, str(PORT), str(SESSIONS), pipe=True
        )

    def talk(self) -> dict[str, int]:
        assert self.client is not None
        stdin, stdout = self.client.child.stdin, self.client.child.stdout
        assert stdin is not None and stdout is not None
        stdin.write(b"\n")
        stdin.flush()
        return dict(json.loads(stdout.readline()))


def spread(lab: AzureLab, report: Report) -> None:
    report.step("Both advertise 0.0.0.0/0: Azure spreads over both, and the load balancer's probes find both")
    lab.frr["onprem-router"].wait_for(DEFAULT)
    both = sorted(APPLIANCES.values())
    for name in ("rs1", "rs2"):
        wait_until(f"both at {name}", lambda: lab.frr[name].next_hops(DEFAULT) == both)  # noqa: B023
        report.equal(f"{name} has two paths of equal length", both, lab.frr[name].next_hops(DEFAULT))
    wait_until("both in the fabric", lambda: lab.fabric.hops("gateway", DEFAULT) == 2)
    line = str(lab.fabric.learned("gateway", DEFAULT))
    report.check("the gateway's subnet sends to both", ", ".join(both), line, line.endswith(", ".join(both)))
    wait_until("the load balancer to send to both", lambda: lab.fabric.hops("vm", DEFAULT) == 2)
    report.equal("members that the load balancer sends to", 2, lab.fabric.hops("vm", DEFAULT))
    traffic.wait_open(lab)
    for space in ("onprem", "vm"):
        traffic.page(lab, report, space, list(FIREWALL_PUBLIC.values()))


def same_firewall(lab: AzureLab, nvas: tuple[Nva, Nva], report: Report, sessions: Sessions) -> None:
    report.step(
        f"{SESSIONS} TCP sessions from on-premises to the VM: both ways by the same firewall, whichever appliance they pass"
    )
    before = [lab.fabric.sent_to(f"{nva.space}-lan0") for nva in nvas]
    sessions.open()
    said = sessions.talk()
    report.equal("sessions that were opened and answered", {"opened": SESSIONS, "answered": SESSIONS}, said)
    begun = [lab.counters(name)["begun"] for name in FIREWALL_PUBLIC]
    holds = sum(begun) == SESSIONS and min(begun) > 0
    report.check("sessions that began at each firewall", f"{SESSIONS} in all, some at each", str(begun), holds)
    passed = [lab.fabric.sent_to(f"{nva.space}-lan0") - seen for nva, seen in zip(nvas, before, strict=True)]
    report.check("packets that passed each appliance", "some at each", str(passed), min(passed) > 0)
    strange = [lab.counters(name)["strange"] for name in FIREWALL_PUBLIC]
    report.equal("packets of a session that the firewall had not seen begin", [0, 0], strange)


def passing(nvas: tuple[Nva, Nva]) -> tuple[Nva, Nva]:
    """Whom a stream passes, and the other."""
    before = [nva.stats_of("lan")["rx"] for nva in nvas]

    def growth() -> list[int]:
        return [nva.stats_of("lan")["rx"] - seen for nva, seen in zip(nvas, before, strict=True)]

    wait_until("the stream", lambda: max(growth()) > disturb.ENOUGH)
    first, second = growth()
    return (nvas[0], nvas[1]) if first > second else (nvas[1], nvas[0])


def drained(lab: AzureLab, nvas: tuple[Nva, Nva], report: Report, sessions: Sessions) -> None:
    report.step("One appliance is drained")

    def play() -> StreamResult:
        with Stream(lab, STREAM, rate=disturb.RATE, seconds=60) as stream:
            stream.wait_more(disturb.ENOUGH)
            busier, other = passing(nvas)
            report.note(f"the stream passes {busier.space}")
            busier.execute("drain", "--for", "1m")
            wait_until("the drained one's default gone", lambda: lab.frr["rs1"].next_hops(DEFAULT) == [other.address])
            wait_until("the load balancer to leave it", lambda: lab.fabric.hops("vm", DEFAULT) == 1)
            seen = other.stats_of("lan")["rx"]
            wait_until("the stream at the other", lambda: other.stats_of("lan")["rx"] > seen + disturb.ENOUGH)
            stream.wait_more(disturb.ENOUGH)
            stream.stop()
            result = stream.finish()
        report.equal("sessions that live on", {"opened": SESSIONS, "answered": SESSIONS}, sessions.talk())
        busier.execute("undrain")
        wait_until("both again", lambda: len(lab.frr["rs1"].next_hops(DEFAULT)) == 2)
        wait_until("the load balancer to send to both", lambda: lab.fabric.hops("vm", DEFAULT) == 2)
        return result

    disturb.Ride(lab, report, nvas).none_lost("the stream", play)
    strange = [lab.counters(name)["strange"] for name in FIREWALL_PUBLIC]
    report.equal("packets of a session that the firewall had not seen begin", [0, 0], strange)


def one_dies(lab: AzureLab, nvas: tuple[Nva, Nva], report: Report) -> None:
    report.step("The dataplane of one is SIGKILLed: its default goes, and its traffic takes the other")
    with Stream(lab, STREAM, rate=disturb.RATE, seconds=60) as stream:
        stream.wait_more(disturb.ENOUGH)
        busier, other = passing(nvas)
        busier.kill_dataplane()
        wait_until("the dead one's default gone", lambda: lab.frr["rs1"].next_hops(DEFAULT) == [other.address])
        stream.wait_more(disturb.ENOUGH)
        report.equal("next hops of the default at the route server", [other.address], lab.frr["rs1"].next_hops(DEFAULT))
        report.equal("on-premises still has a default", True, lab.frr["onprem-router"].has(DEFAULT))
        busier.start_dataplane()
        busier.wait_ready()
        wait_until("both again", lambda: len(lab.frr["rs1"].next_hops(DEFAULT)) == 2)
        stream.stop()
        result = stream.finish()
    report.note(f"{result}: what it lost was on its way while Azure still sent to the dead one")
    report.equal("packets at the Internet that no firewall sent", 0, traffic.past_firewalls(lab))


def wait_next_hops(lab: AzureLab, hops: list[str]) -> None:
    for name in ROUTE_SERVERS:
        wait_until(f"{hops} at {name}", lambda: lab.frr[name].next_hops(DEFAULT) == hops)  # noqa: B023


def active_and_passive(lab: AzureLab, nvas: tuple[Nva, Nva], report: Report) -> None:
    report.step("Active and passive: the second appliance prepends its AS number twice")
    active, passive = nvas
    passive.tell_peers(", prepend = 2")
    wait_next_hops(lab, [active.address])
    for name in ROUTE_SERVERS:
        known = {path["nexthops"][0]["ip"]: path["path"] for path in lab.frr[name].routes()[DEFAULT]}
        paths = {active.address: "65010", passive.address: "65010 65010 65010"}
        report.equal(f"{name} knows both paths", paths, known)
        report.equal("and prefers the shorter", [active.address], lab.frr[name].next_hops(DEFAULT))
    wait_until("the fabric to send to one", lambda: lab.fabric.hops("gateway", DEFAULT) == 1)

    def play() -> StreamResult:
        before = lab.fabric.streamed_to(f"{passive.space}-lan0")
        with Stream(lab, STREAM, rate=disturb.RATE, seconds=60) as stream:
            stream.wait_more(disturb.ENOUGH)
            came = lab.fabric.streamed_to(f"{passive.space}-lan0") - before
            report.equal("packets of a stream that came to the passive one", 0, came)
            active.execute("drain", "--for", "1m")
            wait_next_hops(lab, [passive.address])
            report.note("the active one is drained, and both route servers have the passive one's path")
            seen = passive.stats_of("lan")["rx"]
            wait_until("the stream at the passive one", lambda: passive.stats_of("lan")["rx"] > seen + disturb.ENOUGH)
            active.execute("undrain")
            wait_next_hops(lab, [active.address])
            stream.wait_more(disturb.ENOUGH)
            stream.stop()
            result = stream.finish()
        wait_until("the fabric to send to the active one", lambda: str(lab.fabric.learned("gateway", DEFAULT)).endswith(active.address))
        return result

    disturb.Ride(lab, report, nvas).none_lost("the stream, to the passive one and back", play)
    passive.tell_peers("")
    wait_next_hops(lab, sorted(APPLIANCES.values()))


def behind_the_frontend(lab: AzureLab, nvas: tuple[Nva, Nva], report: Report) -> None:
    report.step("Both tell the load balancer's frontend as next hop: its probes, not BGP, say who is sent to")
    for nva in nvas:
        nva.tell_peers(f', next_hop = "{FRONTEND}"')
    wait_next_hops(lab, [FRONTEND])
    for name in (*ROUTE_SERVERS, "ergw"):
        wait_until(f"the frontend at {name}", lambda: lab.frr[name].next_hops(DEFAULT) == [FRONTEND])  # noqa: B023
        report.equal(f"{name} hears the frontend as next hop", [FRONTEND], lab.frr[name].next_hops(DEFAULT))
    line = wait_until(
        "the frontend in the fabric",
        lambda: (found := str(lab.fabric.learned("gateway", DEFAULT))).endswith(f" {FRONTEND}") and found,
    )
    report.note(f"the gateway's subnet: {line}")
    wait_until("both behind it", lambda: lab.fabric.hops("gateway", DEFAULT) == 2)
    report.equal("members behind it that Azure sends to", 2, lab.fabric.hops("gateway", DEFAULT))
    traffic.page(lab, report, "onprem", list(FIREWALL_PUBLIC.values()))

    def play() -> StreamResult:
        with Stream(lab, STREAM, rate=disturb.RATE, seconds=60) as stream:
            stream.wait_more(disturb.ENOUGH)
            busier, other = passing(nvas)
            busier.execute("drain", "--for", "1m")
            wait_until("the load balancer to leave it", lambda: lab.fabric.hops("gateway", DEFAULT) == 1)
            report.equal("one is drained; next hop at rs1, by the other's word", [FRONTEND], lab.frr["rs1"].next_hops(DEFAULT))
            seen = other.stats_of("lan")["rx"]
            wait_until("the stream at the other", lambda: other.stats_of("lan")["rx"] > seen + disturb.ENOUGH)
            stream.stop()
            result = stream.finish()
        busier.execute("undrain")
        wait_until("the load balancer to send to both", lambda: lab.fabric.hops("gateway", DEFAULT) == 2)
        return result

    disturb.Ride(lab, report, nvas).none_lost("the stream", play)
    strange = [lab.counters(name)["strange"] for name in FIREWALL_PUBLIC]
    report.equal("packets of a session that the firewall had not seen begin", [0, 0], strange)


SCENARIO = Scenario("scale-out", "two appliances behind ECMP and a load balancer, two stateful firewalls; one is drained", PICTURE, play)
