#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes bash's completion of a program from its own --help and that of its subcommands.

completion.py PROGRAM >SCRIPT
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from program_help import help_of, options, subcommands

SCRIPT = """\
# bash completion of {program}, made from its --help
{function}() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command={program} word
  local -A commands=(
{commands}
  )
  local -A options=(
{options}
  )
  # What an option takes: words to choose from, or a file.
  local -A values=(
{values}
  )
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    [[ " ${{commands[$command]}} " == *" $word "* ]] && command+=" $word"
  done
  COMPREPLY=()
  case ${{values["$command $previous"]-}} in
    FILE) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    ANY) ;;
    "") mapfile -t COMPREPLY < <(compgen -W "${{commands[$command]}} ${{options[$command]}}" -- "$cur") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "${{values["$command $previous"]}}" -- "$cur") ;;
  esac
}}
complete -F {function} {program}
"""


def value(kind: str) -> str:
    """FILE, the words of LEVEL:{debug,info}, or ANY where nothing is known."""
    if choices := re.search(r"\{(.+)\}", kind):
        return choices.group(1).replace(",", " ")
    return "FILE" if kind.startswith(("FILE", "PATH")) else "ANY"


Command = tuple[str, list[str], dict[str, str]]


def grammar(program: str, words: list[str], inherited: Mapping[str, str]) -> Iterator[Command]:
    """Each command with its subcommands and its options, those of the commands before it among them."""
    text = help_of([program, *words])
    own = {**inherited, **options(text)}
    yield " ".join([Path(program).name, *words]), subcommands(text), own
    for name in subcommands(text):
        yield from grammar(program, [*words, name], own)


def table(entries: Mapping[str, str]) -> str:
    return "\n".join(f'    ["{key}"]="{entry}"' for key, entry in entries.items())


def main() -> None:
    program = sys.argv[1]
    name = Path(program).name
    known = list(grammar(program, [], {}))
    values = {
        f"{command} {option}": value(kind) for command, _, own in known for option, kind in own.items() if kind
    }
    script = SCRIPT.format(
        program=name,
        function="_" + name.replace("-", "_"),
        commands=table({command: " ".join(names) for command, names, _ in known}),
        options=table({command: " ".join(own) for command, _, own in known}),
        values=table(values),
    )
    sys.stdout.write(script)


main()
