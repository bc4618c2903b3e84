#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes a program's manual page from its own --help, and one for each of its commands: what is said of a program never differs
from what it says itself. What no help has room for stands in man/NAME.scd, section by section.

manual.py PROGRAM SECTION VERSION "one-line description" FOLDER [--commands]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from program_help import Help, help_of, parts
from scdoc import blocks, literal, page, plain, term

ORDER = (
    "NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "NOTES", "SEE ALSO",
)  # fmt: skip
EXIT_STATUS = "0: done. 1: refused, not found, or something is wrong. 2: wrong usage."
FILES = (
    ("/etc/sekisho/sekisho.toml", "The configuration, sekisho.toml(5)."),
    ("/run/sekisho/control.sock", "Where sekisho-control(8) listens."),
)
MANUALS = Path(__file__).parent / "man"

Sections = dict[str, list[str]]


def title(description: str) -> str:
    """As half a sentence: "Show what runs" is "show what runs"; a name stays as it is."""
    first = description.split("\n")[0].rstrip(".")
    return first[:1].lower() + first[1:] if first[1:2].islower() else first


def synopsis(usage: str) -> str:
    words = re.split(r" (?=\[|[A-Z]|$)", usage, maxsplit=1)
    return f"*{plain(words[0])}*" + (f" {plain(words[1])}" if len(words) > 1 else "")


def breakable(name: str) -> str:
    """A default that is a list is longer than a line."""
    return re.sub(r"(?<=\d),(?=\d)", ", ", name) if any(len(word) > 60 for word in name.split()) else name


def sentence(text: str) -> str:
    return text if not text or text.endswith((".", ":", "?")) else text + "."


def options(help: Help) -> list[str]:
    found = [*help.groups.get("Positionals", []), *help.groups.get("Options", [])]
    return [term(f"*{plain(breakable(name))}*", plain(sentence(meaning))) for name, meaning in found]


def below(program: str, words: list[str], help: Help) -> Iterator[str]:
    """Subcommands of a command, each with its options, and its words where they are not the command's own."""
    for name, _ in help.subcommands:
        inner = parts(help_of([program, *words, name]))
        yield "## " + " ".join([Path(program).name, *words, name])
        if inner.usage:
            yield synopsis(inner.usage)
        yield from blocks(sentence(inner.description))
        yield from (option for option in options(inner) if not option.startswith("*\\-h,"))
        if inner.text != help.text:
            yield from blocks(inner.text)
        if inner.examples not in ("", help.examples):
            yield literal(inner.examples.rstrip("\n").split("\n"))
        yield from below(program, [*words, name], inner)


def of_help(name: str, help: Help, description: str) -> Sections:
    sections: Sections = {"NAME": [f"{plain(name)} - {plain(title(description))}"]}
    if help.usage:
        sections["SYNOPSIS"] = [synopsis(help.usage)]
    said = [*blocks(sentence(help.description)), *blocks(help.text)]
    status = [block for block in said if block.startswith(("Exit status: ", "Exit codes: "))]
    sections["DESCRIPTION"] = [block for block in said if block not in status]
    if status:
        sections["EXIT STATUS"] = [block.split(": ", 1)[1] for block in status]
    sections["OPTIONS"] = options(help)
    if help.examples:
        sections["EXAMPLES"] = [literal(help.examples.rstrip("\n").split("\n"))]
    return sections


def add_written(name: str, sections: Sections) -> None:
    """What somebody wrote by hand. It stands behind what the help says; a synopsis and statuses stand instead of it."""
    file = MANUALS / f"{name}.scd"
    if not file.exists():
        return
    for heading, text in re.findall(r"^# (.+)\n((?:(?!# ).*\n?)*)", file.read_text(), re.MULTILINE):
        if heading not in ORDER:
            raise SystemExit(f"{file}: {heading} is no section of a manual page")
        if heading in ("SYNOPSIS", "EXIT STATUS"):
            sections[heading] = []
        sections.setdefault(heading, []).append(text.strip("\n"))


def write(folder: Path, name: str, section: str, version: str, sections: Sections) -> None:
    add_written(name, sections)
    sections.setdefault("EXIT STATUS", [EXIT_STATUS])
    source = f'{name}({section}) "Sekisho {version}"\n\n' + "\n\n".join(
        f"# {heading}\n\n" + "\n\n".join(sections[heading]) for heading in ORDER if sections.get(heading)
    )
    (folder / f"{name}.{section}").write_text(page(source + "\n"))


def references(names: Iterator[str] | list[str]) -> str:
    return ", ".join(f"*{plain(name)}*" for name in names)


def main() -> None:
    program, section, version, description, output, *commands = sys.argv[1:]
    name = Path(program).name
    folder = Path(output)
    help = parts(help_of([program]))
    sections = of_help(name, help, description)
    if commands:
        listed = [(each, f"{name}-{each}", meaning) for each, meaning in help.subcommands]
        sections["COMMANDS"] = [term(f"*{plain(page_name)}*({section})", plain(meaning)) for _, page_name, meaning in listed]
        for each, page_name, meaning in listed:
            own = parts(help_of([program, each]))
            inner = of_help(page_name, own, own.description or meaning)
            if own.subcommands:
                inner["COMMANDS"] = list(below(program, [each], own))
            inner["FILES"] = [term(plain(file), plain(what)) for file, what in FILES]
            others = [f"{name}({section})", "sekisho.toml(5)", "sekisho-control(8)"]
            inner["SEE ALSO"] = [references(others)]
            write(folder, page_name, section, version, inner)
        kept = {f"{page_name}.{section}" for _, page_name, _ in listed} | {f"{name}.{section}"}
        for old in folder.glob(f"{name}-*.{section}"):
            if old.name not in kept:
                old.unlink()
        (folder / "commands.list").write_text("".join(f"{each}\n" for each in sorted(kept - {f"{name}.{section}"})))
    write(folder, name, section, version, sections)


main()
