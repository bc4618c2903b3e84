# SPDX-License-Identifier: BSD-3-Clause
"""An appliance of a scenario: one of the configurations in examples/, with FRR beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from lab.appliance import ROOT, Appliance
from lab.azure.site import ROUTE_SERVERS, AzureLab
from lab.azure.speaker import APPLIANCE_ASN, ROUTE_SERVER_ASN, Neighbour, Speaker, configuration
from lab.process import wait_until
from lab.topology import STREAM

EXAMPLES = ROOT / "examples"


def tables(name: str) -> dict[str, Path]:
    """The route tables that an example comes with: each is that subnet's."""
    return {path.stem: path for path in sorted((EXAMPLES / name).glob("*.json"))}


class Nva(Appliance):
    """Starts both processes, then FRR from what the configuration says."""

    def __init__(self, lab: AzureLab, example: str, space: str = "nva", address: str = "10.0.1.4") -> None:
        folder = lab.folder / f"{space}-config"
        shutil.copytree(EXAMPLES / example, folder)
        self.azure = lab
        super().__init__(lab, folder / "sekisho.toml", space=space)
        self.address = address
        self.config.write_text(self.config.read_text().replace("10.0.1.4", address))
        self.speaker: Speaker | None = None
        lab.appliances.append(self)

    def replace(self, old: str, new: str) -> None:
        """A piece of the configuration, which has to be there; not reloaded yet."""
        text = self.config.read_text()
        assert old in text, f"the configuration has no {old!r}"
        self.config.write_text(text.replace(old, new, 1))

    def start_speaking(self, *networks: str, peers: Iterable[str] = ROUTE_SERVERS.values()) -> None:
        neighbours = [Neighbour(peer, ROUTE_SERVER_ASN, ("ebgp-multihop 8",), ("route-map learned in",)) for peer in peers]
        extra = "route-map learned permit 10\n set table 100\n"
        self.speaker = self.azure.add_frr(self.space, configuration(APPLIANCE_ASN, self.address, neighbours, networks, extra))
        self.speaker.start()

    def verdict(self) -> str:
        """`forwarding`, `degraded` or `closed`."""
        return str(self.json("show", "state")["verdict"])

    def wait_verdict(self, verdict: str, timeout: float = 20) -> None:
        wait_until(f"the verdict {verdict}", lambda: self.verdict() == verdict, timeout)

    def offences(self) -> list[str]:
        """The rules of `sekisho check` that its configuration breaks."""
        done = self.json("check", "--config", self.config)
        return sorted({finding["rule"] for finding in done.get("findings", ())})

    def leads_to(self, source: str, destination: str = STREAM, port: str = "lan") -> str:
        """The next hop of what a source sends."""
        return str(self.explain(source, destination, port)["next_hop"])

    def stats_of(self, port: str) -> dict[str, int]:
        return next(dict(entry) for entry in self.stats()["ports"] if entry["name"] == port)

    def dropped(self, port: str) -> dict[str, int]:
        """By reason, of the dataplane."""
        drops = self.json("show", "drops")
        return {drop["reason"]: drop["packets"] for drop in drops if drop["by"] == "dataplane" and drop["port"] == port}
