#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes a header of a page, with its style and its script put in: its bytes, and a Content-Security-Policy by which only these run,
by their hashes.

  carry.py page.html page.css page.js page.html.h
"""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from pathlib import Path

MOST = 50_000  # bytes: it is loaded over slow lines, at night

HEADER = """// Made of {name} by carry.py.
#pragma once

#include <string_view>

namespace sekisho::web {{

inline constexpr unsigned char page_bytes[] = {{
{bytes}
}};
inline std::string_view page_text() {{
  return {{reinterpret_cast<const char*>(page_bytes), sizeof page_bytes}};
}}
inline constexpr std::string_view page_policy = "{policy}";

}}  // namespace sekisho::web
"""


def sources(page: str, element: str) -> str:
    """What may be run or applied: each element's text by its hash (CSP 3, 2.3.1)."""
    texts = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
    if not texts:
        raise SystemExit(f"the page has no <{element}>")
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{each}'" for each in hashes)


def policy(page: str) -> str:
    return (
        f"default-src 'none'; script-src {sources(page, 'script')}; style-src {sources(page, 'style')}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def put_together(page: Path, style: Path, script: Path) -> str:
    text = page.read_text()
    for element, inside in (
        (f'<link rel="stylesheet" href="{style.name}">', f"<style>\n{style.read_text()}</style>"),
        (f'<script src="{script.name}"></script>', f"<script>\n{script.read_text()}</script>"),
    ):
        if text.count(element) != 1:
            raise SystemExit(f"{page} has not one {element}")
        text = text.replace(element, inside)
    return text


def main() -> None:
    page, style, script, header = map(Path, sys.argv[1:5])
    content = put_together(page, style, script).encode()
    if len(content) > MOST:
        raise SystemExit(f"{page} has {len(content)} bytes: more than {MOST}")
    lines = [content[start : start + 24] for start in range(0, len(content), 24)]
    text = ",\n".join("  " + ", ".join(str(byte) for byte in line) for line in lines)
    header.write_text(HEADER.format(name=page.name, bytes=text, policy=policy(content.decode())))


if __name__ == "__main__":
    main()
