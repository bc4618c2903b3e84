# SPDX-License-Identifier: BSD-3-Clause
"""Captures and configurations, each made once a run, and route files, which outlive it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from throughput import configuration, tables, traffic
from throughput.cell import Cell


class Inputs:
    def __init__(self, folder: Path, kept: Path) -> None:
        """`kept`: for route files, of which the longest takes seconds to make."""
        self._folder = folder
        self._kept = kept

    @cached_property
    def full(self) -> list[tables.Prefix]:
        return tables.full()

    def capture(self, cell: Cell) -> Path:
        file = self._folder / f"{cell.traffic}-{cell.size}.pcap"
        if not file.exists():
            traffic.write(file, cell, self.full if cell.routed else None)
        return file

    def routes(self, table: str) -> Path | None:
        """nva is short enough to stand in the configuration."""
        if table == "nva":
            return None
        file = self._kept / f"{table}.txt"
        if not file.exists() or file.stat().st_mtime < tables.changed():
            self._kept.mkdir(parents=True, exist_ok=True)
            if table == "tags":
                tables.write_routes(file, tables.tags(), range(1, tables.NEXT_HOPS["tags"]))
            else:
                tables.write_routes(file, self.full, range(tables.NEXT_HOPS["full"]))
        return file

    def devices(self, cell: Cell) -> tuple[str, str]:
        return configuration.repeating(self.capture(cell))

    def config(self, cell: Cell) -> Path:
        file = self._folder / "sekisho.toml"
        file.write_text(configuration.text(cell.table, self.devices(cell), self.routes(cell.table)))
        return file
