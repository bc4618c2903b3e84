# SPDX-License-Identifier: BSD-3-Clause
"""What a scenario is: a picture, and an act that builds it, sends traffic and says what was expected and what was seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.azure.site import AzureLab
from lab.report import Report


@dataclass(frozen=True)
class Scenario:
    name: str
    what: str  # one line
    picture: str
    play: Callable[[AzureLab, Report], None]
