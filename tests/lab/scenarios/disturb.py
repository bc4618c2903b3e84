# SPDX-License-Identifier: BSD-3-Clause
"""What happens to a steady stream and to what is advertised when a part dies. Packets are counted; nothing here is timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from lab.azure.site import AzureLab
from lab.azure.speaker import Speaker
from lab.process import wait_until
from lab.report import Report
from lab.scenarios import traffic
from lab.scenarios.appliance import Nva
from lab.stream import Stream, StreamResult
from lab.topology import STREAM

RATE = 20_000
ENOUGH = RATE // 2
ATTEMPTS = 3


class Ride:
    """A stream that nothing may be lost of: each number that was sent comes, once. With `reached`, of what Azure's fabric gave to the
    appliances' NICs.

    A frame that finds no room in a port's socket, because the machine computes for others, is lost before the appliance has it. It is
    counted there, and a stream of which such frames are lost shows nothing: it is played again.
    """

    def __init__(self, lab: AzureLab, report: Report, nvas: Sequence[Nva], reached: bool = False) -> None:
        self.lab = lab
        self.report = report
        self.nvas = nvas
        self.reached = reached

    def _missed(self) -> int:
        return sum(int(nva.stats()["total"]["missed"]) for nva in self.nvas)

    def _given(self) -> int:
        return sum(self.lab.fabric.streamed_to(f"{nva.space}-lan0") for nva in self.nvas)

    def none_lost(self, what: str, play: Callable[[], StreamResult]) -> StreamResult:
        for attempt in range(ATTEMPTS):
            missed, given = self._missed(), self._given()
            result = play()
            missed, given = self._missed() - missed, self._given() - given
            lost = (given if self.reached else result.sent) - result.received
            if lost == 0 or missed == 0 or attempt + 1 == ATTEMPTS:
                break
            self.report.note(f"{result}: {missed} frames found no room in a port's socket; played again")
        seen = f"{given} came to the appliance, {lost} of them lost; {result}" if self.reached else str(result)
        self.report.check(what, "none lost, none twice", seen, lost == 0 and result.duplicated == 0)
        return result


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
        with none_arrives(lab, nva, report, "while no firewall forwards"):
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


@contextmanager
def none_arrives(lab: AzureLab, nva: Nva, report: Report, when: str) -> Iterator[None]:
    """What was under way has come; of what Azure sends to the appliance while this runs nothing does."""
    lab.settle()
    came, sent = lab.counters()["stream"], lab.fabric.streamed_to(f"{nva.space}-lan0")
    yield
    came, sent = lab.counters()["stream"] - came, lab.fabric.streamed_to(f"{nva.space}-lan0") - sent
    report.equal(f"packets of the stream at the Internet {when}, of {sent} that Azure sent to the appliance", 0, came)


def control_dies(lab: AzureLab, nva: Nva, report: Report, peer: Speaker, prefixes: Sequence[str]) -> None:
    report.step("Control is SIGKILLed and comes back: the dataplane goes on, so nothing is withdrawn")
    tables = nva.tables()

    def play() -> StreamResult:
        with Stream(lab, STREAM, rate=RATE, seconds=60) as stream:
            stream.wait_more(ENOUGH)
            nva.kill_control()
            stream.wait_more(2 * ENOUGH)
            kept = [prefix for prefix in prefixes if peer.has(prefix)]
            report.equal("on-premises still has, without control", list(prefixes), kept)
            nva.start_control()
            nva.wait_ready()
            wait_until("all routes", lambda: nva.tables() == tables)
            stream.wait_more(ENOUGH)
            stream.stop()
            return stream.finish()

    Ride(lab, report, [nva]).none_lost("the stream", play)
    report.equal("routes of each zone, as before", tables, nva.tables())
    report.equal("and with control again", list(prefixes), [prefix for prefix in prefixes if peer.has(prefix)])


def frr_dies(lab: AzureLab, nva: Nva, report: Report, peer: Speaker, prefixes: Sequence[str]) -> None:
    """The peers hear that the session is gone and send no more. What reaches the appliance all the same is forwarded: its dataplane
    needs no BGP, and what was learned is held."""
    report.step("FRR is killed and comes back")
    dropped = nva.dropped("lan")

    def play() -> StreamResult:
        with Stream(lab, STREAM, rate=RATE, seconds=60) as stream:
            stream.wait_more(ENOUGH)
            kill_frr(nva)
            gone(peer, prefixes)
            nva.speaker.start()
            back(peer, prefixes)
            stream.wait_more(ENOUGH)
            stream.stop()
            return stream.finish()

    result = Ride(lab, report, [nva], reached=True).none_lost("what Azure sent to the appliance", play)
    report.note(f"on-premises had no route for {result.gap_us / 1e6:.1f} s")
    report.equal("packets that reached the appliance and were dropped there", dropped, nva.dropped("lan"))


def kill_frr(nva: Nva) -> None:
    nva.speaker.kill_daemon("bgpd")
    nva.speaker.kill_daemon("zebra")


def frr_dies_gracefully(lab: AzureLab, nva: Nva, report: Report, peer: Speaker, prefixes: Sequence[str]) -> None:
    """With `graceful_restart` peers keep what they were told: they send on, and the dataplane forwards on."""
    report.step("The same with graceful_restart: the peers keep what they were told")
    text = nva.config.read_text()
    nva.replace("[bgp]\n", '[bgp]\ngraceful_restart = "60s"\n')
    nva.reload(force=True)
    nva.apply_bgp()
    # A peer is asked when a session begins.
    kill_frr(nva)
    gone(peer, prefixes)
    nva.speaker.start()
    traffic.reopen(lab, nva, peer, prefixes)

    def play() -> StreamResult:
        with Stream(lab, STREAM, rate=RATE, seconds=60) as stream:
            stream.wait_more(ENOUGH)
            kill_frr(nva)
            stream.wait_more(ENOUGH)
            report.equal("on-premises still has, without FRR", list(prefixes), [prefix for prefix in prefixes if peer.has(prefix)])
            nva.speaker.start()
            wait_until("the sessions", lambda: nva.established() == 2)
            wait_until("what is advertised", lambda: nva.bgp()["agrees"] and nva.bgp()["originated"])
            stream.wait_more(2 * ENOUGH)
            stream.stop()
            return stream.finish()

    result = Ride(lab, report, [nva]).none_lost("the stream", play)
    report.note(
        f"the longest silence of the stream: {result.gap_us / 1e3:.1f} ms, of which the sender's own {result.sender_gap_us / 1e3:.1f} ms"
    )
    report.equal("on-premises has", list(prefixes), [prefix for prefix in prefixes if peer.has(prefix)])
    nva.config.write_text(text)
    nva.reload(force=True)
    nva.apply_bgp()


def dataplane_dies(lab: AzureLab, nva: Nva, report: Report, peer: Speaker, prefixes: Sequence[str]) -> None:
    report.step("The dataplane is SIGKILLed: the default is withdrawn; restarted: advertised again")
    with Stream(lab, STREAM, rate=RATE, seconds=60) as stream:
        stream.wait_more(ENOUGH)
        nva.kill_dataplane()
        with none_arrives(lab, nva, report, "without a dataplane"):
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
