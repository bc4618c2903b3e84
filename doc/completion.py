#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes a shell's completion of a program from its own --help and that of its subcommands.

completion.py PROGRAM [bash|zsh|fish] >SCRIPT

A program with a `shell` of its own knows what may follow, names of what runs among it: `PROGRAM complete WORD...` prints it, and ends
with status 10 where a file's name is wanted. zsh and fish ask that; bash knows commands, options and choices without it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from program_help import help_of, options, subcommands

BASH = """\
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
    ANY) {names} ;;
    "") mapfile -t COMPREPLY < <(compgen -W "${{commands[$command]}} ${{options[$command]}}" -- "$cur"){more} ;;
    *) mapfile -t COMPREPLY < <(compgen -W "${{values["$command $previous"]}}" -- "$cur") ;;
  esac
}}
complete -F {function} {program}
"""

# Names of what runs; silent where the program is not there.
BASH_NAMES = """\
mapfile -t COMPREPLY < <({program} complete -- "${{COMP_WORDS[@]:1:COMP_CWORD}}" 2>/dev/null)"""
# An argument's names, an abbreviated command, or a file.
BASH_MORE = """
      if [[ $cur != -* && -z ${{commands[$command]}} ]] || (( ${{#COMPREPLY[@]}} == 0 )); then
        local said status
        said=$({program} complete -- "${{COMP_WORDS[@]:1:COMP_CWORD}}" 2>/dev/null)
        status=$?
        [[ -n $said && $said != -* ]] && mapfile -t COMPREPLY <<<"$said"
        if (( status == 10 )); then
          compopt -o filenames 2>/dev/null
          mapfile -t -O "${{#COMPREPLY[@]}}" COMPREPLY < <(compgen -f -- "$cur")
        fi
      fi"""

ZSH = """\
#compdef {program}
# zsh completion of {program}, which it is asked for
{function}() {{
  local -a lines names shown
  local line out
  out=$({program} complete --describe -- "${{(@)words[2,CURRENT]}}" 2>/dev/null)
  local -i status_of=$?
  lines=("${{(@f)out}}")
  for line in $lines; do
    names+=("${{line%%$'\\t'*}}")
    shown+=("${{line//$'\\t'/  -- }}")
  done
  (( $#names )) && compadd -l -d shown -a names
  (( status_of == 10 )) && _files
  return 0
}}
{function} "$@"
"""

ZSH_OPTIONS = """\
#compdef {program}
# zsh completion of {program}, made from its --help
_arguments -s \\
{options}
  '*:file:_files'
"""

FISH = """\
# fish completion of {program}, which it is asked for
function __{name}_words
  set -l words (commandline -opc) (commandline -ct)
  {program} complete --describe -- $words[2..-1] 2>/dev/null
  test $status -eq 10; and __fish_complete_path (commandline -ct)
end
complete -c {program} -f -a '(__{name}_words)'
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


def bash(name: str, known: list[Command], can_be_asked: bool) -> str:
    values = {
        f"{command} {option}": value(kind) for command, _, own in known for option, kind in own.items() if kind
    }
    return BASH.format(
        program=name,
        function="_" + name.replace("-", "_"),
        commands=table({command: " ".join(names) for command, names, _ in known}),
        options=table({command: " ".join(own) for command, _, own in known}),
        values=table(values),
        names=BASH_NAMES.format(program=name) if can_be_asked else "",
        more=BASH_MORE.format(program=name) if can_be_asked else "",
    )


def zsh(name: str, known: list[Command], can_be_asked: bool) -> str:
    if can_be_asked:
        return ZSH.format(program=name, function="_" + name.replace("-", "_"))
    lines = []
    for option, kind in known[0][2].items():
        action = f":value:({value(kind)})" if "{" in kind else ":file:_files" if value(kind) == "FILE" else ":value: "
        lines.append(f"  '{option}{action if kind else ''}' \\")
    return ZSH_OPTIONS.format(program=name, options="\n".join(lines))


def fish(name: str, known: list[Command], can_be_asked: bool) -> str:
    if can_be_asked:
        return FISH.format(program=name, name=name.replace("-", "_"))
    lines = [f"# fish completion of {name}, made from its --help"]
    for option, kind in known[0][2].items():
        if not option.startswith("--"):
            continue
        taken = f" -x -a '{value(kind)}'" if "{" in kind else " -r -F" if kind and value(kind) == "FILE" else " -x" if kind else ""
        lines.append(f"complete -c {name} -l {option.removeprefix('--')}{taken}")
    return "\n".join(lines) + "\n"


def main() -> None:
    program = sys.argv[1]
    write = {"bash": bash, "zsh": zsh, "fish": fish}[sys.argv[2] if len(sys.argv) > 2 else "bash"]
    known = list(grammar(program, [], {}))
    sys.stdout.write(write(Path(program).name, known, "shell" in known[0][1]))


main()
