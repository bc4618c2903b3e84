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

from scdoc import marked, page, plain, term

PREAMBLE = """\
# NAME

sekisho-check - what sekisho check looks for, and what to do about it

# SYNOPSIS

*sekisho check* [--config FILE | --routes FILE,...] [--strict] [--json]

# DESCRIPTION

A rule has a name, for scripts to rely on, and one severity: an _error_ will not work and makes the exit status 1, a _warning_
is probably not what is meant and does so with --strict only, a _note_ is good to know. A rule whose facts are not known where
it runs, the addresses of an interface that this machine does not have say, finds nothing; that the interface is missing is a
warning, as the configuration may be for another machine."""

SEE_ALSO = """\
# SEE ALSO

*sekisho*(1), *sekisho-check*(1), *sekisho.toml*(5), *sekisho-control*(8)
"""


def section(rules: list[dict[str, str]], severity: str) -> Iterator[str]:
    yield f"# {severity.upper()}S"
    for rule in rules:
        if rule["severity"] == severity:
            yield term(f"*{plain(rule['rule'])}*", f"{marked(rule['why'])}\n\n{marked(rule['remedy'])}")


def main() -> None:
    program, version = sys.argv[1:]
    done = subprocess.run([program, "check", "--list", "--json"], check=True, capture_output=True, text=True)
    rules = json.loads(done.stdout)
    parts = [f'sekisho-check(7) "Sekisho {version}"', PREAMBLE]
    for severity in ("error", "warning", "note"):
        parts += section(rules, severity)
    sys.stdout.write(page("\n\n".join([*parts, SEE_ALSO])))


main()
