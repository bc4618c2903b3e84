# SPDX-License-Identifier: BSD-3-Clause
"""Draws lpm.json: lookups a second by table, traffic and engine, with our ratio to the fastest other engine.

usage: chart.py lpm.json lpm.png
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend is chosen first)

TABLES = ("nva", "tags", "full", "full200")
TRAFFICS = {
    "random": "random public destinations",
    "routed": "inside the table's prefixes",
    "zipf": "Zipf over the prefixes",
}
COLOURS = {
    "sekisho": "#c8442c",
    "rte_fib_1B": "#1f4e79",
    "rte_fib_2B": "#4f86b8",
    "rte_fib_4B": "#9dbfdc",
    "rte_lpm": "#a3a3a3",
}
BAR = 0.8 / len(COLOURS)


def draw_panel(axes: pyplot.Axes, results: dict[str, dict], traffic: str) -> None:
    tables = [table for table in TABLES if any(f"lpm/{engine}/{table}/{traffic}" in results for engine in COLOURS)]
    for place, table in enumerate(tables):
        measured = [
            (engine, results[name])
            for engine in COLOURS
            if (name := f"lpm/{engine}/{table}/{traffic}") in results
        ]
        for number, (engine, result) in enumerate(measured):
            x = place + (number - (len(measured) - 1) / 2) * BAR
            rate, lower, upper = (
                result[key] / 1e6
                for key in (
                    "items_per_second",
                    "items_per_second_lower_quartile",
                    "items_per_second_upper_quartile",
                )
            )
            spread = [[rate - lower], [upper - rate]]
            axes.bar(x, rate, BAR * 0.92, color=COLOURS[engine], yerr=spread, ecolor="#444444", error_kw={"lw": 0.7})
            if "ratio" in result:
                axes.annotate(
                    f"{result['ratio']:.2f}×", (x, upper), (0, 3), textcoords="offset points",
                    ha="center", va="bottom", fontsize=8.5, fontweight="bold", color=COLOURS[engine],
                    bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.85},
                )  # fmt: skip
    axes.set_title(TRAFFICS[traffic], fontsize=10)
    axes.set_xticks(range(len(tables)), tables)
    axes.tick_params(axis="x", length=0)
    axes.margins(y=0.12)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    source, target = map(Path, sys.argv[1:])
    document = json.loads(source.read_text())
    results = {result["name"]: result for result in document["benchmarks"]}
    if not any(name.startswith("lpm/") for name in results):
        return 0  # a filter left nothing that this chart shows
    figure, panels = pyplot.subplots(1, len(TRAFFICS), figsize=(12, 4.2), constrained_layout=True)
    for axes, traffic in zip(panels, TRAFFICS, strict=True):
        draw_panel(axes, results, traffic)
    panels[0].set_ylabel("million lookups a second, one core")
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=colour) for colour in COLOURS.values()]
    figure.legend(
        handles, COLOURS, loc="lower center", bbox_to_anchor=(0.5, -0.08), ncols=len(COLOURS), frameon=False, fontsize=9
    )
    context = document["context"]
    figure.suptitle(
        "IPv4 longest prefix match, bulk 64; the number is the ratio to the fastest other that holds the whole table\n"
        f"{context['cpu']}, {context['date'][:10]}; medians and quartiles of rounds in turns",
        fontsize=9.5, color="#333333",
    )  # fmt: skip
    figure.savefig(target, dpi=150, bbox_inches="tight")
    print(f"chart: {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
