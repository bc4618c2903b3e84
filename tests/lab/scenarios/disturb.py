# SPDX-License-Identifier: BSD-3-Clause
"""What happens to a steady stream and to what is advertised when a part dies. Packets are counted; nothing here is timed."""

from __future__ import annotations

from collections.abc import Sequence

from lab.azure.site import AzureLab
from lab.azure.speaker import Speaker
from lab.report import Report
from lab.scenarios import traffic
from lab.scenarios.appliance import Nva
from lab.stream import Stream, StreamResult
from lab.topology import STREAM

RATE = 20_000
ENOUGH = RATE // 2


class Ride:
    """A stream that nothing may be lost of. What found no room in a port's socket, because the machine computed for
    others, is the machine's loss: the appliance counts it, and it is said."""

    def __init__(self, report: Report, nvas: Sequence[Nva]) -> None:
        self.report = report
        self.nvas = nvas
        self.before = self._missed()

    def _missed(self) -> int:
        return sum(int(nva.stats()["total"]["missed"]) for nva in self.nvas)

    def none_lost(self, what: str, result: StreamResult) -> None:
        missed = self._missed() - self.before
        seen = str(result) + (f"; {missed} found no room in a port's socket" if missed else "")
        self.report.check(what, "none lost, none twice", seen, result.lost <= missed and result.duplicated == 0)


def gone(peer: Speaker, prefixes: Sequence[str]) -> None:
    for prefix in prefixes:
        peer.wait_for(prefix, present=False)


def back(peer: Speaker, prefixes: Sequence[str]) -> None:
    for prefix in prefixes:
        peer.wait_for(prefix)


def fault(lab: AzureLab, firewall: str) -> None:
    """It answers ARP and ping, and forwards nothing."""
    chain = "type filter hook forward priority -400;\n drop"
    lab[firewall].nft(f"table inet fault {{\n chain fault {{\n {chain}\n }}\n}}\n")


def mend(lab: AzureLab, firewall: str) -> None:
    lab[firewall].nft("add table inet fault\ndelete table inet fault\n")


def firewall_dies(
    lab: AzureLab, nva: Nva, report: Report, peer: Speaker, prefixes: Sequence[str], firewalls: Sequence[str] = ("firewall",)
) -> None:
    report.step("Every firewall forwards nothing any more: what is advertised goes, and nothing finds another way out")
    with Stream(lab, STREAM, rate=RATE, seconds=60) as stream:
        stream.wait_more(ENOUGH)
        for name in firewalls:
            fault(lab, name)
        nva.wait_verdict("closed")
        gone(peer, prefixes)
        report.equal("on-premises has", [], [prefix for prefix in prefixes if peer.has(prefix)])
        report.note("withdrawn: " + "; ".join(nva.bgp()["why_not"]))
        report.equal("packets at the Internet that no firewall sent", 0, traffic.past_firewalls(lab))
        for name in firewalls:
            mend(lab, name)
        back(peer, prefixes)
        stream.wait_more(ENOUGH)
        have = [prefix for prefix in prefixes if peer.has(prefix)]
        report.equal("once the firewall is back the stream arrives, and on-premises has", list(prefixes), have)
        stream.stop()
        result = stream.finish()
    report.note(str(result))
    report.equal("packets at the Internet that no firewall sent", 0, traffic.past_firewalls(lab))


def control_dies(lab: AzureLab, nva: Nva, report: Report, peer: Speaker, prefixes: Sequence[str]) -> None:
    report.step("Control is SIGKILLed and comes back: the dataplane goes on, so nothing is withdrawn")
    ride = Ride(report, [nva])
    with Stream(lab, STREAM, rate=RATE, seconds=60) as stream:
        stream.wait_more(ENOUGH)
        nva.kill_control()
        stream.wait_more(2 * ENOUGH)
        kept = [prefix for prefix in prefixes if peer.has(prefix)]
        report.equal("on-premises still has, without control", list(prefixes), kept)
        nva.start_control()
        nva.wait_ready()
        stream.wait_more(ENOUGH)
        stream.stop()
        result = stream.finish()
    ride.none_lost("the stream", result)
    report.equal("and with control again", list(prefixes), [prefix for prefix in prefixes if peer.has(prefix)])


def frr_dies(lab: AzureLab, nva: Nva, report: Report, peer: Speaker, prefixes: Sequence[str]) -> None:
    """The peers hear that the session is gone and send no more. What reaches the appliance all the same is forwarded: its dataplane
    needs no BGP, and what was learned is held."""
    report.step("FRR is killed and comes back")
    dropped = nva.dropped("lan")
    with Stream(lab, STREAM, rate=RATE, seconds=60) as stream:
        stream.wait_more(ENOUGH)
        nva.speaker.kill_daemon("bgpd")
        nva.speaker.kill_daemon("zebra")
        gone(peer, prefixes)
        nva.speaker.start()
        back(peer, prefixes)
        stream.wait_more(ENOUGH)
        stream.stop()
        result = stream.finish()
    report.note(f"{result}: on-premises had no route meanwhile")
    report.equal("packets that reached the appliance and were dropped there", dropped, nva.dropped("lan"))


def dataplane_dies(lab: AzureLab, nva: Nva, report: Report, peer: Speaker, prefixes: Sequence[str]) -> None:
    report.step("The dataplane is SIGKILLed: the default is withdrawn; restarted: advertised again")
    with Stream(lab, STREAM, rate=RATE, seconds=60) as stream:
        stream.wait_more(ENOUGH)
        nva.kill_dataplane()
        gone(peer, prefixes)
        report.note("withdrawn: " + "; ".join(nva.bgp()["why_not"]))
        nva.start_dataplane()
        nva.wait_ready()
        back(peer, prefixes)
        stream.wait_more(ENOUGH)
        stream.stop()
        result = stream.finish()
    report.note(str(result))
    report.equal("packets at the Internet that no firewall sent", 0, traffic.past_firewalls(lab))


def both_die(lab: AzureLab, nva: Nva, report: Report, peer: Speaker, prefixes: Sequence[str]) -> None:
    report.step("Control and dataplane are SIGKILLed: `sekisho bgp watch` withdraws in their stead")
    nva.kill_control()
    nva.kill_dataplane()
    gone(peer, prefixes)
    report.equal("on-premises has", [], [prefix for prefix in prefixes if peer.has(prefix)])
    nva.start_dataplane()
    nva.start_control()
    nva.wait_ready()
    back(peer, prefixes)
    report.equal("with both again", list(prefixes), [prefix for prefix in prefixes if peer.has(prefix)])
    report.equal("packets at the Internet that no firewall sent", 0, traffic.past_firewalls(lab))
