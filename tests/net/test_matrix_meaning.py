# SPDX-License-Identifier: BSD-3-Clause
"""The zeros of the matrix mean something: with the guard off and nothing running, this kernel forwards all that the matrix
sends, by the port and by the management interface, with spoofed sources and IPv6.
"""

from __future__ import annotations

from lab.matrix import ROUNDS, Bench, Setting
from lab.process import wait_until
from lab.transit import Transit


def test_without_locks_everything_passes(bench: Bench) -> None:
    bench.configure(Setting())
    bench.stop()
    bench.interfaces.forwarding_on()
    before, transit = bench.watch.seen(), Transit(bench.lab)
    bench.deliver(transit)
    transit.close()
    # Of each kind so many: good and spoofed IPv4 and IPv6, by each of the two ways.
    expected = {
        ("router", "past"): 3 * ROUNDS,
        ("management", "past"): 3 * ROUNDS + ROUNDS,  # and from the router's side
        ("router", "spoofed"): ROUNDS,
        ("management", "spoofed"): ROUNDS,
        ("onprem", "spoofed"): ROUNDS,
    }

    def seen() -> dict[tuple[str, str], int]:
        counts = (bench.watch.seen() - before).counts
        return {kind: counts[kind] for kind in (*expected, ("internet", "past"))}

    # The first for a router that nobody has asked for yet wait for its answer.
    wait_until("all of them", lambda: all(seen()[kind] >= count for kind, count in expected.items()))
    found = seen()
    assert found.pop(("internet", "past")) >= 2 * ROUNDS, "translated by the management network's router"
    assert found == expected


def test_with_them_nothing_does(bench: Bench) -> None:
    bench.setting = None
    bench.configure(Setting())
    before, transit = bench.watch.seen(), Transit(bench.lab)
    bench.deliver(transit)
    transit.close()
    wait_until("those that may pass", lambda: (bench.watch.seen() - before).through >= 2 * ROUNDS)
    seen = bench.watch.seen() - before
    assert (seen.past, seen.spoofed, seen.through) == (0, 0, 2 * ROUNDS)
