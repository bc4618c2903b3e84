# SPDX-License-Identifier: BSD-3-Clause
"""doc/api.md against what the program prints without a daemon, and against dataplane.proto. tests/net/test_api.py has the rest."""

import json
import re
import sys
from pathlib import Path

import pytest
from lab.appliance import BUILD
from lab.shape import documented, undocumented, unprinted

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "doc"))
from program_help import help_of, subcommands  # noqa: E402
CONFIG = """
[port.lan]
device = "net_null0"
address = ["10.0.1.4/24"]
[port.wan]
device = "net_null1"
address = ["10.0.2.4/24"]
[next_hop.firewall]
members = ["10.0.2.10", { address = "10.0.2.11", weight = 2 }]
[next_hop.other]
members = ["10.0.1.9"]
[internet]
via = "firewall"
exit = { port = "wan" }
[[assert]]
name = "by the firewall"
from = "zone:onprem"
to = "203.0.113.0/24"
via = "firewall"
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
routes = ["routes.txt", { prefix = "198.51.100.0/24", next_hop = "Internet" }]
[zone.back]
port = ["wan"]
sources = ["0.0.0.0/0"]
routes = [{ prefix = "172.16.0.0/12", next_hop = "other" }]
"""


@pytest.fixture(scope="module")
def printed(sekisho, tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    config, other, routes = folder / "sekisho.toml", folder / "other.toml", folder / "routes.txt"
    routes.write_text("10.0.0.0/8 None\n10.1.0.0/16 other\n10.1.0.0/16 firewall\n")
    config.write_text('include = ["more.toml"]\n' + CONFIG)
    (folder / "more.toml").write_text('[metrics]\nlisten = "127.0.0.1:9273"\n')
    other.write_text(CONFIG.replace('prefix = "198.51.100.0/24", next_hop = "Internet"', 'prefix = "203.0.113.0/24", next_hop = "other"'))
    (folder / "moved.txt").write_text("10.0.0.0/9 None\n10.1.0.0/16 None\n")
    result = {}

    def take(name, *words):
        done = sekisho(*words, "--json")
        assert done.stdout, done.stderr
        result.setdefault(name, []).append(json.loads(done.stdout))

    take("version", "version")
    take("presets", "presets")
    take("formats", "formats")
    take("keys", "keys")
    take("check --list", "check", "--list")
    for file in (config, other):
        take("check", "check", "--config", file)
        take("prove", "prove", "--config", file)
    take("prove --against", "prove", "--config", config, "--against", other)
    take("lookup --routes", "lookup", "--routes", routes, "10.1.2.3", "192.0.2.1", "--next-hop", "x")
    take("routes convert", "routes", "convert", "--to", "json", routes)
    for destination in ("1.1.1.1", "198.51.100.7", "10.2.3.4"):
        take("explain", "explain", "--config", config, "172.16.0.10", destination, "--protocol", "tcp", "--source-port", "1", "--destination-port", "2")
    take("effective-routes", "effective-routes", "--config", config, "--zone", "onprem")
    take("diff", "diff", routes, folder / "moved.txt")
    peers = folder / "peers.toml"
    peers.write_text(CONFIG + '[bgp]\nasn = 65010\npeer = [{ address = "10.0.1.7", asn = 65515 }]\n')
    take("bgp render", "bgp", "render", "--config", peers)
    take("bgp apply", "bgp", "apply", "--config", peers, "--file", folder / "frr.conf")
    return result


def test_every_field_is_on_the_page(printed):
    assert undocumented(printed) == []


def test_every_field_of_the_page_is_printed(printed):
    # Of what a dataplane adds to these tests/net asks one.
    assert unprinted({command: values for command, values in printed.items() if command != "explain"}) == []


def test_the_protocol_is_what_its_file_says():
    """doc/api_page.py common/ipc/dataplane.proto mends it."""
    sys.path.insert(0, str(ROOT / "doc"))
    import api_page

    proto = (ROOT / "common/ipc/dataplane.proto").read_text()
    page = (ROOT / "doc/api.md").read_text()
    made = api_page.messages(proto)
    assert api_page.between(page, "dataplane.proto", made) == page
    # No field is lost on the way.
    code = re.sub(r"//.*", "", proto)
    assert made.count("\n| `") == len(re.findall(r"= \d+\s*(?:\[[^]]*\])?;", code))


def test_every_command_has_a_section():
    def commands(*words):
        inner = subcommands(help_of([BUILD / "control/sekisho", *words]))
        return [each for word in inner for each in commands(*words, word)] or [" ".join(words)]

    page = (ROOT / "doc/api.md").read_text()
    known = documented()
    assert [each for each in commands() if each not in known and f"`{each}` prints nothing" not in page] == []


def test_every_kind_of_problem_is_on_the_page():
    code = (ROOT / "control/serve/problems.cpp").read_text()
    there = {(kind, {"bad": "bad", "warn": "warning"}[how]) for how, kind in re.findall(r'\b(bad|warn)\("(\w+)"', code)}
    there |= {(kind, {"true": "bad", "false": "warning"}[is_bad]) for kind, is_bad in re.findall(r'Problem\{"(\w+)",\s*(true|false)', code)}
    section = (ROOT / "doc/api.md").read_text().partition("### Kinds of problems")[2].partition("\n#")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", section, re.MULTILINE)
    assert {(kind, each) for kind, severities in rows for each in severities.split(" or ")} == there
