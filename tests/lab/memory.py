# SPDX-License-Identifier: BSD-3-Clause
"""What the kernel says of a process's memory, and whether it grows with what the process does."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lab.process import Process

# More than allocators keep for themselves from one time to the next. Of four looks it is the growth between the second and the third that
# has to be more: one of the soak's rounds, in whose three seconds the stream sends 15,000 packets. So a leak shows from 140 bytes a packet
# on. A smaller one is AddressSanitizer's to find.
ROOM_KIB = 2 << 10


def resident_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} has no memory: it has ended")


@dataclass
class Life:
    """Of one process: its resident memory, in KiB, each time that it was asked for. It goes up and down with what the process has to hold at
    that time; what grows is at its least, later, above the most that it was before.
    """

    process: Process
    room: int = ROOM_KIB
    seen: list[int] = field(default_factory=list)

    def look(self) -> None:
        self.seen.append(resident_kib(self.process.pid))

    @property
    def grown(self) -> int:
        half = len(self.seen) // 2
        return min(self.seen[half:]) - max(self.seen[:half]) if half else 0

    @property
    def is_flat(self) -> bool:
        return self.grown <= self.room

    def __str__(self) -> str:
        return f"{self.process.name} has {' '.join(f'{kib >> 10}' for kib in self.seen)} MB resident"
