# SPDX-License-Identifier: BSD-3-Clause
"""The appliance's metrics, fetched as Prometheus does and read by Prometheus' own parsers."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import parser
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics

from lab.topology import Lab

LISTEN = "127.0.0.1:9273"
PLAIN = "text/plain;version=0.0.4"


@dataclass
class Scrape:
    families: dict[str, Metric]

    @classmethod
    def take(cls, lab: Lab, listen: str = LISTEN, plain: bool = False) -> Scrape:
        text = fetch(lab, listen, *(("-H", f"Accept: {PLAIN}") if plain else ()))
        parse = (parser if plain else openmetrics).text_string_to_metric_families
        return cls({family.name: family for family in parse(text)})

    def samples(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def names(self) -> set[str]:
        return {name for name, _ in self.samples()}

    def __call__(self, name: str, **labels: str) -> float | None:
        """A sample's value; None when there is no such sample."""
        return self.samples().get((name, frozenset(labels.items())))


def fetch(lab: Lab, listen: str = LISTEN, *options: str) -> str:
    return lab["nva"].run("curl", "-sS", "--fail", "--max-time", "8", *options, f"http://{listen}/metrics")
