# SPDX-License-Identifier: BSD-3-Clause
"""Which fields JSON has, as doc/api.md writes them: `ports[].name` is a field of each element of an array, `drops{}` one of any name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "doc" / "api.md"
UNSEEN = "\u2020"  # marks what a test sees only with a cloud, a peer or a fault
TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}

Fields = dict[str, set[str]]


def shape(value: Any, maps: Iterable[str] = (), path: str = "") -> Iterator[tuple[str, str]]:
    """Each field with its type. Objects whose keys are names are those of `maps`, "drops{}" say."""
    if isinstance(value, dict):
        is_map = f"{path}{{}}" in maps
        for key, inner in value.items():
            yield from shape(inner, maps, f"{path}{{}}" if is_map else f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from shape(inner, maps, f"{path}[]")
    else:
        yield path, TYPES[type(value)]


def fields(values: Iterable[Any], maps: Iterable[str] = ()) -> Fields:
    found: Fields = defaultdict(set)
    for value in values:
        for path, kind in shape(value, maps):
            found[path].add(kind)
    return found


def documented() -> dict[str, Fields]:
    """By the command that prints them; types as "string or null"."""
    result: dict[str, Fields] = {}
    for section, commands in sections().items():
        for command in commands:
            result[command] = {path: set(kinds.split(" or ")) for path, kinds, _ in rows(section)}
    return result


def sections() -> dict[str, list[str]]:
    """Of each heading the commands that it names: they print the same."""
    headings = re.findall(r"^### (`.+`)$", PAGE.read_text(), re.MULTILINE)
    return {heading: re.findall(r"`(?:sekisho )?([^`]+)`", heading) for heading in headings}


def rows(section: str) -> Iterator[tuple[str, str, str]]:
    """Field, type and what the page says of it. Of a field that is "as `show bgp`", all that stands there."""
    text = PAGE.read_text().partition(f"\n### {section}\n")[2]
    for line in re.split(r"^#", text, maxsplit=1, flags=re.MULTILINE)[0].splitlines():
        if row := re.match(r"\| `([^`]+)` \| as `([^`]+)` \| (.*) \|$", line):
            path, other, what = row.groups()
            inner = next(each for each, commands in sections().items() if other in commands)
            for its_path, kinds, its_what in rows(inner):
                yield f"{path}.{its_path}", kinds, what if what.startswith(UNSEEN) else its_what
        elif row := re.match(r"\| `([^`]+)` \| ([a-z ]+) \| (.*) \|$", line):
            path, kinds, what = row.groups()
            yield path, kinds, what


def maps_of(known: Fields) -> set[str]:
    """drops{} of `ports[].drops{}`, with what leads there."""
    return {path[: at.end()] for path in known for at in re.finditer(r"\{\}", path)}


def undocumented(printed: dict[str, list[Any]]) -> list[str]:
    """What was printed and is not on the page, or is of another type there. A command's variants, as `check --list`, are commands."""
    known = documented()
    return [
        f"{command}: {path} ({kind})"
        for command, values in printed.items()
        for path, kinds in fields(values, maps_of(known.get(command, {}))).items()
        for kind in sorted(kinds)
        if kind not in known.get(command, {}).get(path, set())
    ]


def unprinted(printed: dict[str, list[Any]]) -> list[str]:
    """What is on the page and was not printed, but for what is marked there: a test would need a cloud or a fault for it."""
    known = documented()
    found = {command: fields(values, maps_of(known.get(command, {}))) for command, values in printed.items()}
    return [
        f"{section}: {path}"
        for section, commands in sections().items()
        if any(command in found for command in commands)
        for path, _, what in rows(section)
        if not what.startswith(UNSEEN) and not any(path in found.get(command, {}) for command in commands)
    ]
