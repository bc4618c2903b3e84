# SPDX-License-Identifier: BSD-3-Clause
"""What is measured: a cell is a route table and the traffic that meets it."""

from __future__ import annotations

import re
from dataclasses import dataclass

TABLES = ("nva", "tags", "full")
FLOWS = (4096, 65536)
SIZES = ("64", "128", "256", "512", "1024", "1514", "imix")
ENGINES = ("sekisho", "testpmd-macswap", "testpmd-io")


@dataclass(frozen=True)
class Cell:
    table: str
    flows: int
    routed: bool  # destinations inside the full table's prefixes; else any public address
    size: str  # bytes of a frame without its FCS, as DPDK counts them, or "imix"

    @property
    def traffic(self) -> str:
        return f"{self.flows}-routed" if self.routed else str(self.flows)

    def name(self, engine: str) -> str:
        return f"forward/{engine}/{self.table}/{self.traffic}/{self.size}"


ALL = tuple(
    Cell(table, flows, routed, size)
    for table in TABLES
    for flows in FLOWS
    for routed in (False, True)
    for size in SIZES
)
QUICK = tuple(Cell(table, 4096, False, "64") for table in ("nva", "full"))
# The targets' own cells, and what longer frames change, which is not the table.
DEFAULT = tuple(cell for cell in ALL if cell.size == "64") + tuple(
    Cell("nva", 4096, False, size) for size in SIZES if size != "64"
)


def select(cells: tuple[Cell, ...], filters: list[str]) -> list[Cell]:
    """Those with a name that begins like one of the filters. An engine is never measured without the others."""
    return [
        cell
        for cell in cells
        if not filters or any(re.match(text, cell.name(engine)) for text in filters for engine in ENGINES)
    ]
