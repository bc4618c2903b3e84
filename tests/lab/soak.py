# SPDX-License-Identifier: BSD-3-Clause
"""Random faults against a running appliance, in front of a kernel that would gladly forward, under a stream of numbered packets
transit of every kind that has to stop, and packets that it has to answer, to divide or to fill. After each round of faults everything
is put back, and then:

  nothing passed the firewall by, nothing with a spoofed source passed anything, no packet came twice,
  every packet is accounted for in the dataplane's books, and the appliance forwards again by itself;
  no process has said what only a bug says, and none that lives on has more memory than after the first rounds.

Faults: both processes killed, stopped and hung; interfaces renamed, swapped, detached, moved, with another MAC or MTU, flapped;
nftables flushed, steering, tc filter and forwarding settings tampered with; reloads that are good, bad and huge; garbage on both
sockets; neighbours flushed. Everything happens in network namespaces that are gone afterwards. Exit code 0 only when all holds.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from lab import sanitizer
from lab.account import Audit
from lab.faults import Fault, choose, empty_tables
from lab.matrix import Bench, Setting
from lab.memory import ROOM_KIB, Life
from lab.stream import Stream
from lab.topology import STREAM, Lab
from lab.transit import Seen, Transit
from lab.trouble import COUNTED, EGRESS_MTU

RATE = 5000
LONGEST = 120  # seconds of a round, of which most takes a few
# In the first rounds of so many both processes live on, and after each of these but one, with tables that were full once, their memory is
# measured.
STRETCH, CALM = 12, 5
REFUSED = "prohibited"


@dataclass
class Summary:
    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    transit: int = 0
    received: int = 0
    accounted: int = 0
    seen: Seen = field(default_factory=lambda: Seen(Counter()))
    answered: Counter[str] = field(default_factory=Counter)
    memory: list[str] = field(default_factory=list)
    duplicated: int = 0
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        faults = ", ".join(f"{count} {name}" for name, count in sorted(self.faults.items()))
        return [
            f"{self.rounds} rounds, {self.faults.total()} faults: {faults}",
            f"{self.transit} frames of transit garbage, {self.received} of the stream's packets received",
            "answered or divided: " + ", ".join(f"{count} {what}" for what, count in sorted(self.answered.items())),
            *self.memory,
            f"past the firewall: {self.seen.past}; spoofed: {self.seen.spoofed}; duplicated: {self.duplicated}",
            f"books: {self.accounted} lines balanced",
            *(f"WRONG {what}" for what in self.wrong),
        ]


class Soak:
    def __init__(self, lab: Lab, seed: int) -> None:
        self.lab = lab
        self.rng = random.Random(seed)
        self.summary = Summary()
        self.bench = Bench(lab, [("[zone.onprem]", f'[icmp]\nrefused_source = "{REFUSED}"\n\n[zone.onprem]')])
        self.bench.interfaces.mtus["egress"] = EGRESS_MTU
        self.bench.interfaces.dress("egress")
        self.bench.configure(Setting())
        self.findings = sanitizer.Findings(lab)
        self.lives: list[Life] = []
        self.stats: Counter[str] = Counter()
        self.audit = Audit(lab, self.bench.appliance)
        self.process = self.bench.appliance.dataplane
        self.odd = False  # steering missed something in this dataplane's life

    def round(self) -> bool:
        """Whether all of it held."""
        self.summary.rounds += 1
        calm = (self.summary.rounds - 1) % STRETCH < CALM
        faults = choose(self.rng, spare_processes=calm)
        what = f"round {self.summary.rounds} ({', '.join(fault.name for fault in faults)})"
        print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)
        self.summary.faults.update(fault.name for fault in faults)
        before, wrong = self.bench.watch.seen(), len(self.summary.wrong)
        try:
            if (self.summary.rounds - 1) % STRETCH == 0:
                empty_tables(self.bench, full_before=True)
            self._disturb(faults)
        except AssertionError as error:
            self.summary.wrong.append(f"{what}: {error}")
        seen = self.bench.watch.seen() - before
        self.summary.seen += seen
        if seen.past or seen.spoofed:
            self.summary.wrong.append(f"{what}: {seen}")
        for check in (lambda: self._account(faults), self._weigh, self.findings.check):
            try:
                check()
            except AssertionError as error:
                self.summary.wrong.append(f"{what}: {error}")
        for line in self.summary.wrong[wrong:]:
            print(f"         WRONG {line}", flush=True)
        return len(self.summary.wrong) == wrong

    def _disturb(self, faults: list[Fault]) -> None:
        transit = Transit(self.lab, troublesome=True)
        try:
            with Stream(self.lab, STREAM, rate=RATE, seconds=LONGEST) as stream:
                stream.wait_received(100)
                with transit:
                    for fault in faults:
                        fault.act(self.bench, self.rng)
                        transit.address(**self.bench.interfaces.macs)
                        time.sleep(self.rng.uniform(0, 0.4))
                    healed = self.bench.heal()
                if not healed:
                    raise AssertionError("it does not forward again by itself")
                stream.wait_received(stream.status()["received"] + 100)
                status = stream.status()
            self.summary.received += status["received"]
            self.summary.duplicated += status["duplicated"]
            if status["duplicated"]:
                raise AssertionError(f"{status['duplicated']} packets came twice")
        finally:
            self.summary.transit += transit.sent
            transit.close()

    def _account(self, faults: list[Fault]) -> None:
        """Steering's books go on while dataplanes die; those of workers are of the life that goes on."""
        if self.bench.setting is None:  # it did not heal: a new appliance
            self.bench.configure(Setting())
        sees_all = all(fault.sees_all for fault in faults)
        same = self.bench.appliance.dataplane is self.process
        lines = self.audit.lines()
        self._count(same)
        self.audit = Audit(self.lab, self.bench.appliance)
        for line in lines:
            # What an earlier interface's steering had counted, a new dataplane does not know.
            if "interface received" in line.what and not (sees_all and (same or not self.odd)):
                continue
            self.summary.accounted += line.holds
            if not line.holds:
                raise AssertionError(f"books: {line}")
        self.odd = (self.odd and same) or not sees_all
        self.process = self.bench.appliance.dataplane

    def _count(self, same: bool) -> None:
        """What was answered and divided since the round before; a new dataplane begins to count anew."""
        now: Counter[str] = Counter()
        for port in self.bench.appliance.stats()["ports"]:
            now.update(port["icmp"])
            now.update({name: port[name] for name in COUNTED})
        self.summary.answered += now - (self.stats if same else Counter())
        self.stats = now

    def _weigh(self) -> None:
        """In calm rounds only, each time with the same to hold."""
        at = (self.summary.rounds - 1) % STRETCH
        if at >= CALM:
            return
        empty_tables(self.bench, full_before=False)
        appliance = self.bench.appliance
        processes = [process for process in (appliance.dataplane, appliance.control) if process is not None]
        if at == 0:
            self.lives = []
        elif at == 1:
            self.lives = [
                Life(process, sanitizer.ROOM_KIB if sanitizer.is_built_in() else ROOM_KIB) for process in processes
            ]
        self.lives = [life for life in self.lives if life.process in processes]
        if at == CALM - 1 and not self.lives:
            raise AssertionError("no process has lived through the calm rounds, which are to spare both")
        for life in self.lives:
            life.look()
        if at == CALM - 1:
            self.summary.memory.extend(map(str, self.lives))
            grown = [str(life) for life in self.lives if not life.is_flat]
            if grown:
                raise AssertionError(f"memory grows: {'; '.join(grown)}")

    def end(self) -> None:
        """Both processes stop as they should: what they leak, a sanitizer says then."""
        try:
            self.bench.stop()
            self.findings.check()
        except AssertionError as error:
            self.summary.wrong.append(f"at the end: {error}")


