# SPDX-License-Identifier: BSD-3-Clause
"""Who forwards, each in a namespace of its own between two veth pairs, whose other ends are all in `outside`.

    outside: ENGINE-lan --- lan0 10.0.1.4 [engine] 10.0.2.4 egress0 --- ENGINE-egress: outside

`wire` forwards nothing: wire-lan's other end is in `outside` too and counts. It says what sending and counting cost by themselves.
"""

from __future__ import annotations

import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kernel import policy
from kernel.policy import EGRESS, LAN
from lab.namespace import Namespace
from lab.process import run
from loss_free.search import Trial
from throughput import configuration, traffic
from throughput.cell import Cell
from throughput.engine import BenchError
from throughput.inputs import Inputs
from throughput.machine import MAIN_CPU, free_hugepage_mb
from throughput.sekisho import Sekisho
from throughput.workspace import Workspace

SIZE = "60"
MEMORY_MB = 128
MOST_LATE = 0.01  # share of the packets that the generator may have left out
STATION_MAC = ":".join(f"{byte:02x}" for byte in traffic.STATION)


@dataclass(frozen=True)
class Answer:
    offered: int
    seconds: float
    stations: dict[int, int]  # frames forwarded, by the last byte of the MAC address that they went to
    untouched: int

    @property
    def received(self) -> int:
        return self.untouched + sum(self.stations.values())


class Engine(ABC):
    name: str

    @abstractmethod
    def resume(self) -> None:
        ...

    @abstractmethod
    def pause(self) -> None:
        ...


