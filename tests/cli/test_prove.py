# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho prove --config`, and what `check` makes of an assertion that is false: without a daemon."""

import json

import pytest

CONFIG = """\
[port.lan]
device = "0000:00:04.0"
address = ["10.0.1.4/24"]
[port.egress]
device = "0000:00:05.0"
address = ["10.0.2.4/24"]
[next_hop.firewall]
members = ["10.0.2.10"]
[next_hop.partner]
members = ["10.0.1.1"]
[internet]
via = "firewall"
exit = { port = "egress" }
[azure.next_hop]
VirtualNetworkGateway = "partner"
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
routes = ["udr.txt", { preset = "kms", cloud = "public", next_hop = "Internet" }]
"""
ASSERT = """\
[[assert]]
name = "on-premises reaches the Internet by the firewall only"
from = "zone:onprem"
to = "internet"
via = "firewall"
except = ["preset:kms"]
"""


@pytest.fixture
def config(tmp_path):
    def write(content=CONFIG + ASSERT, udr="10.1.0.0/16 partner\n"):
        (tmp_path / "udr.txt").write_text(udr)
        file = tmp_path / "sekisho.toml"
        file.write_text(content)
        return file

    return write


def test_what_holds(sekisho, config):
    file = config()
    done = sekisho("prove", "--config", file)
    assert done.returncode == 0, done
    assert "holds  on-premises reaches the Internet by the firewall only" in done.stdout
    assert "2 of 2 assertions hold (says the file; what runs was not asked)" in done.stdout
    assert sekisho("check", "--config", file).returncode == 0
    answer = json.loads(sekisho("prove", "--json", "--config", file).stdout)
    assert answer["false"] == 0 and [one["built_in"] for one in answer["assertions"]] == [False, True]
    own = answer["assertions"][0]
    assert own["holds"] is True and own["destinations"] == 0 and own["counterexample"] is None
    assert own["line"] == CONFIG.count("\n") + 1


def test_what_is_false_comes_with_a_packet(sekisho, config):
    file = config(udr="203.0.113.0/24 VirtualNetworkGateway\n203.0.113.7/32 firewall\n")
    done = sekisho("prove", "--config", file)
    assert done.returncode == 1 and done.stderr == "", done
    assert "FALSE  on-premises reaches the Internet by the firewall only" in done.stdout
    assert "172.16.0.0 (zone onprem by 172.16.0.0/12) to 203.0.113.0" in done.stdout
    assert f"User route 203.0.113.0/24 to partner, {file.parent}/udr.txt:1" in done.stdout
    answer = json.loads(sekisho("prove", "--json", "--config", file).stdout)
    assert answer["false"] == 2
    for one in answer["assertions"]:
        assert one["destinations"] == 255 and one["counterexample"]["route"]["next_hop"] == "partner"
    # The packet is one that `explain` sends where `prove` says.
    packet = answer["assertions"][0]["counterexample"]
    explained = json.loads(
        sekisho("explain", "--json", "--config", file, packet["source"], packet["destination"]).stdout
    )
    assert explained["next_hop"] == "partner" and explained["zone"] == packet["zone"]


def test_check_refuses_what_is_false(sekisho, config):
    file = config(udr="203.0.113.0/24 VirtualNetworkGateway\n")
    done = sekisho("check", "--json", "--config", file)
    assert done.returncode == 1
    found = {one["rule"]: one for one in json.loads(done.stdout)["findings"] if one["severity"] == "error"}
    assert set(found) == {"assertion", "past-the-firewall"}
    assert found["assertion"]["where"] == f"{file}:{CONFIG.count(chr(10)) + 1}"
    assert "203.0.113.0" in found["assertion"]["what"]
    # Where nobody asserts anything, nothing is refused.
    file = config(CONFIG.replace('via = "firewall"', 'via = "firewall"\nassert = false'), "203.0.113.0/24 VirtualNetworkGateway\n")
    assert sekisho("check", "--config", file).returncode == 0
    done = sekisho("prove", "--config", file)
    assert done.returncode == 0 and done.stdout == "nothing is asserted: write [[assert]]\n"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("zone:onprem", "zone:onprm", 'there is no zone "onprm"; did you mean "onprem"?'),
        ('via = "firewall"', 'via = "firewal"', 'there is no next hop "firewal"; did you mean "firewall"?'),
        ('to = "internet"', 'to = "tag:Storage"', 'what "tag:Storage" means, a file tells'),
        ('to = "internet"', 'to = "8.8.8.8/8"', "host bits are set"),
        ('to = "internet"', 'too = "internet"', '"too" is not a key of [[assert]]; did you mean "to"?'),
        ("preset:kms", "preset:kmz", 'there is no preset "kmz"'),
    ],
)
def test_bad_assertions_are_refused_by_line(refused, config, old, new, reason):
    text = ASSERT.replace(old, new)
    line = 1 + next(number for number, row in enumerate((CONFIG + text).splitlines()) if new in row)
    file = config(CONFIG + text)
    assert refused("prove", "--config", file).startswith(f"sekisho: {file}:{line}: ")
    assert reason in refused("prove", "--config", file)


def test_an_assertion_without_a_packet_is_false(sekisho, config):
    file = config(CONFIG + ASSERT.replace('to = "internet"', 'to = "127.0.0.0/8"'))
    done = sekisho("prove", "--config", file)
    assert done.returncode == 1 and "says nothing: no table is asked about" in done.stdout


def test_against_another_configuration(sekisho, config, tmp_path):
    old = tmp_path / "old.toml"
    old.write_text(CONFIG.replace("udr.txt", "old.txt"))
    (tmp_path / "old.txt").write_text("10.1.0.0/16 partner\n8.8.8.0/24 None\n")
    new = config(udr="10.1.0.0/16 partner\n8.8.8.0/25 partner\n8.8.8.128/32 firewall\n")
    done = sekisho("prove", "--config", new, "--against", old)
    assert done.returncode == 0, done
    assert done.stdout.splitlines() == [
        "zone onprem, destinations",
        f"  {'8.8.8.0/25':<33} dropped -> partner",
        f"  {'8.8.8.128/25':<33} dropped -> firewall",
        "zone onprem: 256 destination addresses go elsewhere",
        "0 source addresses are of another zone",
    ]
    assert sekisho("prove", "--config", new, "--against", old, "--exit-code").returncode == 1
    assert sekisho("prove", "--config", new, "--against", new, "--exit-code").returncode == 0
    answer = json.loads(sekisho("prove", "--json", "--config", new, "--against", old).stdout)
    assert answer["zones"][0]["addresses"] == 256 and answer["sources"] == {"moved": [], "addresses": 0}
    assert answer["zones"][0]["moved"][0] == {
        "first": "8.8.8.0",
        "last": "8.8.8.127",
        "before": "dropped",
        "after": "partner",
    }
    # Zones that come and go, and a source that changes hands.
    new.write_text(CONFIG + '[zone.part]\nport = ["lan"]\nsources = ["172.16.5.0/24"]\n')
    said = sekisho("prove", "--config", new, "--against", old).stdout
    assert "zone part: is new\n" in said and f"  {'172.16.5.0/24':<33} onprem -> part\n" in said
