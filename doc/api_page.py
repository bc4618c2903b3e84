#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the parts of doc/api.md that others have the word of: dataplane.proto's comments, and what the metrics say of themselves.

api_page.py PROTO [SCRAPE]     brings doc/api.md up to date; SCRAPE is what GET /metrics answers with, as OpenMetrics
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PAGE = Path(__file__).parent / "api.md"

FIELD = re.compile(r"^(?:(repeated) )?([\w.]+(?:<[\w, ]+>)?) (\w+) = (\d+)(?: \[[^]]*\])?;(?:\s*// ?(.*))?$")
ENTRY = re.compile(r"^(\w+) = (\d+);(?:\s*// ?(.*))?$")
OPENING = re.compile(r"^(message|enum) (\w+) \{(?:\s*(.*?)\s*(\})?)?$")


def between(text: str, name: str, new: str) -> str:
    """The text with what stands between two marks replaced."""
    begin, end = f"<!-- {name}: made by doc/api_page.py -->\n", f"<!-- end of {name} -->\n"
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise SystemExit(f"no marks for {name}")
    return f"{before}{begin}\n{new.strip()}\n\n{end}{after}"


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def messages(proto: str) -> str:
    """A table a message: field, number, type, and the comment before and behind it."""
    out: list[str] = []
    comment: list[str] = []
    names: list[str] = []
    oneof = ""
    body = proto.split("package sekisho.ipc;", 1)[1]
    for line in map(str.strip, body.split("\n")):
        if line.startswith("// ---"):
            comment = []
        elif line.startswith("//"):
            comment.append(line.removeprefix("//").strip())
        elif opened := OPENING.match(line):
            kind, name, inside, closed = opened.groups()
            names.append(name)
            shown = ".".join(names)
            out += ["", f"#### `{shown}`", ""]
            if comment:
                out += [cell(" ".join(comment)), ""]
            comment = []
            if inside and (field := FIELD.match(inside)):
                out += ["| field | number | type | what |", "|---|---|---|---|", row(field, "", [])]
            elif not closed:
                out += ["| field | number | type | what |" if kind == "message" else "| value | number | | what |", "|---|---|---|---|"]
            if closed:
                names.pop()
        elif line.startswith("oneof "):
            oneof = f"one of `{line.split()[1]}`"
        elif line == "}":
            if oneof:
                oneof = ""
            else:
                names.pop()
            comment = []
        elif field := FIELD.match(line):
            out.append(row(field, oneof, comment))
            comment = []
        elif entry := ENTRY.match(line):
            name, number, what = entry.groups()
            out.append(f"| `{name}` | {number} | | {cell(' '.join([*comment, what or '']))} |")
            comment = []
        elif not line:
            comment = []
    return "\n".join(out)


def row(field: re.Match[str], oneof: str, comment: list[str]) -> str:
    repeated, kind, name, number, what = field.groups()
    said = cell(" ".join([*comment, what or "", f"({oneof})" if oneof else ""]))
    return f"| `{name}` | {number} | {f'{repeated} ' if repeated else ''}`{kind}` | {said} |"


def metrics(scrape: str) -> str:
    """A row a family, with the labels that its samples have."""
    families: dict[str, dict[str, str]] = {}
    labels: dict[str, set[str]] = {}
    for line in scrape.splitlines():
        if meta := re.match(r"^# (TYPE|UNIT|HELP) (\S+) (.*)$", line):
            families.setdefault(meta.group(2), {})[meta.group(1)] = meta.group(3)
        elif sample := re.match(r"^([a-z_0-9]+)(?:\{(.*)\})? ", line):
            name = max((each for each in families if sample.group(1).startswith(each)), key=len)
            labels.setdefault(name, set()).update(re.findall(r'(\w+)="', sample.group(2) or ""))
    out = ["| family | type | unit | labels | what |", "|---|---|---|---|---|"]
    for name, facts in sorted(families.items()):
        shown = ", ".join(f"`{label}`" for label in sorted(labels.get(name, set())))
        out.append(f"| `{name}` | {facts.get('TYPE', '')} | {facts.get('UNIT', '')} | {shown} | {cell(facts.get('HELP', ''))} |")
    return "\n".join(out)


def main() -> None:
    proto, *scrape = map(Path, sys.argv[1:])
    text = between(PAGE.read_text(), "dataplane.proto", messages(proto.read_text()))
    if scrape:
        text = between(text, "metrics", metrics(scrape[0].read_text()))
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
