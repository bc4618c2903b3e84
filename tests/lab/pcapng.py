# SPDX-License-Identifier: BSD-3-Clause
"""Reads pcapng by the letter of its draft: blocks, their options, and nothing that the writer did not write."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

SECTION, INTERFACE, STATISTICS, PACKET = 0x0A0D0D0A, 1, 5, 6
COMMENT, NAME, FLAGS, DROPPED = 1, 2, 2, 5


@dataclass
class Captured:
    port: str
    at: float
    data: bytes
    size: int
    outbound: bool
    comment: str


def blocks(content: bytes) -> Iterator[tuple[int, bytes]]:
    while content:
        kind, length = struct.unpack_from("<II", content)
        assert length % 4 == 0 and length <= len(content)
        assert struct.unpack_from("<I", content, length - 4) == (length,), "the length stands behind the block, too"
        yield kind, content[8 : length - 4]
        content = content[length:]


def options(body: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while body:
        code, length = struct.unpack_from("<HH", body)
        if code == 0:
            assert body == b"\0\0\0\0"
            break
        found[code] = body[4 : 4 + length]
        body = body[4 + (length + 3) // 4 * 4 :]
    return found


def packets(content: bytes) -> list[Captured]:
    ports: list[str] = []
    found: list[Captured] = []
    for number, (kind, body) in enumerate(blocks(content)):
        assert (kind == SECTION) == (number == 0)
        if kind == INTERFACE:
            assert struct.unpack_from("<H", body) == (1,), "Ethernet"
            ports.append(options(body[8:])[NAME].decode())
        elif kind == PACKET:
            interface, high, low, kept, size = struct.unpack_from("<IIIII", body)
            said = options(body[20 + (kept + 3) // 4 * 4 :])
            outbound = struct.unpack("<I", said[FLAGS])[0] & 3 == 2
            at = (high << 32 | low) / 1e9
            comment = said.get(COMMENT, b"").decode()
            found.append(Captured(ports[interface], at, body[20 : 20 + kept], size, outbound, comment))
    return found


def lost(content: bytes) -> int:
    return sum(
        int.from_bytes(options(body[12:])[DROPPED], "little") for kind, body in blocks(content) if kind == STATISTICS
    )
