# SPDX-License-Identifier: BSD-3-Clause
"""The shipped example configuration, made for exactly this lab, and changes to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from lab.appliance import ROOT
from lab.topology import FIREWALL, FIREWALL2, Lab


def example(lab: Lab) -> Path:
    """A copy of examples/ in the run's folder."""
    folder = lab.folder / "config"
    shutil.copytree(ROOT / "examples", folder, dirs_exist_ok=True)
    return folder / "halves.toml"


def adapted(lab: Lab, *edits: tuple[str, str]) -> Path:
    """The example with pieces of text replaced and without overrides."""
    file = example(lab)
    text = file.read_text()
    for old, new in edits:
        assert old in text, f"examples/halves.toml has no {old!r}"
        text = text.replace(old, new, 1)
    file.write_text(text)
    overrides(file, [])
    return file


def with_two_firewalls(lab: Lab) -> Path:
    """The example, with the second firewall beside the first."""
    return adapted(lab, (f'members = ["{FIREWALL}"]', f'members = ["{FIREWALL}", "{FIREWALL2}"]'))


def learning(lab: Lab, bgp: str) -> Path:
    """On-premises has its prefixes from BGP besides the configured ones; a VNet and what comes back find them."""
    zone = 'sources  = ["172.16.0.0/12"]\ninternet = true\n'
    to_onprem = '{ prefix = "172.16.0.0/12", next_hop = "onprem-gateway" }'
    file = adapted(
        lab,
        (zone, zone.replace('"]', '", "bgp"]', 1)),
        (f"routes   = [\n  {to_onprem}", f'routes   = [\n  "bgp",\n  {to_onprem}'),
        (f"routes  = [\n  {to_onprem}", f'routes  = [\n  "bgp",\n  {to_onprem}'),
    )
    file.write_text(file.read_text() + f"\n[bgp]\n{bgp}\n")
    return file


def overrides(config: Path, lines: Iterable[str]) -> None:
    """Replaces overrides.txt as an operator's tool would: whole or not at all."""
    new = config.with_name("overrides.txt.new")
    new.write_text("".join(f"{line}\n" for line in lines))
    new.rename(config.with_name("overrides.txt"))


def many_routes(next_hop: str, count: int = 100_000) -> list[str]:
    """Prefixes of several lengths in 96.0.0.0/5, which nothing in the lab uses."""
    lines = []
    address = 96 << 24
    for number in range(count):
        length = (24, 24, 24, 23, 22, 28)[number % 6]
        size = 1 << (32 - length)
        address = (address + size - 1) // size * size
        dotted = ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))
        lines.append(f"{dotted}/{length} {next_hop}")
        address += size
    return lines
