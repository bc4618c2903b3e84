# SPDX-License-Identifier: BSD-3-Clause
"""What a program's own --help says of it, so that nothing made from it ever differs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass


def help_of(words: Sequence[str]) -> str:
    done = subprocess.run([*words, "--help"], check=True, capture_output=True, text=True)
    return done.stdout.strip("\n")


def subcommands(text: str) -> list[str]:
    """The names under "Subcommands:", each the first word of a line that is indented by two blanks."""
    listed = re.search(r"^Subcommands:\n((?:  .*\n?)+)", text, re.MULTILINE)
    return re.findall(r"^  (\S+)", listed.group(1), re.MULTILINE) if listed else []


def options(text: str) -> dict[str, str]:
    """Each option's names, as --config, with what its value is called, as FILE or {debug,info}; "" for a flag.

    CLI11 writes `  -c,--config FILE=/default   What it is`, deeper in a group of options; `Needs: --other` is no value.
    """
    found = {}
    for names, value in re.findall(r"^ {2,4}((?:-\w,)?--[\w-]+)((?: (?!Needs:|Excludes:)\S+)?)", text, re.MULTILINE):
        for name in names.split(","):
            found[name] = value.strip().split("=")[0]
    return found


@dataclass(frozen=True)
class Help:
    """A help in its parts."""

    description: str
    usage: str  # without the word; "" where there is none
    groups: dict[str, list[tuple[str, str]]]  # "Options" with each name and what it means
    text: str  # what stands behind, but the examples
    examples: str

    @property
    def subcommands(self) -> list[tuple[str, str]]:
        return self.groups.get("Subcommands", [])


GROUP = re.compile(r"^(Positionals|Options|Subcommands|\[Option Group: .*\]):?$")


def entries(lines: list[str]) -> list[tuple[str, str]]:
    """A name, two blanks or a new line, and what it is, which may go on in lines that are indented further."""
    found: list[tuple[str, str]] = []
    for line in lines:
        head = re.match(r"^ {2,4}(\S.*?)(?: {2,}(\S.*))?$", line)
        if head and not line.startswith("     "):
            name, meaning = head.group(1), head.group(2) or ""
            # CLI11 has meanings in column 30: one blank is left before them by a name that ends there.
            if not meaning and line[29:30] == " " and line[30:31] != " ":
                name, meaning = line[:29].strip(), line[30:]
            found.append((name, meaning))
        elif found:
            name, meaning = found[-1]
            found[-1] = (name, f"{meaning} {line.strip()}".strip())
    return found


def parts(text: str) -> Help:
    before, usage, after = text, "", ""
    if at := re.search(r"^Usage: (.*)$", text, re.MULTILINE):
        before, usage, after = text[: at.start()], at.group(1), text[at.end() :]
    elif at := re.search(r"^Options:$", text, re.MULTILINE):
        before, after = text[: at.start()], text[at.start() :]
    groups: dict[str, list[tuple[str, str]]] = {}
    rest: list[str] = []
    lines = after.split("\n")
    while lines:
        line = lines.pop(0)
        if not GROUP.match(line):
            rest.append(line)
            continue
        count = next((i for i, each in enumerate(lines) if not each.startswith("  ")), len(lines))
        groups.setdefault("Subcommands" if "Subcommands" in line else "Positionals" if "Positionals" in line else "Options", []).extend(
            entries(lines[:count])
        )
        lines = lines[count:]
    behind, found, examples = "\n".join(rest).partition("\nExamples:\n")
    shown, _, more = examples.partition("\n\n")
    return Help(before.strip("\n"), usage.strip(), groups, (behind.strip("\n") + "\n\n" + more.strip("\n")).strip("\n"), shown if found else "")
