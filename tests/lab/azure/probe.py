# SPDX-License-Identifier: BSD-3-Clause
"""A load balancer's probes, as Azure sends them: HTTP from 168.63.129.16 to the member itself, which is out after two that fail.
Every half second here, not every five.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Sequence

from lab.azure.plan import Balancer

PROBER = "168.63.129.16"
INTERVAL = 0.5
DOWN_AFTER = 2


class Prober:
    """A thread for each member; `changed` is called when one comes or goes."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._healthy: set[str] = set()
        self._lock = threading.Lock()
        self._followed: set[tuple[str, int]] = set()

    def healthy(self) -> set[str]:
        with self._lock:
            return set(self._healthy)

    def follow(self, balancers: Sequence[Balancer]) -> None:
        for balancer in balancers:
            for member in balancer.members:
                if (member, balancer.port) not in self._followed:
                    self._followed.add((member, balancer.port))
                    threading.Thread(target=self._probe, args=(member, balancer.port), daemon=True).start()

    def _probe(self, member: str, port: int) -> None:
        pause = threading.Event()
        failed = 0
        while True:
            failed = 0 if answers(member, port) else failed + 1
            with self._lock:
                before = member in self._healthy
                if failed == 0:
                    self._healthy.add(member)
                elif failed >= DOWN_AFTER:
                    self._healthy.discard(member)
                changed = before != (member in self._healthy)
            if changed:
                self._changed()
            pause.wait(INTERVAL)


def answers(member: str, port: int) -> bool:
    connection = http.client.HTTPConnection(member, port, timeout=INTERVAL, source_address=(PROBER, 0))
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
