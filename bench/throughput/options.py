# SPDX-License-Identifier: BSD-3-Clause
"""The options that every benchmark takes which turns engines in rounds: a benchmark adds its own between the two functions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def bench_parser(name: str, doc: str | None, filters: str, rounds: str, files: str) -> argparse.ArgumentParser:
    """`filters`, `rounds`, `files`: what they are, for --help."""
    found = argparse.ArgumentParser(
        prog=f"scripts/bench {name}", description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("filter", nargs="*", help=filters)
    found.add_argument("--list", action="store_true", help="print the benchmarks' names and measure nothing")
    found.add_argument("--rounds", type=int, metavar="N", help=rounds)
    found.add_argument("--build", type=Path, default=ROOT / "build-bench", metavar="DIR", help="default: build-bench")
    found.add_argument(
        "--out", type=Path, default=ROOT / "build" / "bench", metavar="DIR", help=f"for {files} (default: build/bench)"
    )
    return found


def parsed(parser: argparse.ArgumentParser, words: Sequence[str] | None) -> argparse.Namespace:
    options = parser.parse_args(words)
    options.build = options.build.resolve()  # a configuration names files in it, and lies elsewhere
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds: at least one")
    return options
