# SPDX-License-Identifier: BSD-3-Clause
"""The route tables as text route files: what `nva`, `tags` and `full` hold.

nva    what an appliance of its own configuration has: the halves, private space, three VNets, KMS, Azure's own addresses
tags   the halves and every IPv4 prefix of every service tag that a route of Azure may name
full   the halves and a tier-1 router's 901,899 prefixes over 16 next hops
"""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterable
from pathlib import Path
from socket import inet_aton, inet_ntoa

Prefix = tuple[int, int]

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SEKISHO_DATA", ROOT.parent / "shared" / "data"))
# firewall-0 has the halves; of tags' prefixes the others have all.
NEXT_HOPS = {"nva": 1, "tags": 5, "full": 16}
FULL_SIZE, TAGS_SIZE = 901_899, 27_645


def changed() -> float:
    """When what the tables are made of was last another."""
    return max(file.stat().st_mtime for file in (Path(__file__), *DATA.glob("*/*.gz")))


def parse(text: str) -> Prefix:
    address, length = text.split("/")
    return int.from_bytes(inet_aton(address), "big"), int(length)


def next_hop_of(prefix: Prefix, count: int) -> int:
    """0..count-1 by a hash of the prefix (MurmurHash3's finaliser): neighbouring prefixes disagree, the hard case."""
    value = prefix[0] << 8 | prefix[1]
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = (value ^ value >> 33) * factor & 0xFFFFFFFFFFFFFFFF
    return (value ^ value >> 33) % count


def _generated_full() -> list[Prefix]:
    """Without the data: as many, with lengths as a tier-1 router has them, half of them within others."""
    lengths = range(8, 33)
    share = (
        2, 1, 4, 10, 30, 60, 130, 210, 1400, 880, 1500, 2700, 4600, 5100, 11500, 10400, 61370, 10, 10, 10, 10, 20, 10,
        3, 30,
    )  # fmt: skip
    source = random.Random(24)
    found: set[Prefix] = set()
    drawn: list[Prefix] = []
    while len(drawn) < FULL_SIZE:
        address = source.getrandbits(32)
        if drawn and source.random() < 0.5:
            parent, length = source.choice(drawn)
            address = parent | address & (0xFFFFFFFF >> length)
        length = source.choices(lengths, share)[0]
        address &= 0xFFFFFFFF << (32 - length) & 0xFFFFFFFF
        if address >> 24 in (0, 127) or address >> 24 >= 224 or (address, length) in found:
            continue
        found.add((address, length))
        drawn.append((address, length))
    return drawn


def full() -> list[Prefix]:
    file = DATA / "tables" / "bart-tier1-2023.v4.tsv.gz"
    if not file.exists():
        return _generated_full()
    with gzip.open(file, "rt") as lines:
        return [parse(line.split("\t")[0]) for line in lines if line.strip() and not line.startswith("#")]


def tags() -> list[Prefix]:
    files = sorted((DATA / "azure").glob("ServiceTags_Public_*.json.gz"))
    if not files:
        inside = (prefix[0] for prefix in full() if prefix[1] == 24)
        longer = [(address | host, length) for address in inside for host, length in ((4, 32), (32, 29), (128, 27))]
        return longer[:TAGS_SIZE]
    with gzip.open(files[-1], "rt") as text:
        values = json.load(text)["values"]
    # A tag without UDR among its features cannot stand in a route.
    named = [value["properties"] for value in values if "UDR" in (value["properties"].get("networkFeatures") or [])]
    networks = {text for tag in named for text in tag["addressPrefixes"] if ":" not in text}
    return sorted(parse(text) for text in networks)


def write_routes(file: Path, prefixes: Iterable[Prefix], next_hops: range) -> None:
    with file.open("w") as out:
        for prefix in prefixes:
            number = next_hops[next_hop_of(prefix, len(next_hops))]
            address, length = prefix
            out.write(f"{inet_ntoa(address.to_bytes(4, 'big'))}/{length} firewall-{number}\n")
