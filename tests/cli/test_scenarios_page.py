# SPDX-License-Identifier: BSD-3-Clause
"""doc/scenarios.md quotes what the labs print: every quotation is there, in the lab that it is said to be in."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "doc" / "scenarios.md"
LABS = ROOT / "tests" / "lab" / "scenarios"
SHARED = ("disturb", "traffic", "traps")


def rows():
    """(lab, what it prints) of the last two tables."""
    tables = PAGE.read_text().split("## When something dies")[1]
    for line in tables.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) in (3, 4) and '"' in cells[-1]:
            yield cells[-2], re.findall(r'"([^"]+)"', cells[-1])


def test_every_quotation_is_printed_by_its_lab():
    found = list(rows())
    assert len(found) > 15
    for lab, quotations in found:
        files = [LABS / f"{name}.py" for name in (lab.replace("-", "_"), *SHARED)]
        source = "".join(file.read_text() for file in files).replace('\\"', '"')
        for quotation in quotations:
            assert quotation in source, f"{lab} prints nothing like {quotation!r}"


def test_every_lab_and_every_example_is_told():
    text = PAGE.read_text()
    examples = [path.parent.name for path in (ROOT / "examples").glob("*/sekisho.toml")]
    played = [name for name in examples if (LABS / f"{name.replace('-', '_')}.py").exists()]
    assert len(played) == 5
    for name in examples:
        assert f"`examples/{name}" in text
    for name in played:
        assert f"\n## {name}: " in text
        assert f"`examples/{name}/sekisho.toml`" in text
        assert {lab for lab, _ in rows()} >= {name}