class Passive(Engine):
    """The kernel's own: it does nothing while nothing comes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def resume(self) -> None:
        ...

    def pause(self) -> None:
        ...


class Product(Engine):
    name = "sekisho"

    def __init__(self, sekisho: Sekisho) -> None:
        self.sekisho = sekisho

    def resume(self) -> None:
        self.sekisho.resume()

    def pause(self) -> None:
        self.sekisho.pause()


class Field:
    """All engines, the product paused, and the generator."""

    def __init__(self, workspace: Workspace, inputs: Inputs, build: Path, table: str) -> None:
        self.table = table
        self._workspace = workspace
        self._outside = Namespace(f"{workspace.prefix}-outside")
        self._outside.create()
        self._outers: list[str] = []
        routes = inputs.routes(table)
        spaces = {name: Namespace(f"{workspace.prefix}-{name}") for name in ("linux", "xdp-fib")}
        for space in spaces.values():
            space.create()
        spaces["sekisho"] = Namespace(f"{workspace.prefix}-nva")  # the workspace's own
        for name, space in spaces.items():
            self._cable(name, space)
        self._outside.ip("link", "add", "wire-lan", "up", "type", "veth", "peer", "name", "wire-egress")
        self._outside.ip("link", "set", "wire-egress", "up")
        for name in ("linux", "xdp-fib"):
            self._configure(spaces[name], routes)
        spaces["linux"].nft(policy.RULES)
        # NAPI, as every NIC's driver has it; frames from XDP enter by nothing else.
        spaces["linux"].run("ethtool", "-K", LAN, "gro", "on")
        program = build / "bench" / "fib.bpf.o"
        for port in (LAN, EGRESS):
            spaces["xdp-fib"].ip("link", "set", "dev", port, "xdpdrv", "object", str(program), "section", "xdp")
        config = workspace.folder / "sekisho.toml"
        config.write_text(policy.sekisho_text(table, routes))
        huge = free_hugepage_mb() >= 2 * MEMORY_MB
        self.sekisho = Sekisho(workspace, build, config, MEMORY_MB, huge, driven=False)
        self.engines: list[Engine] = [Product(self.sekisho), Passive("linux"), Passive("xdp-fib")]
        self.wire = Passive("wire")
        self._generate(build, inputs, [*spaces, "wire"])
        # As everything that is measured: what a busy machine does beside waits.
        self.pids = [self._process.pid, *self.sekisho.processes]
        for task in Path(f"/proc/{self.sekisho.processes[0]}/task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(task.name), -20)
        self._check()
        self.sekisho.pause()

    def _cable(self, name: str, space: Namespace) -> None:
        for port, address, mac in (
            (LAN, "10.0.1.4/24", STATION_MAC), (EGRESS, "10.0.2.4/24", "02:00:00:00:02:04")
        ):  # fmt: skip
            outer = f"{name}-{port[:-1]}"
            self._outside.ip(
                "link", "add", outer, "type", "veth", "peer", "name", port, "address", mac, "netns", space.name
            )
            self._outers.append(outer)
            self._outside.ip("link", "set", outer, "up")
            space.ip("address", "add", address, "dev", port)
            space.ip("link", "set", port, "up")
        for port, address, mac in policy.stations(self.table):
            space.ip("neighbour", "replace", address, "lladdr", mac, "dev", port, "nud", "permanent")

    def _configure(self, space: Namespace, routes: Path | None) -> None:
        for key, value in (("ip_forward", 1), ("fib_multipath_hash_policy", 1), ("conf.all.rp_filter", 0)):
            space.sysctl(f"net.ipv4.{key}", value)
        for port in (LAN, EGRESS):
            space.sysctl(f"net.ipv4.conf.{port}.rp_filter", 0)
        batch = self._workspace.folder / "ip.batch"
        batch.write_text("".join(f"{line}\n" for line in policy.ip_batch(self.table, routes)))
        run("ip", "-n", space.name, "-batch", batch)

    def _generate(self, build: Path, inputs: Inputs, names: Sequence[str]) -> None:
        command = self._outside.command(
            *("nice", "-n", "-20"),
            build / "bench" / "kernel_traffic",
            "--object", build / "bench" / "traffic.bpf.o",
            "--capture", inputs.capture(Cell(self.table, 4096, False, SIZE)),
            *(word for name in names for word in ("--sink", f"{name}-egress")),
        )  # fmt: skip
        self._process = self._workspace.spawn("traffic", *command, cpus=[MAIN_CPU], pipe=True, drained=False)
        self._read()

    def send(self, engine: Engine, rate: float, seconds: float) -> Answer:
        """`rate`: packets a second; 0: as many as go."""
        stdin = self._process.child.stdin
        assert stdin is not None
        question = {"target": f"{engine.name}-lan", "rate": int(rate), "seconds": seconds}
        stdin.write(json.dumps(question).encode() + b"\n")
        stdin.flush()
        said = self._read()
        stations = {int(station): count for station, count in said["stations"].items()}
        return Answer(said["offered"], said["seconds"], stations, said["untouched"])

    def trial(self, engine: Engine, rate: float, seconds: float) -> Trial:
        answer = self.send(engine, rate, seconds)
        limited = answer.offered < (1 - MOST_LATE) * rate * answer.seconds
        return Trial(answer.offered, answer.received, answer.seconds, limited)

    def _read(self) -> dict:  # type: ignore[type-arg]
        stdout = self._process.child.stdout
        assert stdout is not None
        line = stdout.readline()
        if not line:
            raise BenchError(f"the generator ended:\n{self._process.output()[-2000:]}")
        found = json.loads(line)
        assert isinstance(found, dict)
        return found

    def _check(self) -> None:
        """That each forwards with what it was told: everything arrives rewritten, and each firewall gets a share of it."""
        firewalls = {int(address.rsplit(".")[-1]) for pair in configuration.members(self.table) for address in pair}
        for engine in self.engines:
            deadline = time.monotonic() + 20
            while True:  # the product's ports may not have been admitted yet
                answer = self.send(engine, 50_000, 0.3)
                carried = {station for station, count in answer.stations.items() if count > answer.offered / 1000}
                if (
                    answer.received == answer.offered
                    and not answer.untouched
                    and carried <= firewalls
                    and len(carried) > 1
                ):
                    break
                if time.monotonic() > deadline:
                    raise BenchError(f"{engine.name} does not forward as it should: {answer}")
        wire = self.send(self.wire, 50_000, 0.3)
        if wire.untouched != wire.offered:
            raise BenchError(f"the wire loses packets: {wire}")

    def close(self) -> None:
        self._workspace.end_all()
        # A namespace's own devices go when the kernel finds the time; the next field's have the same names.
        for outer in (*self._outers, "wire-lan"):
            self._outside.ip("link", "delete", outer)
        for name in ("outside", "linux", "xdp-fib"):
            run("ip", "netns", "delete", f"{self._workspace.prefix}-{name}")