def run(minutes: float, seed: int, least: int = 1) -> Summary:
    """`least`: rounds, however slow the machine is."""
    deadline = time.monotonic() + 60 * minutes
    with Lab() as lab:
        soak = Soak(lab, seed)
        while time.monotonic() < deadline or soak.summary.rounds < least:
            if not soak.round() and len(soak.summary.wrong) == 1:
                print(soak.bench.appliance.diagnosis(), flush=True)
        soak.end()
        return soak.summary


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # scripts/soak looks for the whole word
    )
    parser.add_argument("minutes", metavar="MINUTES", type=float, help="how long; half of one is about ten rounds")
    parser.add_argument("--seed", metavar="N", type=int, help="repeats the faults of another run (default: a new one)")
    parser.add_argument(
        "--sanitize",
        action="store_true",
        help="with programs of another build, under AddressSanitizer and UndefinedBehaviorSanitizer: slower, and it finds more",
    )
    options = parser.parse_args()
    if not 0 < options.minutes <= 7 * 24 * 60:
        parser.error("MINUTES is more than 0 and at most a week")
    if options.sanitize and not sanitizer.is_built_in():
        parser.error(f"--sanitize: {sanitizer.PROGRAM} is not built with AddressSanitizer; scripts/soak builds one")
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    sanitizer.set_options()
    print(f"seed {seed}", flush=True)
    try:
        summary = run(options.minutes, seed)
    except KeyboardInterrupt:
        return 130
    print(f"\nseed {seed}")
    print("\n".join(summary.lines()))
    print(f"{len(summary.wrong)} things went wrong." if summary.wrong else "All of it holds.")
    return 1 if summary.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
