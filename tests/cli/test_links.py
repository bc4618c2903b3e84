# SPDX-License-Identifier: BSD-3-Clause
"""Every link of every page leads somewhere: to a file that is here, and to a heading of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from suite.newest import git

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PAGES = sorted(
    {name for name in git("ls-files", "--cached", "--others", "--exclude-standard", "*.md") if (ROOT / name).is_file()}
)


def anchors(text: str) -> set[str]:
    """As the sites that host such pages make them of headings."""
    headings = re.findall(r"^#+ +(.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for link in LINK.findall(FENCE.sub("", (ROOT / page).read_text())):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), f"{page}: {link}: there is no such file"
        if anchor:
            assert anchor in anchors(target.read_text()), f"{page}: {link}: there is no such heading"


def test_the_pages_are_found() -> None:
    assert {"README.md", "doc/configuration.md"} <= set(PAGES)
