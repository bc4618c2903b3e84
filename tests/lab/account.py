# SPDX-License-Identifier: BSD-3-Clause
"""Where packets went, by the appliance's own counters: taken before and after, and compared exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.appliance import Appliance
from lab.process import WaitTimeout, wait_until
from lab.topology import Lab

# What the kernel of the appliance says for itself (ARP, its own pings) is in no packet's account.
KERNELS_OWN = {"passed_arp", "passed_local", "passed_broadcast"}


@dataclass
class Snapshot:
    """ICMP errors are apart from everything else ("lan.icmp.time_exceeded"): they are not among what is generated and sent.

    Packets: what steering did ("lan.steer.redirected"), drops ("lan.drop.null_route"), and by port rx, what the appliance's
    kernel generated, tx, host, missed."""

    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def take(cls, appliance: Appliance) -> Snapshot:
        counts: Counter[str] = Counter()
        for port in appliance.stats()["ports"]:
            name = port["name"]
            for way in ("rx", "generated", "tx", "host", "missed"):
                counts[f"{name}.{way}"] = port[way]
            for error, packets in port["icmp"].items():
                counts[f"{name}.icmp.{error}"] = packets
                counts[f"{name}.generated"] -= packets
                counts[f"{name}.tx"] -= packets
            for verdict, packets in port["steer"].items():
                counts[f"{name}.steer.{verdict}"] = packets
        for drop in appliance.json("show", "drops"):
            if drop["by"] == "dataplane":
                counts[f"{drop['port']}.drop.{drop['reason']}"] = drop["packets"]
        return cls(counts)

    def since(self, before: Snapshot) -> dict[str, int]:
        """What changed, without the kernel's own conversations and ICMP errors."""
        names = self.counts.keys() | before.counts.keys()
        changes = {name: self.counts[name] - before.counts[name] for name in sorted(names)}
        return {
            name: n
            for name, n in changes.items()
            if n and name.rsplit(".", 1)[-1] not in KERNELS_OWN and ".icmp." not in name
        }

    def errors_since(self, before: Snapshot) -> dict[str, int]:
        """ICMP errors, by port and kind."""
        names = {name for name in self.counts if ".icmp." in name}
        return {name: n for name in sorted(names) if (n := self.counts[name] - before.counts[name])}


class Account:
    """Takes a snapshot on entry; `expect` waits until the changes are what they have to be, and shows them if not."""

    def __init__(self, appliance: Appliance) -> None:
        self.appliance = appliance
        self.before = Snapshot.take(appliance)

    def changes(self) -> dict[str, int]:
        return Snapshot.take(self.appliance).since(self.before)

    def expect(self, expected: Mapping[str, int], timeout: float = 20) -> None:
        wanted = {name: count for name, count in expected.items() if count}
        try:
            wait_until("the counters", lambda: self.changes() == wanted, timeout)
        except WaitTimeout:
            assert self.changes() == wanted

    def errors(self) -> dict[str, int]:
        """ICMP errors, by port and kind: {"lan.icmp.time_exceeded": 1}."""
        return Snapshot.take(self.appliance).errors_since(self.before)

    def said(self, expected: Mapping[str, int], timeout: float = 20) -> None:
        """So many ICMP errors, and no others."""
        wait_until(f"the ICMP errors {expected}", lambda: self.errors() == dict(expected), timeout)

    def dropped(self, port: str, reason: str, packets: int) -> None:
        """Exactly so many came in by `port` and died there for `reason`; nothing else happened."""
        self.expect(
            {f"{port}.steer.redirected": packets, f"{port}.rx": packets, f"{port}.drop.{reason}": packets}
        )

    def steered(self, port: str, verdict: str, packets: int) -> None:
        self.expect({f"{port}.steer.{verdict}": packets})

    def forwarded(self, ingress: str, egress: str, packets: int) -> None:
        self.expect(
            {f"{ingress}.steer.redirected": packets, f"{ingress}.rx": packets, f"{egress}.tx": packets}
        )


@dataclass(frozen=True)
class Line:
    what: str
    left: int
    right: int

    @property
    def holds(self) -> bool:
        return self.left == self.right

    def __str__(self) -> str:
        return f"{self.what}: {self.left} {'=' if self.holds else '!='} {self.right}"


class Audit:
    """Every packet accounted for: the appliance's books in themselves, and against what the kernel counted.

    The kernel's counters of an interface are older than steering's, so what is compared is what was added since the audit
    began. Steering counts on while dataplanes die, stop and come back. No traffic may run at either moment.
    """

    def __init__(self, lab: Lab, appliance: Appliance) -> None:
        self.lab = lab
        self.appliance = appliance
        self.before = wait_until("books that stand still", self._both)

    def _kernel(self) -> dict[str, int]:
        """Frames that each port's interface received, by the kernel."""
        devices = {
            name: port["device"].removeprefix("af_xdp:") for name, port in self.appliance.ports().items()
        }
        return {name: self.lab.interface("nva", device)["rx_packets"] for name, device in devices.items()}

    def _both(self) -> tuple[dict[str, int], dict[str, Any]] | None:
        """Both at one moment: an ARP request between the two readings would be in one of them only."""
        kernel, stats = self._kernel(), self.appliance.stats()
        return (
            (kernel, stats)
            if kernel == self._kernel() and stats["ports"] == self.appliance.stats()["ports"]
            else None
        )

    def lines(self) -> list[Line]:
        kernel, stats = wait_until("books that stand still", self._both)
        kernel_before, stats_before = self.before
        ports_before = {port["name"]: port for port in stats_before["ports"]}
        lines = []
        for port in stats["ports"]:
            name = port["name"]
            steer = sum(port["steer"].values())
            received = kernel[name] - kernel_before[name]
            steer -= sum(ports_before[name]["steer"].values())
            lines.append(Line(f"{name}: the interface received = steering saw", received, steer))
            redirected = port["steer"]["redirected"] - port["steer_before"]  # to this dataplane's sockets
            taken = port["rx"] + port["missed"]
            lines.append(Line(f"{name}: steering redirected = workers received + no room", redirected, taken))
        total = stats["total"]
        went = sum(total[key] for key in ("tx", "host", "held", "waiting", "drops"))
        lines.append(
            Line(
                "all ports: received + from the host = sent + to the host + held + waiting + dropped by name",
                total["rx"] + total["generated"],
                went,
            )
        )
        return lines
