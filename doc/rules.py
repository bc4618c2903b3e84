#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the manual page of what `sekisho check` looks for from the program's own list, so that the two never differ.

rules.py SEKISHO VERSION >PAGE
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from roff import verbatim

PREAMBLE = """\
.SH NAME
sekisho\\-check \\- what sekisho check looks for, and what to do about it
.SH SYNOPSIS
.B sekisho check
[\\-\\-config FILE | \\-\\-routes FILE,...] [\\-\\-strict] [\\-\\-json]
.SH DESCRIPTION
A rule has a name, for scripts to rely on, and one severity: an
.I error
will not work and makes the exit status 1, a
.I warning
is probably not what is meant and does so with \\-\\-strict only, a
.I note
is good to know. A rule whose facts are not known where it runs, the addresses of an interface that this machine does not have
say, finds nothing; that the interface is missing is a warning, as the configuration may be for another machine."""

SEE_ALSO = """\
.SH SEE ALSO
.BR sekisho (1),
.BR sekisho\\-control (8)"""


def section(rules: list[dict[str, str]], severity: str) -> Iterator[str]:
    yield f".SH {severity.upper()}S"
    for rule in rules:
        if rule["severity"] == severity:
            yield f".TP\n.B {verbatim(rule['rule'])}\n{verbatim(rule['why'])}\n.br\n{verbatim(rule['remedy'])}"


def main() -> None:
    program, version = sys.argv[1:]
    done = subprocess.run([program, "check", "--list", "--json"], check=True, capture_output=True, text=True)
    rules = json.loads(done.stdout)
    print(f'.TH SEKISHO\\-CHECK 7 "" "Sekisho {version}"')
    print(PREAMBLE)
    for severity in ("error", "warning", "note"):
        print("\n".join(section(rules, severity)))
    print(SEE_ALSO)


main()
