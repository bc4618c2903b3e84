# SPDX-License-Identifier: BSD-3-Clause
"""Runs the fabric, inside its namespace: answers ARP, watches the route servers, probes what load balancers send to, and programs
each subnet's table when any of that or the plan has changed.

usage: python -m lab.azure.agent PLAN EFFECTIVE     writes to EFFECTIVE what it has programmed
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

from lab.azure import kernel
from lab.azure.arp import Answerer
from lab.azure.plan import Plan
from lab.azure.probe import Prober
from lab.azure.speaker import chosen

POLL = 0.5  # a route server may change its mind without its kernel hearing of it
GATHER = 0.02  # changes come in bursts


class Agent:
    def __init__(self, plan_file: Path, effective_file: Path) -> None:
        self.plan_file = plan_file
        self.effective_file = effective_file
        self.plan = Plan.read(plan_file)
        self.stamp = plan_file.stat().st_mtime_ns
        self.programmed: set[str] = set()
        self.learned: dict[str, dict[str, set[str]]] = {}
        self.monitors: dict[str, subprocess.Popen[bytes]] = {}
        self.changed = threading.Event()
        self.prober = Prober(self.changed.set)

    # --- watching -------------------------------------------------------------------------------------------

    def reread(self) -> bool:
        stamp = self.plan_file.stat().st_mtime_ns
        if stamp == self.stamp:
            return False
        self.plan, self.stamp = Plan.read(self.plan_file), stamp
        return True

    def listen(self) -> None:
        """To the kernels of the route servers, whose zebra tells them what it chose."""
        for servers in self.plan.route_servers.values():
            for name in servers:
                if name not in self.monitors:
                    self.monitors[name] = subprocess.Popen(
                        ["ip", "-n", name, "monitor", "route"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
                    )

    def learn(self) -> None:
        """Of both route servers together: a gateway or an appliance may be heard by one alone."""
        self.learned = {}
        heard = {name: chosen(name) for name in self.monitors}
        for vnet, servers in self.plan.route_servers.items():
            table = self.learned.setdefault(vnet, {})
            for name in servers:
                for prefix, hops in heard[name].items():
                    table.setdefault(prefix, set()).update(hops)
        for vnet, static in self.plan.static.items():
            table = self.learned.setdefault(vnet, {})
            for prefix, next_hops in static.items():
                table.setdefault(prefix, set()).update(next_hops)

    # --- programming ----------------------------------------------------------------------------------------

    def program(self) -> None:
        plan, healthy = self.plan, self.prober.healthy()
        found = {name: kernel.routes_of(plan, subnet, self.learned) for name, subnet in plan.subnets.items()}
        wanted = kernel.delivered(plan)
        for name, subnet in plan.subnets.items():
            wanted |= kernel.lines(plan, subnet, found[name], healthy)
        self.apply(wanted)
        subnets = {name: [str(item) for item in items] for name, items in found.items()}
        said = {"generation": plan.generation, "subnets": subnets}
        new = self.effective_file.with_suffix(".new")
        new.write_text(json.dumps(said, indent=1))
        new.rename(self.effective_file)

    def apply(self, wanted: set[str]) -> None:
        """Whatever a prefix led to, there is no moment at which it leads nowhere."""
        keys = {_key(line) for line in wanted}
        batch = [f"route replace {line}" for line in sorted(wanted - self.programmed)]
        batch += [f"route del {_key(line)}" for line in sorted(self.programmed - wanted) if _key(line) not in keys]
        if batch:
            subprocess.run(["ip", "-batch", "-"], input="\n".join(batch) + "\n", text=True, check=True)
        self.programmed = wanted

    def run(self) -> None:
        arp = Answerer()
        self.prober.follow(self.plan.balancers)
        threading.Thread(target=self._answer, args=(arp,), daemon=True).start()
        self.listen()
        self.learn()
        self.program()
        print("ready", flush=True)
        learned_at = time.monotonic()
        while True:
            outputs = [monitor.stdout for monitor in self.monitors.values() if monitor.stdout]
            ready, _, _ = select.select(outputs, [], [], 0.05)
            if ready:
                time.sleep(GATHER)
                for output in ready:
                    output.read1(1 << 20)
            new_plan = self.reread()
            if new_plan:
                self.prober.follow(self.plan.balancers)
                self.listen()
            due = ready or new_plan or time.monotonic() - learned_at > POLL
            if due:
                before = self.learned
                self.learn()
                learned_at = time.monotonic()
                due = new_plan or self.learned != before
            if self.changed.is_set() or due:
                self.changed.clear()
                self.program()

    @staticmethod
    def _answer(arp: Answerer) -> None:
        while True:
            arp.answer()


def _key(line: str) -> str:
    """Table and prefix of a route, by which it is deleted."""
    words = line.split()
    table = words[words.index("table") + 1]
    kind = [words[0]] if words[0] in ("throw", "blackhole") else []
    return " ".join([words[len(kind)], "table", table])


if __name__ == "__main__":
    Agent(Path(sys.argv[1]), Path(sys.argv[2])).run()
