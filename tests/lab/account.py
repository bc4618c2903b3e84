"""Where packets went, by the appliance's own counters: taken before and after, and compared exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.appliance import Appliance
from lab.process import WaitTimeout, wait_until

# What the kernel of the appliance says for itself (ARP, its own pings) is in no packet's account.
KERNELS_OWN = {"passed_arp", "passed_local", "passed_broadcast"}


@dataclass
class Snapshot:
    """Packets: what steering did ("lan.steer.redirected"), drops ("lan.drop.null_route"), rx, tx, host, missed by port."""

    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def take(cls, appliance: Appliance) -> Snapshot:
        counts: Counter[str] = Counter()
        for port in appliance.stats()["ports"]:
            name = port["name"]
            for way in ("rx", "tx", "host", "missed"):
                counts[f"{name}.{way}"] = port[way]
            for verdict, packets in port["steer"].items():
                counts[f"{name}.steer.{verdict}"] = packets
        for drop in appliance.json("show", "drops"):
            if drop["by"] == "dataplane":
                counts[f"{drop['port']}.drop.{drop['reason']}"] = drop["packets"]
        return cls(counts)

    def since(self, before: Snapshot) -> dict[str, int]:
        """What changed, without the kernel's own conversations."""
        names = self.counts.keys() | before.counts.keys()
        changes = {name: self.counts[name] - before.counts[name] for name in sorted(names)}
        return {name: n for name, n in changes.items() if n and name.rsplit(".", 1)[-1] not in KERNELS_OWN}


class Account:
    """Takes a snapshot on entry; `expect` waits until the changes are what they have to be, and shows them if not."""

    def __init__(self, appliance: Appliance) -> None:
        self.appliance = appliance
        self.before = Snapshot.take(appliance)

    def changes(self) -> dict[str, int]:
        return Snapshot.take(self.appliance).since(self.before)

    def expect(self, expected: Mapping[str, int], timeout: float = 5) -> None:
        wanted = {name: count for name, count in expected.items() if count}
        try:
            wait_until("the counters", lambda: self.changes() == wanted, timeout)
        except WaitTimeout:
            assert self.changes() == wanted

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


def audit(appliance: Appliance, kernel_rx: Mapping[str, int]) -> list[Line]:
    """Every packet accounted for: the dataplane's books in themselves, and against what the kernel counted as arrived.

    `kernel_rx`: frames that each port's interface received since the steering program runs.
    """
    stats = appliance.stats()
    total = stats["total"]
    lines = []
    for port in stats["ports"]:
        name, steer = port["name"], port["steer"]
        lines.append(Line(f"{name}: frames the kernel received = frames steering saw", kernel_rx[name], sum(steer.values())))
        taken = port["rx"] + port["missed"]
        lines.append(Line(f"{name}: redirected = received by workers + missed", steer["redirected"], taken))
    came = total["rx"] + total["steer_passed"] + total["steer_dropped"]
    went = sum(total[key] for key in ("tx", "host", "held", "drops", "steer_passed", "steer_dropped"))
    lines.append(Line("all ports: rx + steered = tx + host + held + drops by name + steered", came, went))
    return lines
