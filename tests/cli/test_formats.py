# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho formats`, and `--format` of every command that reads route files."""

import json

import pytest

EITHER = json.dumps({"resources": [], "values": [
    {"name": "A", "properties": {"addressPrefixes": ["192.0.2.0/24"], "networkFeatures": ["UDR"]}}]})


@pytest.fixture
def either(tmp_path):
    """A file of service tags that says "resources", or a template that says "values": nobody can know."""
    file = tmp_path / "either.json"
    file.write_text(EITHER)
    return file


def commands(file):
    return [["lookup", "--routes", file, "192.0.2.1"], ["routes", "convert", file], ["diff", file, file],
            ["check", "--routes", file], ["effective-routes", "--vnet", "10.1.0.0/16", "--gateway-routes", file]]


def test_all_formats_are_listed(sekisho):
    rows = json.loads(sekisho("formats", "--json").stdout)
    assert {"mrt", "azure", "azure-template", "terraform", "azure-effective", "azure-service-tags", "text"} <= {row["name"] for row in rows}
    assert all(row["holds"] and row["from"] for row in rows)
    assert {row["name"] for row in rows if row["written"]} == {"azure", "text"}
    lines = sekisho("formats").stdout.splitlines()
    assert lines[0].split() == ["NAME", "HOLDS", "FROM"] and [line.split()[0] for line in lines[1:]] == [row["name"] for row in rows]
    manual = sekisho("formats", "--help").stdout
    assert all(row["name"] in manual for row in rows)


def test_what_two_formats_recognise_is_refused_until_somebody_decides(sekisho, either):
    for command in commands(either):
        done = sekisho(*command)
        assert done.returncode == 1, (command, done)
        assert f"{either}: $: may be in any of several formats: --format says which, azure-template or azure-service-tags" \
            in done.stderr, (command, done)
    done = sekisho("lookup", "--format", "azure-service-tags", "--routes", either, "192.0.2.1")
    assert (done.returncode, done.stdout) == (0, "192.0.2.1 192.0.2.0/24 -\n"), done


def test_an_unknown_name_is_wrong_usage(sekisho, either):
    for command in commands(either):
        done = sekisho(*command, "--format", "azure-servicetags")
        assert done.returncode == 2 and 'there is no format "azure-servicetags"; did you mean "azure-service-tags"?' in done.stderr, done
