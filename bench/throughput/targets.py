# SPDX-License-Identifier: BSD-3-Clause
"""What packets of 64 bytes have to reach, as a ratio to macswap."""

from __future__ import annotations

from throughput.run import Result

TARGETS = {"nva": 0.65, "tags": 0.60, "full": 0.60}
STRETCH = {"nva": 0.75}


def verdict(result: Result) -> str:
    table, ratio = result.cell.table, result.ratio().median
    if result.cell.size != "64":
        return ""
    if table in STRETCH and ratio >= STRETCH[table]:
        return f"stretch {STRETCH[table]:.2f} met"
    if ratio >= TARGETS[table]:
        return f"{TARGETS[table]:.2f} met"
    return f"{TARGETS[table]:.2f} MISSED by {1 - ratio / TARGETS[table]:.0%}"
