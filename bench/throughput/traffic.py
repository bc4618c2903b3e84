# SPDX-License-Identifier: BSD-3-Clause
"""Captures for net_pcap to repeat: valid UDP datagrams from on-premises, a flow each, in random order."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from throughput.cell import Cell
from throughput.tables import Prefix

STATION = bytes.fromhex("027063617000")  # of a process's first net_pcap
GATEWAY = bytes.fromhex("020000000101")
SOURCES = (0xAC100000, 12)  # 172.16.0.0/12
ETHERNET, IPV4, UDP = 14, 20, 8
IMIX = (64,) * 7 + (576,) * 4 + (1500,)  # the simple IMIX: 7:4:1

# Not the Internet: special, private or shared address space.
NOT_PUBLIC = (
    (0x00000000, 8), (0x0A000000, 8), (0x64400000, 10), (0x7F000000, 8), (0xA9FE0000, 16), (0xAC100000, 12),
    (0xC0000000, 24), (0xC0000200, 24), (0xC0A80000, 16), (0xC6120000, 15), (0xC6336400, 24), (0xCB007100, 24),
    (0xE0000000, 3),
)  # fmt: skip


def is_public(address: int) -> bool:
    return not any(address >> (32 - length) == prefix >> (32 - length) for prefix, length in NOT_PUBLIC)


def _inside(prefix: Prefix, source: random.Random) -> int:
    return prefix[0] | source.getrandbits(32) & (0xFFFFFFFF >> prefix[1])


def destinations(source: random.Random, prefixes: Sequence[Prefix] | None) -> Iterator[int]:
    """Public addresses: any, or within prefixes of which each is as likely as another."""
    while True:
        address = source.getrandbits(32) if prefixes is None else _inside(source.choice(prefixes), source)
        if is_public(address):
            yield address


def _checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(
    size: int, source: int, destination: int, source_port: int, destination_port: int, stamped: bool = False
) -> bytes:
    """`stamped`: the payload will change, so that the UDP checksum is zero, "none" (RFC 768)."""
    total = size - ETHERNET
    length = total - IPV4
    header = struct.pack("!BBHHHBBHII", 0x45, 0, total, 0, 0x4000, 64, 17, 0, source, destination)
    header = header[:10] + struct.pack("!H", _checksum(header)) + header[12:]
    pseudo = struct.pack("!IIHH", source, destination, 17, length)
    ports = struct.pack("!HHH", source_port, destination_port, length)
    # The payload is zeros, which a sum does not see. A sum of zero is sent as all ones (RFC 768).
    udp = ports + struct.pack("!H", 0 if stamped else _checksum(pseudo + ports) or 0xFFFF)
    return STATION + GATEWAY + b"\x08\x00" + header + udp + bytes(length - UDP)


def write(file: Path, cell: Cell, prefixes: Sequence[Prefix] | None, stamped: bool = False) -> None:
    source = random.Random(f"{cell.traffic}/{cell.size}")
    targets = destinations(source, prefixes)
    with file.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for _ in range(cell.flows):
            size = source.choice(IMIX) if cell.size == "imix" else int(cell.size)
            data = frame(
                size, _inside(SOURCES, source), next(targets), source.randrange(1024, 65536), 443, stamped
            )  # fmt: skip
            out.write(struct.pack("<IIII", 0, 0, len(data), len(data)) + data)
