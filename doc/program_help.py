# SPDX-License-Identifier: BSD-3-Clause
"""What a program's own --help says of it, so that nothing made from it ever differs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence


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
