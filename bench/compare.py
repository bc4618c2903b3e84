# SPDX-License-Identifier: BSD-3-Clause
"""What a change did: two runs' JSON, benchmark by benchmark.

A figure of one machine says nothing beside that of another. Where a benchmark carries its ratio to a reference that was
measured in the same run, the ratios are compared, which outlives a busy hour; otherwise times are.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATIO = "ratio_to_"  # and the reference's name


class CompareError(RuntimeError):
    """Files that cannot be compared."""


@dataclass(frozen=True)
class Figure:
    """Less is better, but for a ratio."""

    value: float
    low: float
    high: float
    is_ratio: bool


@dataclass(frozen=True)
class Line:
    name: str
    before: Figure
    after: Figure

    @property
    def gain(self) -> float:
        """More than 1 is better."""
        if self.before.is_ratio:
            return self.after.value / self.before.value
        return self.before.value / self.after.value

    @property
    def verdict(self) -> str:
        """Quartiles that overlap are no difference that this many rounds can show."""
        if self.before.low <= self.after.high and self.after.low <= self.before.high:
            return "within quartiles"
        return "better" if self.gain > 1 else "WORSE"


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text())
        if not isinstance(found["benchmarks"], list):
            raise TypeError("benchmarks")
        return found
    except OSError as error:
        raise CompareError(f"{file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise CompareError(f"{file}: not what scripts/bench writes (JSON with a list of benchmarks)") from None


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def _figure(entries: Sequence[dict[str, Any]]) -> Figure | None:
    """Of one name's entries: one with its own quartiles, or Google Benchmark's repetitions."""
    first = entries[0]
    ratio = next((value for key, value in first.items() if key.startswith(RATIO)), None)
    if ratio is not None and {"ratio_q1", "ratio_q3"} <= first.keys():
        return Figure(ratio, first["ratio_q1"], first["ratio_q3"], True)
    values = [entry["real_time"] for entry in entries]
    low, high = _quartiles(values)
    if len(values) == 1:
        low, high = first.get("first_quartile", low), first.get("third_quartile", high)
        if {"items_per_second", "items_per_second_q1", "items_per_second_q3"} <= first.keys():
            scale = first["real_time"] * first["items_per_second"]
            low, high = (scale / first[f"items_per_second_{end}"] for end in ("q3", "q1"))
    value = statistics.median(values)
    return Figure(value, low, high, False) if value > 0 else None


def _figures(run: dict[str, Any]) -> dict[str, Figure]:
    entries: dict[str, list[dict[str, Any]]] = {}
    for entry in run["benchmarks"]:
        if entry.get("run_type", "iteration") == "iteration" and "real_time" in entry:
            entries.setdefault(entry["name"], []).append(entry)
    found = {name: _figure(of_name) for name, of_name in entries.items()}
    return {name: figure for name, figure in found.items() if figure}


def _cpu(run: dict[str, Any]) -> str:
    return str(run.get("context", {}).get("cpu", "unknown"))


def compare(before: Path, after: Path, other_machine: bool = False) -> tuple[list[Line], list[str]]:
    """Lines in the order of the first file, and the names that only one file has."""
    old, new = _read(before), _read(after)
    if _cpu(old) != _cpu(new) and not other_machine:
        raise CompareError(
            f"{before} was measured on {_cpu(old)}, {after} on {_cpu(new)}: their difference is the machines' "
            "(--other-machine compares all the same)"
        )
    olds, news = _figures(old), _figures(new)
    lines = [Line(name, old, news[name]) for name, old in olds.items() if name in news]
    alike = [line for line in lines if line.before.is_ratio == line.after.is_ratio]
    # Where some have a ratio, the others are what it is a ratio to: they tell how busy the machine was.
    alike = [line for line in alike if line.before.is_ratio] or alike
    if not alike:
        raise CompareError(f"{before} and {after} have no benchmark in common")
    return alike, sorted(olds.keys() ^ news.keys())


def table(lines: Iterable[Line], alone: Sequence[str]) -> str:
    rows = [f"{'benchmark':<44} {'before':>10} {'after':>10} {'gain':>6}  what that is"]
    for line in lines:
        unit = "x" if line.before.is_ratio else ""
        rows.append(
            f"{line.name:<44} {f'{line.before.value:.4g}{unit}':>10} {f'{line.after.value:.4g}{unit}':>10} "
            f"{line.gain:6.3f}  {line.verdict}"
        )
    if alone:
        rows.append(f"only in one of the files: {', '.join(alone)}")
    return "\n".join(rows)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path, metavar="BEFORE.json")
    parser.add_argument("after", type=Path, metavar="AFTER.json")
    parser.add_argument("--other-machine", action="store_true", help="also when the two CPUs differ")
    parser.add_argument("--fail", action="store_true", help="exit code 1 when something got worse")
    options = parser.parse_args(words)
    try:
        lines, alone = compare(options.before, options.after, options.other_machine)
    except CompareError as error:
        print(f"scripts/bench compare: {error}", file=sys.stderr)
        return 2
    print(table(lines, alone))
    return int(options.fail and any(line.verdict == "WORSE" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
