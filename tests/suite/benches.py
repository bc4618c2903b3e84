# SPDX-License-Identifier: BSD-3-Clause
"""The benchmarks' programs, each started once in its shortest form: they are built with everything else, measured only now and then,
and would otherwise be found broken by whoever wants a figure.
"""

from __future__ import annotations

import json
from pathlib import Path

from suite.shell import Shell

NAMES_OF_GOOGLE_BENCHMARK = ("--benchmark_list_tests=true",)
SHORTEST = {
    "lpm_bench": ("--list",),
    "stages_bench": ("--list",),
    "load_bench": NAMES_OF_GOOGLE_BENCHMARK,
    "update_bench": NAMES_OF_GOOGLE_BENCHMARK,
    "failover_bench": NAMES_OF_GOOGLE_BENCHMARK,
    "memory_bench": NAMES_OF_GOOGLE_BENCHMARK,
    # These serve scripts/bench, which has made what they need.
    "loss_free_generator": ("--help",),
    "kernel_traffic": ("--help",),
}


def programs(folder: Path) -> set[str]:
    """Of the build folder, as meson has it."""
    targets = json.loads((folder / "meson-info/intro-targets.json").read_text())
    return {each["name"] for each in targets if each["type"] == "executable" and Path(each["defined_in"]).parent.name == "bench"}


def check(folder: Path, shell: Shell) -> list[str]:
    """What is wrong."""
    built = programs(folder)
    if not built:
        return [f"{folder.name} has no benchmarks: it was set up without them, and is to be removed"]
    wrong = [f"tests/suite/benches.py does not know how {name} is started" for name in sorted(built - SHORTEST.keys())]
    wrong += [f"there is no {name}" for name in sorted(SHORTEST.keys() - built)]
    started = sorted(built & SHORTEST.keys())
    return wrong + [f"{name} does not start" for name in started if not shell(folder / "bench" / name, *SHORTEST[name], ASAN_OPTIONS="detect_leaks=0")]
