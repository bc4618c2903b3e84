# SPDX-License-Identifier: BSD-3-Clause
"""A configuration in several files: every command reads all of them, and whatever names a place names the right one."""

import json

import pytest

MAIN = """\
include = ["conf.d/*.toml"]
[port.lan]
device = "0000:00:04.0"
address = ["10.0.1.4/24"]
[port.egress]
device = "0000:00:05.0"
address = ["10.0.2.4/24"]
[next_hop.firewall]
members = ["10.0.2.10"]
[internet]
via = "firewall"
"""
PARTNER = """\
[next_hop.partner]
members = ["10.0.9.1"]
"""
ZONE = """\
# A zone of its own.

[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
routes = [
  "udr.txt",
  { prefix = "10.8.0.0/16", next_hop = "partner" },
]
[[assert]]
from = "zone:onprem"
to = "10.8.0.0/16"
via = "partner"
"""


@pytest.fixture
def config(tmp_path):
    def write(main=MAIN, zone=ZONE):
        (tmp_path / "conf.d").mkdir(exist_ok=True)
        (tmp_path / "conf.d/10-partner.toml").write_text(PARTNER)
        (tmp_path / "conf.d/20-onprem.toml").write_text(zone)
        (tmp_path / "udr.txt").write_text("10.1.0.0/16 partner\n")
        file = tmp_path / "sekisho.toml"
        file.write_text(main)
        return file

    return write


def test_check_reads_all_and_names_the_right_file(sekisho, config):
    file = config()
    done = sekisho("check", "--json", "--config", file)
    assert done.returncode == 1, "the partner is in no port's subnet"
    result = json.loads(done.stdout)
    assert result["configuration"] == str(file)
    assert result["include"] == ["conf.d/*.toml"]
    read = [str(file.parent / "conf.d" / name) for name in ("10-partner.toml", "20-onprem.toml")]
    assert result["included"] == read
    assert sekisho("check", "--config", file).stdout.splitlines()[:3] == ["INCLUDED", *read]
    assert [zone["name"] for zone in result["zones"]] == ["onprem"]
    where = {finding["where"] for finding in result["findings"] if "partner" in finding["what"]}
    assert f"{file.parent}/conf.d/10-partner.toml:1" in where, result["findings"]


def test_routes_and_assertions_are_named_with_their_file(sekisho, config):
    file = config()
    zone = str(file.parent / "conf.d/20-onprem.toml")
    said = json.loads(sekisho("explain", "--json", "--config", file, "172.16.0.1", "10.8.1.1").stdout)
    assert f'"file": "{zone}"' in json.dumps(said) and '"line": 9' in json.dumps(said)
    assert f"{zone}:9" in sekisho("explain", "--config", file, "172.16.0.1", "10.8.1.1").stdout
    (own,) = (
        one
        for one in json.loads(sekisho("prove", "--json", "--config", file).stdout)["assertions"]
        if not one["built_in"]
    )
    assert (own["file"], own["line"], own["holds"]) == (zone, 11, True)


def test_a_false_assertion_is_told_where_it_stands(sekisho, config):
    file = config(zone=ZONE.replace('via = "partner"', 'via = "firewall"'))
    for command in ("prove", "check"):
        done = sekisho(command, "--config", file)
        assert done.returncode == 1 and f"{file.parent}/conf.d/20-onprem.toml:11" in done.stdout, done


@pytest.mark.parametrize(
    "zone, line, why",
    [
        (ZONE + "[internet]\n", 15, '"internet" is in {main}:10 already'),
        (ZONE + "[next_hop.partner]\n", 15, 'next_hop "partner" is in {folder}/conf.d/10-partner.toml:1 already'),
        (ZONE.replace('next_hop = "partner"', 'next_hop = "nobody"'), 9, 'there is no next hop "nobody"'),
        (ZONE.replace('"lan"', '"egres"'), 4, 'there is no port "egres"; did you mean "egress"?'),
        ("include = []\n" + ZONE, 1, "only the configuration itself includes others"),
        (ZONE + '[port.x]\ndevice = "0000:00:04.0"\n', 16, "is the device of port lan already ({main}:3)"),
        (ZONE + "x = ", 15, ""),
    ],
)
def test_a_refusal_names_file_and_line(refused, config, zone, line, why):
    file = config(zone=zone)
    for command in (["check"], ["explain", "172.16.0.1", "1.1.1.1"], ["effective-routes", "--zone", "onprem"]):
        sentence = refused(*command, "--config", file)
        assert f"{file.parent}/conf.d/20-onprem.toml:{line}: " in sentence
        assert why.format(main=file, folder=file.parent) in sentence


def test_what_is_not_there(refused, sekisho, config):
    file = config(MAIN.replace("conf.d/*.toml", "conf.d/30-more.toml"))
    assert (
        refused("check", "--config", file)
        == f"sekisho: {file}:1: the included file {file.parent}/conf.d/30-more.toml does not exist\n"
    )
    file = config(MAIN.replace("conf.d/*.toml", "none.d/*.toml"))
    done = sekisho("check", "--config", file)
    assert done.returncode == 0 and done.stdout.startswith("includes none.d/*.toml, which no file matches\n"), done
    file = config(MAIN.partition("\n")[2])
    assert "includ" not in sekisho("check", "--config", file).stdout


def test_diff_of_two_that_differ_in_an_included_file(sekisho, config, tmp_path):
    before = config()
    after = tmp_path / "after.toml"
    after.write_text(MAIN.replace("conf.d/*.toml", "other.d/*.toml"))
    (tmp_path / "other.d").mkdir()
    (tmp_path / "other.d/partner.toml").write_text(PARTNER)
    (tmp_path / "other.d/onprem.toml").write_text(ZONE.replace("10.8.0.0/16", "10.9.0.0/16"))
    done = sekisho("diff", before, after)
    assert "10.8.0.0/16" in done.stdout and "10.9.0.0/16" in done.stdout, done


def test_doctor_reads_them(sekisho, config):
    file = config(zone=ZONE.replace('"lan"', '"egres"'))
    done = sekisho("doctor", "--config", file)
    assert f"{file.parent}/conf.d/20-onprem.toml:4: " in done.stdout + done.stderr, done
