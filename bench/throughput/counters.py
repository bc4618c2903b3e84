# SPDX-License-Identifier: BSD-3-Clause
"""Hardware events of a worker, where the machine lets us count them."""

from __future__ import annotations

import re

from lab.process import execute

EVENTS = ("cycles:u", "instructions:u", "cache-misses:u", "L1-dcache-load-misses:u", "dTLB-load-misses:u")
SECONDS = 0.5


def count(thread: int) -> dict[str, float]:
    """Events a second; without those that this machine does not count, as most virtual machines do not."""
    done = execute(
        "perf", "stat", "--field-separator", ",", "--event", ",".join(EVENTS), "--tid", str(thread), "--", "sleep",
        str(SECONDS),
    )  # fmt: skip
    found = {}
    for line in done.stderr.splitlines():
        words = line.split(",")
        if len(words) > 2 and re.fullmatch(r"\d+", words[0]):
            found[words[2].removesuffix(":u")] = int(words[0]) / SECONDS
    return found
