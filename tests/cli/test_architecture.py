# SPDX-License-Identifier: BSD-3-Clause
"""doc/architecture.md says which room may include which. This reads the page and every include, and compares."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

from suite.newest import git

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "doc" / "architecture.md"
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)


def room_of(path: str) -> str:
    """control/guard/keeper.hpp is in control/guard, control/main.cpp in control."""
    return "/".join(path.split("/")[:-1][:2])


def drawn() -> dict[str, set[str]]:
    block = PAGE.read_text().split("```rooms\n")[1].split("```")[0]
    rooms: dict[str, set[str]] = {}
    for line in block.splitlines():
        left, right = line.split("<-")
        rooms[left.split()[0]] = set(right.split())
    return rooms


def sources() -> Iterator[Path]:
    for top in ("common", "dataplane", "control"):
        for suffix in ("*.hpp", "*.cpp"):
            yield from (ROOT / top).rglob(suffix)


@functools.cache
def found() -> dict[str, dict[str, str]]:
    """Of each room the rooms that it includes, with one place that does."""
    rooms: dict[str, dict[str, str]] = {}
    for source in sources():
        path = source.relative_to(ROOT).as_posix()
        edges = rooms.setdefault(room_of(path), {})
        for header in INCLUDE.findall(source.read_text()):
            if "/" not in header:
                continue  # generated
            assert (ROOT / header).is_file(), f"{path} includes {header}, which is not there"
            if room_of(header) != room_of(path):
                edges.setdefault(room_of(header), f"{path} includes {header}")
    return rooms


def test_every_room_is_drawn() -> None:
    assert found().keys() == drawn().keys()


def test_no_room_includes_what_the_page_does_not_draw() -> None:
    rooms = drawn()
    assert [place for room, edges in found().items() for other, place in edges.items() if other not in rooms[room]] == []


def test_the_page_draws_no_edge_that_is_not_there() -> None:
    rooms = found()
    assert [(room, other) for room, edges in drawn().items() for other in edges if other not in rooms[room]] == []


def test_rooms_have_no_cycle() -> None:
    rooms = found()
    left = {room: set(edges) for room, edges in rooms.items()}
    while lowest := {room for room, edges in left.items() if not edges}:
        left = {room: edges - lowest for room, edges in left.items() if room not in lowest}
    assert left == {}, "these include each other"


def test_nothing_includes_the_commands() -> None:
    above = {"control/cli", "control/doctor"}
    assert [place for room, edges in found().items() if room != "control/cli" for other, place in edges.items() if other in above] == []


def test_the_two_processes_share_little() -> None:
    for room, edges in found().items():
        if room.startswith("dataplane"):
            assert not any(other.startswith("control") for other in edges)
        if room in {"common/base", "common/ipc"}:
            assert all(other.startswith("common/") for other in edges)


def test_namespaces_follow_folders() -> None:
    wrong = []
    for source in sources():
        path = source.relative_to(ROOT).as_posix()
        room = room_of(path)
        # One line in braces declares another room's class.
        for name in re.findall(r"^namespace (sekisho[\w:]*) \{$(?!\nclass \w+;\n\})", source.read_text(), re.MULTILINE):
            if "/" in room and name.split("::")[1:2] != [room.split("/")[1]]:
                wrong.append(f"{path}: {name}")
    assert wrong == []


def test_unit_tests_mirror_the_rooms() -> None:
    rooms = {room.split("/")[-1] for room in drawn()}
    assert {folder.name for folder in (ROOT / "tests" / "unit").iterdir() if folder.is_dir()} <= rooms


def test_no_file_is_longer_than_600_lines() -> None:
    tests = [file for file in (ROOT / "tests").rglob("*") if file.suffix in {".hpp", ".cpp", ".py"}]
    page = [file for file in (ROOT / "control").rglob("*") if file.suffix in {".html", ".css", ".js", ".py"}]
    assert [str(file) for file in (*sources(), *tests, *page) if len(file.read_text().splitlines()) > 600] == []


def test_the_repository_holds_no_link() -> None:
    """A link to where somebody keeps a build folder points to itself, or to nothing, in everybody else's clone."""
    files = git("ls-files", "--stage")
    assert files or not (ROOT / ".git").exists()
    assert [file for file in files if file.startswith("120000")] == []


def test_every_source_names_its_licence() -> None:
    tag = "SPDX-License-Identifier: BSD-3-Clause"
    page = [file for file in (ROOT / "control").rglob("*") if file.suffix in {".html", ".css", ".js", ".py"}]
    assert [str(source) for source in (*sources(), *page) if tag not in source.read_text()[:100]] == []


def test_control_knows_nothing_of_the_dataplane_but_what_is_pure() -> None:
    pure = {"dataplane/fib", "dataplane/decide", "dataplane/packet"}
    assert [place for room, edges in found().items() for other, place in edges.items()
            if room.startswith("control") and other.startswith("dataplane") and other not in pure] == []


def test_nothing_includes_what_is_only_for_operators() -> None:
    above = {"control/cli": set(), "control/doctor": {"control/cli"}}
    assert [place for room, edges in found().items() for other, place in edges.items()
            if other in above and room not in above[other]] == []
