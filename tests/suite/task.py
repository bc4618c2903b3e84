# SPDX-License-Identifier: BSD-3-Clause
"""What runs beside other things has a log of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from suite.count import Count
from suite.shell import ROOT, Shell

LOGS = ROOT / "build" / "suite"
_says = threading.Lock()


def apart(name: str, idle: bool, work: Callable[[Shell], Count]) -> Count:
    """Says when it ends, and prints its log unless all of it passed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{name}.log"
    started = time.monotonic()
    with path.open("w+") as log:
        try:
            count = work(Shell(log, idle))
        except Exception as error:  # the others go on, and their results count
            count = Count(failed=[f"{name}: {error!r}"])
        log.seek(0)
        holds = not (count.failed or count.skipped)
        with _says:
            if not holds:
                print(f"\n--- {path.relative_to(ROOT)}\n{log.read()}")
            print(f"    {name:<20} {time.monotonic() - started:5.0f} s   {count}", flush=True)
    return count
