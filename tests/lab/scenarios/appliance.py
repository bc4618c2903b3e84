# SPDX-License-Identifier: BSD-3-Clause
"""An appliance of a scenario: one of the configurations in examples/, and FRR beside it with what `sekisho bgp apply` writes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from lab.appliance import BUILD, ROOT, Appliance, Refused
from lab.azure.site import AzureLab
from lab.azure.speaker import Speaker
from lab.process import Process, wait_until, WaitTimeout
from lab.topology import STREAM

EXAMPLES = ROOT / "examples"


def tables(name: str) -> dict[str, Path]:
    """The route tables that an example comes with: each is that subnet's."""
    return {path.stem: path for path in sorted((EXAMPLES / name).glob("*.json"))}


class Nva(Appliance):
    """Both processes, FRR, and the watch that withdraws when control cannot."""

    def __init__(self, lab: AzureLab, example: str, space: str = "nva", address: str = "10.0.1.4") -> None:
        folder = lab.folder / f"{space}-config"
        shutil.copytree(EXAMPLES / example, folder)
        super().__init__(lab, folder / "sekisho.toml", space=space)
        self.address = address
        self.speaker = Speaker(lab, space, "")
        self.speaker.file.unlink()
        shutil.chown(self.speaker.file.parent, "frr", "frr")  # as Debian's /etc/frr
        self.config.write_text(self.config.read_text().replace("10.0.1.4", address))
        self.replace("[bgp]\n", f'[bgp]\nfrr  = "{self.speaker.name}"\n')
        self.watch: Process | None = None
        lab.appliances.append(self)

    def start(self, timeout: float = 40) -> None:
        super().start(timeout)
        self.apply_bgp("--file", str(self.speaker.file))  # FRR reads it when it starts
        self.speaker.start()
        self.start_watch()

    def apply_bgp(self, *options: str) -> None:
        done = self.execute("bgp", "apply", "--config", self.config, *options)
        if done.returncode != 0:
            raise Refused(f"sekisho bgp apply: {done.stderr}")

    def start_watch(self) -> None:
        self.watch = self.lab.spawn(
            self.space, f"{self.another}watch", BUILD / "control" / "sekisho", "--socket", self.socket,
            "bgp", "watch", "--config", self.config, "--dataplane-socket", self.dataplane_socket,
        )  # fmt: skip

    # --- configuring ----------------------------------------------------------------------------------------

    def replace(self, old: str, new: str) -> None:
        """A piece of the configuration, which has to be there; not reloaded yet."""
        text = self.config.read_text()
        assert old in text, f"the configuration has no {old!r}"
        self.config.write_text(text.replace(old, new, 1))

    def offences(self) -> list[str]:
        """The rules of `sekisho check` that its configuration breaks."""
        done = self.json("check", "--config", self.config)
        return sorted({finding["rule"] for finding in done.get("findings", ())})

    def tell_peers(self, more: str) -> None:
        """What each peer of the configuration has besides: `, prepend = 2`, say; nothing, as in the example."""
        text = self.config.read_text()
        self.config.write_text(re.sub(r'(preset = "azure-route-server")[^}]*}', rf"\1{more} }}", text))
        self.reload(force=True)
        self.apply_bgp()

    # --- looking --------------------------------------------------------------------------------------------

    def diagnosis(self) -> str:
        said = [self.execute(*words) for words in (("show", "state"), ("show", "bgp"))]
        return "\n".join([*(f"{done.stdout}{done.stderr}" for done in said), super().diagnosis()])

    def verdict(self) -> str:
        """`forwarding`, `degraded` or `closed`."""
        return str(self.json("show", "state")["verdict"])

    def wait_verdict(self, verdict: str, timeout: float = 30) -> None:
        try:
            wait_until(f"the verdict {verdict}", lambda: self.verdict() == verdict, timeout)
        except WaitTimeout as late:
            raise WaitTimeout(f"{late}; {self.json('show', 'state')['reasons']}") from None

    def leads_to(self, source: str, destination: str = STREAM, port: str = "lan") -> str:
        """The next hop of what a source sends."""
        return str(self.explain(source, destination, port)["dataplane"]["next_hop"])

    def stats_of(self, port: str) -> dict[str, int]:
        return next(dict(entry) for entry in self.stats()["ports"] if entry["name"] == port)

    def tables(self) -> dict[str, int]:
        """How many routes each zone's table has, by the dataplane's own word."""
        return {zone["name"]: zone["table"]["routes"] for zone in self.json("show", "zones")}

    def dropped(self, port: str) -> dict[str, int]:
        """By reason, of the dataplane."""
        drops = self.json("show", "drops")
        return {drop["reason"]: drop["packets"] for drop in drops if drop["by"] == "dataplane" and drop["port"] == port}

    def bgp(self) -> Any:
        return self.json("show", "bgp")

    def learned(self) -> dict[str, Any]:
        """By prefix."""
        return {route["prefix"]: route for route in self.json("show", "learned")["routes"]}

    def established(self) -> int:
        """BGP sessions, as FRR says."""
        return sum(session["established"] for session in self.bgp()["sessions"])

    def sites(self) -> list[str]:
        """Prefixes that are in force as sources."""
        return sorted(prefix for prefix, route in self.learned().items() if route["source_of"] and prefix.startswith("172."))

    def resident(self) -> int:
        """MiB of memory that control has."""
        assert self.control is not None
        status = Path(f"/proc/{self.control.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) // 1024
