# SPDX-License-Identifier: BSD-3-Clause
"""The language of scdoc, in which manual pages are written."""

from __future__ import annotations

import re
import subprocess
import textwrap
from collections.abc import Iterable, Iterator


def plain(text: str) -> str:
    """Text that scdoc takes as it stands."""
    escaped = re.sub(r"([\\*_`])", r"\\\1", text).replace("++", "\\+\\+")
    return re.sub(r"^([-.|#\[\]:;])", r"\\\1", escaped)


def marked(text: str) -> str:
    """Text with Markdown's `code`, which becomes bold."""
    pieces = text.split("`")
    return "".join(f"*{plain(piece)}*" if i % 2 else plain(piece) for i, piece in enumerate(pieces) if piece)


def literal(lines: Iterable[str]) -> str:
    shown = textwrap.dedent("\n".join(lines)).replace("\\", "\\\\")
    return f"```\n{shown}\n```"


def blocks(text: str) -> Iterator[str]:
    """What a help says: its lines from the left margin are paragraphs, and what is indented stays as it is."""
    for block in re.split(r"\n{2,}", text.strip("\n")):
        lines = block.split("\n")
        while lines:
            flat = lines[0][:1] != " "
            count = next((i for i, line in enumerate(lines) if (line[:1] != " ") != flat), len(lines))
            # The rest of a line that was broken within a list belongs to the list.
            part, lines = lines[:count], lines[count:]
            yield plain(" ".join(part)) if flat else literal(part)


def term(name: str, meaning: str) -> str:
    """A name with what it means below it. Both are scdoc already."""
    return f"{name}\n\t" + meaning.replace("\n", "\n\t")


def page(source: str) -> str:
    """The manual page that scdoc makes of it."""
    done = subprocess.run(["scdoc"], input=source, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"scdoc: {done.stderr}\n{source}")
    # The same sources give the same page, on whichever day.
    return re.sub(r'^(\.TH "[^"]*" "[^"]*") "[^"]*"', r'\1 ""', done.stdout, count=1, flags=re.MULTILINE)
