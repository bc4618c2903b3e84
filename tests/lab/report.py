# SPDX-License-Identifier: BSD-3-Clause
"""What a demonstration prints: expected, seen, and whether they agree."""

from __future__ import annotations


class Report:
    def __init__(self) -> None:
        self.held = 0
        self.failed: list[str] = []
        self._titles = 0

    def title(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    def step(self, text: str) -> None:
        self._titles += 1
        self.title(f"{self._titles}. {text}")

    def check(self, what: str, expected: str, seen: str, holds: bool) -> None:
        print(
            f"   {'ok    ' if holds else 'FAILED'} {what}\n            expected {expected}\n            saw      {seen}",
            flush=True,
        )
        if holds:
            self.held += 1
        else:
            self.failed.append(what)

    def equal(self, what: str, expected: object, seen: object) -> None:
        self.check(what, str(expected), str(seen), expected == seen)

    def note(self, text: str) -> None:
        print(f"          {text}", flush=True)

    def broke(self, why: str) -> None:
        print(f"   FAILED and stopped here: {why}", flush=True)
        self.failed.append(why.splitlines()[0])

    def sum_up(self) -> int:
        print()
        if self.failed:
            print(
                f"{len(self.failed)} of {self.held + len(self.failed)} checks failed: {'; '.join(self.failed)}"
            )
            return 1
        print(f"All {self.held} checks hold.")
        return 0
