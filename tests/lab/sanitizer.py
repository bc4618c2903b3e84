# SPDX-License-Identifier: BSD-3-Clause
"""What a process prints that only a bug prints: a sanitizer's findings where the programs are built with one, an assertion that failed."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

from lab.appliance import BUILD
from lab.topology import Lab

FINDING = re.compile(
    rb"^.*(?:ERROR: (?:Address|Leak)Sanitizer|runtime error: |Assertion `.*' failed|terminate called |PANIC in ).*$",
    re.MULTILINE,
)
QUOTED = 3000  # bytes of what follows
# Its allocator keeps what is freed for a while, and the shadow of all that was ever used.
ROOM_KIB = 24 << 10
PROGRAM = BUILD / "dataplane" / "sekisho-dataplane"
OPTIONS = {
    # Little is kept of what was freed, so that memory that grows is a leak.
    "ASAN_OPTIONS": "detect_leaks=1:quarantine_size_mb=8:thread_local_quarantine_size_kb=64",
    "LSAN_OPTIONS": f"suppressions={Path(__file__).with_name('lsan.suppressions')}:print_suppressions=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


@cache
def is_built_in() -> bool:
    """Whether the dataplane is one of a build with AddressSanitizer."""
    return PROGRAM.exists() and b"__asan_init" in PROGRAM.read_bytes()


def set_options() -> None:
    """Of the processes to come; what the environment has goes before."""
    for name, value in OPTIONS.items():
        os.environ.setdefault(name, value)


class Findings:
    """In the logs of the lab's processes."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._read: dict[str, int] = {}

    def check(self) -> None:
        """Raises an AssertionError with the first finding that is new."""
        for log in sorted(self.lab.folder.glob("*.log")):
            data = log.read_bytes()
            begin = self._read.get(log.name, 0)
            found = FINDING.search(data, begin)
            # Each is quoted once; what it says takes more lines than one.
            self._read[log.name] = len(data)
            if found:
                raise AssertionError(
                    f"{log.name}: {data[found.start() : found.start() + QUOTED].decode(errors='replace')}"
                )
