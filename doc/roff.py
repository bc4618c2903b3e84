# SPDX-License-Identifier: BSD-3-Clause
"""The language of manual pages."""

from __future__ import annotations


def verbatim(text: str) -> str:
    """Text that the formatter takes as it stands, lines that begin with its control characters among it."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in escaped.split("\n"))
