#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes what is said of the configuration's keys from the table by which it is read, `sekisho keys --json`.

keys_page.py SEKISHO VERSION >PAGE     sekisho.toml(5)
keys_page.py SEKISHO --update FILE     the tables of doc/configuration.md, between its two marks
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from scdoc import literal, marked, page, plain, term

BEGIN = "<!-- sekisho keys: made by doc/keys_page.py, to be changed in control/config/keys_*.cpp -->\n"
END = "<!-- end of sekisho keys -->\n"
MANUAL = Path(__file__).parent / "man" / "sekisho.toml.scd"

Table = dict[str, Any]


def tables(program: str) -> list[Table]:
    done = subprocess.run([program, "keys", "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def choices(key: Table) -> str:
    """What it may be: "50ms to 1h", or the words."""
    return key["range"] or ", ".join(f'"{word}"' for word in key["words"])


def manual(known: list[Table], version: str) -> str:
    before, _, after = MANUAL.read_text().partition("# KEYS\n")
    lines = [f'sekisho.toml(5) "Sekisho {version}"\n', before.strip("\n"), "# KEYS\n" + after.split("\n# ", 1)[0].rstrip("\n")]
    for table in known:
        lines += [f"## {table['table']}", marked(table["what"])]
        for key in table["keys"]:
            facts = [key["type"]]
            facts += ["required"] if key["required"] else []
            facts += [f"default {key['default']}"] if key["default"] is not None else []
            facts += [choices(key)] if choices(key) else []
            meaning = marked(key["meaning"])
            example = literal([f"{key['key']} = {key['example']}"])
            lines.append(term(f"*{plain(key['key'])}*", f"{plain('; '.join(facts))}.\n\n{meaning}\n\n{example}"))
    lines.append("# " + after.split("\n# ", 1)[1].strip("\n"))
    return page("\n\n".join(lines) + "\n")


def markdown(known: list[Table]) -> str:
    lines = []
    for table in known:
        lines += [f"### `{table['table']}`", "", table["what"], "", "| key | type | default | may be | what |", "|---|---|---|---|---|"]
        for key in table["keys"]:
            default = "required" if key["required"] else f"`{key['default']}`" if key["default"] is not None else ""
            lines.append(f"| `{key['key']}` | {key['type']} | {default} | {choices(key)} | {key['meaning']} |")
        lines.append("")
    return "\n".join(lines)


def updated(text: str, known: list[Table]) -> str:
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{markdown(known)}\n{END}{after}"


def main() -> None:
    program, *words = sys.argv[1:]
    if words[0] == "--update":
        file = Path(words[1])
        file.write_text(updated(file.read_text(), tables(program)))
    else:
        sys.stdout.write(manual(tables(program), words[0]))


if __name__ == "__main__":
    main()
