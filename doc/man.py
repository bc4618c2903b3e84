#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes a manual page from a program's own --help and that of its subcommands, so that the two never differ.

man.py PROGRAM SECTION VERSION "one-line description" >PAGE
"""

import pathlib
import sys

from program_help import help_of, subcommands
from roff import verbatim


def sections(program, words, title):
    text = help_of([program, *words])
    yield f".SH {title}\n.nf\n{verbatim(text)}\n.fi"
    for name in subcommands(text):
        yield from sections(program, [*words, name], " ".join([*words, name]).upper())


def main():
    program, section, version, description = sys.argv[1:]
    name = pathlib.Path(program).name
    print(f'.TH {name.upper()} {section} "" "Sekisho {version}"')
    print(f".SH NAME\n{verbatim(name)} \\- {verbatim(description)}")
    print("\n".join(sections(program, [], "DESCRIPTION")))


main()
