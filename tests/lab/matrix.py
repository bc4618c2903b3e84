# SPDX-License-Identifier: BSD-3-Clause
"""One cell of the matrix: something happens to an interface, a lock or a process while transit comes in, and nothing passes.

A cell is a record; the bench is a lab with an appliance whose kernel would gladly forward. It stays for many cells: each puts
back what it did, and the appliance has to forward again.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allpairspy import AllPairs

from lab import config
from lab.appliance import Appliance
from lab.interfaces import Interfaces
from lab.process import Process, wait_until
from lab.topology import Lab
from lab.transit import Seen, Transit, Watch

FULL = os.environ.get("SEKISHO_FULL") == "1"
STATES = ("alive", "stopped", "killed", "hung")
GUARDS = ("kept", "flushed")
ROUNDS = 50
HEAL_SECONDS = 40
ANSWER_SECONDS = 75


@dataclass(frozen=True)
class Setting:
    """What an appliance runs with; changing it takes a restart."""

    exit: bool = True
    scope: str = "host"
    ip_forward: bool = True

    def __str__(self) -> str:
        return f"{'exit' if self.exit else 'no-exit'}-{self.scope}-ip_forward-{int(self.ip_forward)}"


@dataclass(frozen=True)
class Cell:
    """`why`: when this happens to somebody."""

    why: str
    act: str
    dataplane: str
    control: str
    guard: str
    setting: Setting

    def __str__(self) -> str:
        return f"{self.act}-{self.setting}-dataplane-{self.dataplane}-control-{self.control}-guard-{self.guard}"


@dataclass(frozen=True)
class Outcome:
    seen: Seen
    sent: int
    said: dict[str, int | None]  # exit codes; None: no answer in time
    healed: bool

    @property
    def passed(self) -> tuple[int, int]:
        """Past the firewall, and with a spoofed source."""
        return self.seen.past, self.seen.spoofed

    def lies(self, cell: Cell) -> list[str]:
        """Which commands found nothing wrong, or nothing to say, although something was."""
        open_hook = cell.guard == "flushed" and cell.control != "alive"
        broken = cell.dataplane != "alive" or cell.control != "alive"
        wrong = {"guard status": open_hook, "show state": broken, "doctor": broken or open_hook}
        return [command for command, code in self.said.items() if code is None or (wrong[command] and code == 0)]


def is_held(row: Sequence[Any]) -> bool:
    """Not when a NIC is made anew after nftables was flushed and before a living control has closed either, on a host that
    forwards for others: of four locks none has ever seen it, and conf.default.forwarding stays on there.
    """
    act, _, control, guard, _, scope = (*row, "", "", "", "", "", "")[:6]
    made_anew = act.startswith("recreate") and control not in ("", "alive") and guard == "flushed"
    return not (made_anew and scope == "ports")


def cells(acts: Mapping[str, str]) -> list[Cell]:
    """Every pair of values is in some cell; with SEKISHO_FULL=1 every combination is. Cells of one setting are neighbours."""
    values = [list(acts), STATES, STATES, GUARDS, (True, False), ("host", "ports"), (True, False)]
    chosen = filter(is_held, itertools.product(*values)) if FULL else AllPairs(values, filter_func=is_held)
    made = [Cell(acts[it[0]], *it[:4], Setting(*it[4:])) for it in map(tuple, chosen)]
    return sorted(made, key=lambda cell: str(cell.setting))


class Bench:
    """`more`: of the configuration, whatever the setting."""

    def __init__(self, lab: Lab, more: Sequence[tuple[str, str]] = ()) -> None:
        self.more = list(more)
        lab.add_management()
        self.lab = lab
        self.interfaces = Interfaces(lab)
        self.watch = Watch(lab)
        self.appliance = Appliance(lab, config.example(lab))
        self.setting: Setting | None = None

    # --- states ---------------------------------------------------------------------------------------------

    def configure(self, setting: Setting) -> None:
        if setting == self.setting:
            return
        self.stop()
        self.setting = None
        config.adapted(self.lab, *edits(setting), *self.more)
        self.interfaces.forward(setting.ip_forward)
        self.appliance.start()
        self.setting = setting

    def stop(self) -> None:
        """Nothing runs, nothing guards, nothing of ours is left."""
        self.resume()
        self.appliance.stop()
        self.interfaces.restore()
        self.appliance.execute("guard", "off")
        self.interfaces.xdp_off()
        self.interfaces.tc_off()
        self.lab.execute("nva", "ip", "rule", "flush", "protocol", "83")
        self.lab.execute("nva", "ip", "route", "flush", "table", "all", "proto", "83")

    def processes(self) -> list[Process]:
        both = (self.appliance.dataplane, self.appliance.control)
        return [process for process in both if process is not None and process in self.lab.processes]

    def resume(self) -> None:
        for process in self.processes():
            if process.running():
                process.send(signal.SIGCONT)

    def put(self, process: Process, state: str) -> None:
        if state == "stopped":
            process.stop()
        elif state == "killed":
            process.kill()
        elif state == "hung":
            process.send(signal.SIGSTOP)
        if state in ("stopped", "killed"):
            self.lab.forget(process)

    # --- a cell ---------------------------------------------------------------------------------------------

    def run(self, cell: Cell, act: Callable[[Interfaces], None], ask_all: bool = False) -> Outcome:
        self.configure(cell.setting)
        dataplane, control = self.appliance.dataplane, self.appliance.control
        assert dataplane is not None and control is not None
        self.put(dataplane, cell.dataplane)
        self.put(control, cell.control)
        before = self.watch.seen()
        transit = Transit(self.lab)
        try:
            with transit:
                act(self.interfaces)
                if cell.guard == "flushed":
                    self.lab["nva"].run("nft", "flush", "ruleset")
                transit.address(**self.interfaces.macs)
                # Who hangs is asked where that is the test: each such answer takes its deadline.
                said = self.said(everything=ask_all or "hung" not in (cell.dataplane, cell.control))
            self.deliver(transit)
            return Outcome(self.watch.seen() - before, transit.sent, said, self.heal())
        finally:
            transit.close()

    def boot(self, setting: Setting, act: Callable[[Interfaces], None], restart: bool = False) -> Outcome:
        """Something happened while nothing ran; the guard first, then the processes, under transit from the guard on. `restart`:
        only a restart heals it.
        """
        self.stop()
        self.setting = setting
        config.adapted(self.lab, *edits(setting), *self.more)
        self.interfaces.forward(setting.ip_forward)
        act(self.interfaces)
        self.appliance.execute("guard", "on", "--config", self.appliance.config)
        before = self.watch.seen()
        transit = Transit(self.lab, **self.interfaces.macs)
        try:
            with transit:
                self.appliance.start_dataplane()
                self.appliance.start_control()
                self.wait_answer()
                said = self.said()
            self.deliver(transit)
            seen = self.watch.seen() - before
            if restart:
                self.stop()
            return Outcome(seen, transit.sent, said, self.heal())
        finally:
            transit.close()

    def deliver(self, transit: Transit, rounds: int = ROUNDS) -> None:
        """Returns when the appliance's interfaces had them all and nothing is under way any more."""
        both = tuple(self.interfaces.names)
        before = wait_until("silence at the appliance", self._standing)
        expected = dict(zip(both, transit.send(rounds), strict=True))
        wait_until(
            "the appliance's interfaces to have all",
            lambda: all(self.interfaces.received(role) - before[role] >= expected[role] for role in both),
        )
        self.lab.settle()

    def _standing(self) -> dict[str, int] | None:
        before = {role: self.interfaces.received(role) for role in self.interfaces.names}
        time.sleep(0.02)
        after = {role: self.interfaces.received(role) for role in self.interfaces.names}
        return after if after == before else None

    def wait_answer(self) -> None:
        wait_until("control to answer", self.appliance.answers)

    def said(self, everything: bool = True) -> dict[str, int | None]:
        """Exit codes. What is asked is asked at once: who waits for a process that hangs waits for all of it together."""
        questions = {
            "guard status": ("guard", "status", "--config", self.appliance.config),
            "show state": ("show", "state"),
            "doctor": ("doctor", "--config", self.appliance.config),
        }

        def answer(words: tuple[str | Path, ...]) -> int | None:
            try:
                return self.appliance.execute(*words, timeout=ANSWER_SECONDS).returncode
            except subprocess.TimeoutExpired:
                return None

        with ThreadPoolExecutor() as pool:
            asked = list(questions) if everything else ["guard status"]
            return dict(zip(asked, pool.map(answer, (questions[name] for name in asked)), strict=True))

    def heal(self) -> bool:
        """Puts back what the cell did; whether the appliance then forwards by itself. If not, the next cell starts anew."""
        self.resume()
        self.interfaces.restore()
        assert self.setting is not None
        self.interfaces.forward(self.setting.ip_forward)
        running = self.processes()
        if self.appliance.dataplane not in running:
            self.appliance.start_dataplane()
        if self.appliance.control not in running:
            self.appliance.start_control()
        try:
            self.appliance.wait_ready(HEAL_SECONDS)
            return self.forwards()
        except AssertionError:
            self.setting = None
            return False

    def forwards(self) -> bool:
        transit = Transit(self.lab)
        before = self.watch.seen()

        def arrives() -> bool:
            transit.send(1)
            return (self.watch.seen() - before).through > 0

        try:
            return wait_until("a packet at the firewall", arrives, HEAL_SECONDS)
        finally:
            transit.close()


def edits(setting: Setting) -> list[tuple[str, str]]:
    changes = []
    if not setting.exit:
        kms = '  { preset = "kms", cloud = "public", next_hop = "Internet" },\n'
        changes += [('exit    = { port = "egress" }', ""), (kms, ""), (kms, "")]
    if setting.scope == "ports":
        changes.append(("[zone.onprem]", '[guard]\nscope = "ports"\nallow = ["mgmt0"]\n\n[zone.onprem]'))
    return changes
