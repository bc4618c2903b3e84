# SPDX-License-Identifier: BSD-3-Clause
"""The keys of the configuration, as the program says them and as doc/ has them."""

import json
import sys
from pathlib import Path

DOC = Path(__file__).resolve().parents[2] / "doc"


def keys_of(sekisho, *words):
    done = sekisho("keys", "--json", *words)
    assert done.returncode == 0, done.stderr
    return {(table["table"], key["key"]): key for table in json.loads(done.stdout) for key in table["keys"]}


def test_a_key_with_all_that_is_to_be_said_of_it(sekisho):
    known = keys_of(sekisho)
    interval = known["[next_hop.NAME.probe]", "interval"]
    assert interval.pop("meaning") == "From one probe to the next."
    assert interval == {
        "key": "interval", "type": "time", "required": False, "default": '"500ms"', "range": "50ms to 1h", "words": [], "example": '"1s"',
    }  # fmt: skip
    assert known["[port.NAME]", "device"]["required"]
    assert known["[port.NAME]", "device"]["default"] is None
    assert known["[guard]", "scope"]["words"] == ["host", "ports"]
    assert known["[next_hop.NAME]", "members"]["range"] == "1 to 64 entries"


def test_a_table_and_what_is_below_it(sekisho):
    tables = {table for table, _ in keys_of(sekisho, "next_hop")}
    assert tables == {"[next_hop.NAME]", "[[next_hop.NAME.members]]", "[next_hop.NAME.probe]"}
    assert {table for table, _ in keys_of(sekisho, "bgp.peer")} == {"[[bgp.peer]]"}


def test_text(sekisho):
    done = sekisho("keys", "metrics")
    assert done.returncode == 0
    assert done.stdout.split() == ["[metrics]", "KEY", "TYPE", "DEFAULT", "MAY", "BE", "listen", "string", "required", "-"]


def test_no_such_table(refused):
    assert refused("keys", "interent") == 'sekisho: there is no table "interent"; did you mean "internet"?\n'


def test_the_page_says_what_the_program_says(sekisho):
    """doc/keys_page.py build/control/sekisho --update doc/configuration.md mends it."""
    sys.path.insert(0, str(DOC))
    import keys_page

    page = (DOC / "configuration.md").read_text()
    assert keys_page.markdown(keys_page.tables(sekisho.binary)) in page
    assert keys_page.updated(page, keys_page.tables(sekisho.binary)) == page
