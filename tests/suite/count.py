# SPDX-License-Identifier: BSD-3-Clause
"""Counts test cases in JUnit files, whichever runner wrote them."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Count:
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def __iadd__(self, other: Count) -> Count:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self) -> str:
        return f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"


def junit(file: Path, where: str) -> Count:
    """Every testcase of a file; a file that is missing or broken is a failure, not zero tests."""
    count = Count()
    try:
        cases = list(ElementTree.parse(file).iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        count.failed.append(f"{where}: no results ({error})")
        return count
    for case in cases:
        name = f"{where}: {case.get('classname', '')}.{case.get('name', '')}"
        if case.find("failure") is not None or case.find("error") is not None:
            count.failed.append(name)
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            count.skipped.append(name)
        else:
            count.passed += 1
    if not cases:
        count.failed.append(f"{where}: ran no tests")
    return count
