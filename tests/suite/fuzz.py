# SPDX-License-Identifier: BSD-3-Clause
"""`scripts/fuzz`: each fuzzer at length, one after another."""

from __future__ import annotations

import argparse
import sys

from suite.shell import ROOT, Shell
from suite.stages import CLANG, configure_clang, run_fuzzer

SOURCES = ROOT / "tests/fuzz"


def parse(words: list[str]) -> tuple[int, list[str]]:
    known = sorted(path.stem for path in SOURCES.glob("*_fuzz.cpp"))
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz",
        description="Builds the fuzzers with clang-16 and the sanitizers and runs each with its seeds and its corpus.",
        epilog=f"The corpora grow in {CLANG}/corpus/TARGET, where an input that fails is left, too. Exit code 1 when one failed.",
    )
    parser.add_argument("seconds", metavar="SECONDS", nargs="?", default="600", help="for each of them (default: 600)")
    parser.add_argument("targets", metavar="TARGET", nargs="*", help=f"{', '.join(known)} (default: all)")
    given = parser.parse_args(words)
    # SECONDS may be left out: then the first word is a target.
    targets = list(given.targets)
    seconds = 600
    if given.seconds.isdecimal() and int(given.seconds) > 0:
        seconds = int(given.seconds)
    else:
        targets.insert(0, given.seconds)
    for target in targets:
        if target not in known:
            parser.error(f"there is no fuzzer {target}; there are {', '.join(known)}")
    return seconds, targets or known


def main() -> int:
    seconds, targets = parse(sys.argv[1:])
    programs = [f"tests/fuzz/{target}" for target in targets]
    shell = Shell()
    if not (configure_clang(shell) and shell("ninja", "-C", CLANG, *programs)):
        return 1
    failed = [target for target in targets if not run_fuzzer(shell, ROOT / CLANG / "tests/fuzz" / target, seconds)]
    print(f"{len(targets) - len(failed)} passed, {len(failed)} failed" + "".join(f"\nFAILED {name}" for name in failed))
    return 1 if failed else 0


sys.exit(main())
