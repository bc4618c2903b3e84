# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho check` and `sekisho explain --config`: what a configuration means, without a daemon."""

import json
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

CONFIG = """\
[port.lan]
device = "af_xdp:lan0"
[port.egress]
device = "af_xdp:egress0"
[next_hop.firewall]
members = ["10.0.2.10", "10.0.2.11"]
[next_hop.kms-gateway]
members = ["10.0.2.20"]
[next_hop.vnet]
members = ["10.0.1.20"]
[internet]
via = "firewall"
install = "halves"
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
routes = [
  { prefix = "10.0.0.0/16", next_hop = "vnet" },
  { prefix = "10.0.0.0/8", next_hop = "vnet" },
  { preset = "kms", cloud = "public", next_hop = "kms-gateway" },
  "overrides.txt",
]
[zone.internet]
port = ["egress"]
sources = ["0.0.0.0/0"]
routes = [{ prefix = "172.16.0.0/12", next_hop = "vnet" }]
"""
OVERRIDES = "192.0.2.0/24 None\n10.0.0.0/16 kms-gateway\n"
PLAIN = "192.0.2.0/24 None\n"  # nothing to warn of


@pytest.fixture
def config(tmp_path):
    def write(content=CONFIG, overrides=OVERRIDES):
        (tmp_path / "overrides.txt").write_text(overrides)
        file = tmp_path / "sekisho.toml"
        file.write_text(content)
        return file

    return write


@pytest.fixture
def explain(sekisho, config):
    file = config()

    def run(source, destination, *more):
        done = sekisho("explain", "--json", "--config", file, source, destination, *more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def line_of(text, content=CONFIG):
    return next(number for number, line in enumerate(content.splitlines(), 1) if text in line)


def test_check_says_what_a_configuration_means(sekisho, config):
    file = config()
    done = sekisho("check", "--config", file)
    assert done.returncode == 0, done.stderr
    # Nothing is good that somebody is warned of: here of interfaces that are not on this machine.
    assert f"{file} has no error and" in done.stdout and "is good" not in done.stdout
    result = json.loads(sekisho("check", "--json", "--config", file).stdout)
    assert [port["name"] for port in result["ports"]] == ["egress", "lan"]
    assert {hop["name"]: hop["members"] for hop in result["next_hops"]}["firewall"] == ["10.0.2.10", "10.0.2.11"]
    zones = {zone["name"]: zone for zone in result["zones"]}
    assert zones["internet"]["routes"] == 3 and zones["onprem"]["internet"] is True
    # Azure's two host addresses, two halves, four None routes, of which 10/8 has an override, 10.0/16, 192.0.2/24, the KMS addresses
    kms = zones["onprem"]["routes"] - 10
    assert 1 <= kms <= 5
    duplicate, = (finding for finding in result["findings"] if finding["rule"] == "duplicate-route")
    assert duplicate["where"] == f"{file.parent / 'overrides.txt'}:2" and "10.0.0.0/16" in duplicate["what"]
    assert sekisho("check", "--config", file).stdout.count("overrides.txt:2") == 1


@pytest.mark.parametrize("old, new, why", [
    ('next_hop = "vnet" },\n  { preset', 'next_hop = "nobody" },\n  { preset', "nobody"),
    ('install = "halves"', 'install = "thirds"', "thirds"),
    ('prefix = "10.0.0.0/8"', 'prefix = "10.0.0.1/8"', "host bits"),
    ('install = "halves"', 'instal = "halves"', "instal"),
])
def test_a_refused_configuration_is_named_with_its_line(refused, config, old, new, why):
    content = CONFIG.replace(old, new)
    assert content != CONFIG
    changed = next(n for n, (a, b) in enumerate(zip(CONFIG.splitlines(), content.splitlines()), 1) if a != b)
    file = config(content)
    for arguments in (["check"], ["explain", "172.16.0.1", "1.1.1.1"], ["guard", "on"]):
        if arguments == ["guard", "on"] and "next_hop" in old:
            continue
        sentence = refused(*arguments, "--config", file)
        assert f"{file}:{changed}: " in sentence and why in sentence


def test_a_bad_route_file_refuses_the_configuration(refused, config, tmp_path):
    file = config(overrides="192.0.2.0/24 None\n\n10.0.0.0/16 nobody\n")
    sentence = refused("check", "--config", file)
    assert f"{tmp_path / 'overrides.txt'}:3: " in sentence and "nobody" in sentence


@pytest.mark.parametrize("old, new, rule", [
    ('via = "firewall"', 'via = "nobody"', "refused"),
    ('next_hop = "kms-gateway" },', 'next_hop = "Internet" },', "internet-without-exit"),
])
def test_a_refusal_is_a_finding_too(sekisho, config, old, new, rule):
    file = config(CONFIG.replace(old, new))
    done = sekisho("check", "--json", "--config", file)
    assert done.returncode == 1
    finding, = json.loads(done.stdout)["findings"]
    assert (finding["rule"], finding["severity"]) == (rule, "error")
    assert done.stderr == f"sekisho: {finding['where']}: {finding['what']}\n"
    assert f"{rule}: {finding['where']}: {finding['what']}" in sekisho("check", "--config", file).stdout


WARNED = CONFIG.replace('{ preset = "kms", cloud = "public",', '{ prefix = "20.118.99.224/32",')
WRONG = CONFIG.replace('"10.0.0.0/8"', '"168.63.129.16/32"')


def test_findings_are_named_and_graded(sekisho, config):
    file = config(WARNED, PLAIN)
    findings = json.loads(sekisho("check", "--json", "--config", file).stdout)["findings"]
    here = [finding for finding in findings if finding["rule"] == "no-interface"]
    assert [finding["where"] for finding in here] == [f"{file}:{line_of(port)}" for port in ("[port.egress]", "[port.lan]")]
    finding, = (finding for finding in findings if finding not in here)
    assert (finding["rule"], finding["severity"]) == ("kms-incomplete", "warning")
    assert finding["where"] == f"{file}:{line_of('20.118.99.224', WARNED)}"
    assert "but not 40.83.235.53, 23.102.135.246" in finding["what"] and finding["why"] and finding["remedy"]

    lines = sekisho("check", "--config", file).stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("warning  kms-incomplete: "))
    assert lines[at] == f"warning  kms-incomplete: {finding['where']}: {finding['what']}"
    assert lines[at + 1].strip() == f"-> {finding['remedy']}"
    explained = sekisho("check", "--explain", "--config", file).stdout
    assert finding["why"] in explained and finding["why"] not in "\n".join(lines)


# Two warnings are of interfaces that are not on this machine.
@pytest.mark.parametrize("content, overrides, arguments, sentence", [
    (CONFIG, PLAIN, [], None),
    (CONFIG, PLAIN, ["--strict"], "0 errors and 2 warnings"),
    (CONFIG, OVERRIDES, [], None),
    (CONFIG, OVERRIDES, ["--strict"], "0 errors and 3 warnings"),  # a prefix stands twice
    (WARNED, PLAIN, [], None),
    (WARNED, PLAIN, ["--strict"], "0 errors and 3 warnings"),
    (WRONG, PLAIN, [], "1 error"),
    (WRONG, PLAIN, ["--strict"], "1 error and 2 warnings"),
])
def test_the_exit_status_is_that_of_the_gravest(sekisho, config, content, overrides, arguments, sentence):
    file = config(content, overrides)
    for more in ([], ["--json"]):
        done = sekisho("check", "--config", file, *arguments, *more)
        assert (done.returncode, done.stderr) == ((1, f"sekisho: {sentence}\n") if sentence else (0, "")), done
        assert more or (f"{file} has no error and" in done.stdout) == (sentence is None)
        assert "is good" not in done.stdout


def udr(*routes):
    return json.dumps({"name": "spoke-rt", "disableBgpRoutePropagation": False, "routes": [
        {"name": f"r{number}", "addressPrefix": prefix, "nextHopType": kind} for number, (prefix, kind) in enumerate(routes)]})


def test_route_tables_without_a_configuration(sekisho, tmp_path):
    bad, good, tags = tmp_path / "bad.json", tmp_path / "good.json", tmp_path / "tags.json"
    bad.write_text(udr(("0.0.0.0/1", "VirtualNetworkGateway"), ("169.254.169.254/32", "Internet"), ("23.97.0.13/32", "Internet")))
    good.write_text(udr(("0.0.0.0/0", "Internet"), ("AzureCloud", "Internet")))
    tags.write_text(json.dumps({"changeNumber": 1, "cloud": "Public", "values": [{"name": "AzureCloud", "id": "", "properties": {
        "changeNumber": 1, "region": "", "regionId": 0, "platform": "Azure", "systemService": "",
        "addressPrefixes": ["20.0.0.0/16"], "networkFeatures": ["API", "NSG"]}}]}))

    def rules(*arguments):
        done = sekisho("check", "--json", "--routes", *arguments)
        result = json.loads(done.stdout)
        assert done.returncode == ("error" in {finding["severity"] for finding in result["findings"]})
        return [finding["rule"] for finding in result["findings"]]

    outbound = ["internet-needs-outbound"]
    assert rules(good) == outbound
    assert rules(f"{good},{bad}") == ["host-address-captured", "one-half", "kms-incomplete", *outbound, *outbound]
    assert rules(bad, "--cloud", "public") == ["host-address-captured", "one-half", "kms-incomplete", "kms-of-another-cloud", *outbound]
    assert "tag-without-udr" in rules(good, "--service-tags", tags)
    assert f"{good} is good" in sekisho("check", "--routes", good).stdout


def test_files_are_known_by_their_names(sekisho, config, tmp_path):
    config(PLAIN)
    assert sekisho("check", tmp_path / "sekisho.toml").stdout == sekisho("check", "--config", tmp_path / "sekisho.toml").stdout
    table = tmp_path / "udr.json"
    table.write_text(json.dumps({"name": "rt", "routes": [{"name": "r", "addressPrefix": "10.0.0.0/8", "nextHopType": "VirtualNetworkGateway"}]}))
    assert sekisho("check", table).returncode == 0
    done = sekisho("check", table, "--gateway", "expressroute")
    assert done.returncode == 1 and "udr-to-expressroute" in done.stdout, done
    done = sekisho("check", table, tmp_path / "sekisho.toml")
    assert done.returncode == 2 and "is one configuration, or route tables" in done.stderr, done
    assert sekisho("check", "--gateway", "vpn").returncode == 2


def test_an_unreadable_route_table(refused, tmp_path):
    assert f"{tmp_path / 'none.json'}: " in refused("check", "--routes", tmp_path / "none.json")
    assert "nonsense: cannot be opened" in refused("check", "nonsense")


def test_the_list_of_rules_is_the_manual(sekisho, build):
    rules = json.loads(sekisho("check", "--list", "--json").stdout)
    listed = sekisho("check", "--list").stdout
    names = [rule["rule"] for rule in rules]
    assert len(set(names)) == len(names) and {"halves-trap", "loop", "bypass", "refused"} <= set(names)
    for rule in rules:
        assert rule["severity"] in ("note", "warning", "error")
        assert all(rule[part] in listed for part in ("rule", "why", "remedy"))
    page = build / "doc" / "sekisho-check.7"
    assert page.exists(), f"{page} is not built"
    # In lines so long that none is broken.
    wide = {"MANWIDTH": "4000", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["man", "--nh", "--nj", "-l", page], capture_output=True, text=True, check=True, env=wide)
    lines = [line.strip() for line in done.stdout.splitlines()]
    for rule in rules:
        assert all(rule[part].replace("`", "") in lines for part in ("rule", "why", "remedy")), rule


def test_a_missing_configuration(refused, tmp_path):
    assert f"{tmp_path / 'none.toml'}: " in refused("check", "--config", tmp_path / "none.toml")


def test_explain_the_halves(explain):
    result = explain("172.16.0.10", "1.1.1.1", "--port", "lan")
    assert (result["zone"], result["source_prefix"], result["port_allowed"]) == ("onprem", "172.16.0.0/12", True)
    assert [(route["prefix"], route["origin"], route["wins"]) for route in result["candidates"]] == [
        ("0.0.0.0/1", "System", True)]
    assert result["candidates"][0]["line"] == line_of("[internet]")
    assert (result["next_hop"], result["verdict"], result["drop_reason"]) == ("firewall", "forward", None)
    assert [member["address"] for member in result["members"]] == ["10.0.2.10", "10.0.2.11"]
    assert {member["alive"] for member in result["members"]} == {None}, "nobody asked the kernel"


def test_explain_names_every_candidate_and_why(explain, tmp_path):
    candidates = explain("172.16.0.10", "10.0.3.4")["candidates"]
    assert [(route["prefix"], route["next_hop"], route["origin"], route["wins"]) for route in candidates] == [
        ("10.0.0.0/16", "kms-gateway", "User", True), ("10.0.0.0/16", "vnet", "User", False),
        ("10.0.0.0/8", "vnet", "User", False), ("10.0.0.0/8", "None", "System", False),
        ("0.0.0.0/1", "firewall", "System", False)]
    assert (candidates[0]["file"], candidates[0]["line"]) == (str(tmp_path / "overrides.txt"), 2)
    assert (candidates[1]["file"], candidates[1]["line"]) == (str(tmp_path / "sekisho.toml"), line_of('"10.0.0.0/16"'))
    assert candidates[0]["why"] == "last of two"
    assert candidates[4]["why"] == "shorter than 10.0.0.0/16"
    assert explain("172.16.0.10", "10.7.0.1")["candidates"][0]["why"] == "User before System"
    assert explain("172.16.0.10", "192.0.2.1")["candidates"][0]["why"] == "longest prefix"


def test_explain_names_the_member_of_a_flow(explain, sekisho, config):
    def member(*more):
        return explain("172.16.0.10", "1.1.1.1", "--port", "lan", *more)["member"]

    flows = [("--protocol", "tcp", "--source-port", str(port), "--destination-port", "443") for port in range(1000, 1040)]
    members = [member(*flow) for flow in flows]
    assert set(members) == {"10.0.2.10", "10.0.2.11"}, "every member has flows"
    assert members == [member(*flow) for flow in flows], "and keeps them"
    back = explain("1.1.1.1", "172.16.0.10", "--protocol", "tcp", "--source-port", "443", "--destination-port", "1000")
    assert back["flow"] == {"protocol": "tcp", "source_port": 443, "destination_port": 1000}
    assert member() == member("--protocol", "icmp") == member("--protocol", "1")
    assert explain("172.16.0.10", "192.168.1.1")["member"] is None, "what is dropped takes none"
    done = sekisho("explain", "--config", config(), "172.16.0.10", "1.1.1.1", *flows[0])
    assert f"tcp 172.16.0.10:1000 to 1.1.1.1:443 hashes to {members[0]}" in done.stdout


@pytest.mark.parametrize("more, why", [
    (("--protocol", "sctp"), "neither tcp, udp, icmp nor a number up to 255"),
    (("--source-port", "1"), "requires --protocol tcp or udp"),
    (("--protocol", "icmp", "--destination-port", "1"), "requires --protocol tcp or udp"),
    (("--protocol", "tcp", "--source-port", "65536"), "65536"),
])
def test_a_flow_that_cannot_be(sekisho, config, more, why):
    done = sekisho("explain", "--config", config(), "172.16.0.10", "1.1.1.1", *more)
    assert done.returncode == 2 and why in done.stderr


@pytest.mark.parametrize("source, destination, port, reason", [
    ("172.16.0.10", "192.168.1.1", "lan", "null_route"),      # private space
    ("172.16.0.10", "192.0.2.9", "lan", "null_route"),        # an override
    ("172.16.0.10", "1.1.1.1", "egress", "spoofed_source"),
    ("8.8.8.8", "172.16.0.10", "lan", "spoofed_source"),
    ("8.8.8.8", "9.9.9.9", "egress", "no_route"),
    ("127.0.0.1", "1.1.1.1", "lan", "martian_source"),
    ("172.16.0.10", "0.1.2.3", "lan", "martian_destination"),
    ("172.16.0.10", "224.0.0.5", "lan", "multicast"),
])
def test_explain_a_drop(explain, source, destination, port, reason):
    result = explain(source, destination, "--port", port)
    assert (result["verdict"], result["drop_reason"]) == ("drop", reason)
    assert result["sentence"]


def test_a_source_that_no_zone_has(sekisho, config):
    file = config(CONFIG.replace('"0.0.0.0/0"', '"192.0.2.0/24"'))
    done = sekisho("explain", "--config", file, "8.8.8.8", "1.1.1.1")
    assert done.returncode == 0 and "unknown_source" in done.stdout and "no zone has this source" in done.stdout


def test_explain_in_words(sekisho, config):
    done = sekisho("explain", "--config", config(), "172.16.0.10", "10.0.3.4", "--port", "lan")
    assert done.returncode == 0
    assert "onprem, by the source prefix 172.16.0.0/12; port lan is allowed" in done.stdout
    winner = next(line for line in done.stdout.splitlines() if line.strip().startswith("*"))
    assert winner.split()[1:4] == ["10.0.0.0/16", "kms-gateway", "User"] and "overrides.txt:2" in winner
    assert "\033" not in done.stdout, "no colour unless on a terminal"


def test_a_port_that_does_not_exist(refused, config):
    assert 'there is no port "wan"' in refused("explain", "--config", config(), "172.16.0.1", "1.1.1.1", "--port", "wan")


def test_a_command_that_does_not_exist_is_named(sekisho):
    for arguments in (["chek"], ["routes", "convrt"], ["chek", "--json"]):
        done = sekisho(*arguments)
        assert done.returncode == 2 and arguments[-1 if arguments[0] == "routes" else 0] in done.stderr, done
    assert "subcommand is required" in sekisho().stderr


def test_wrong_usage(sekisho):
    for arguments in (["explain", "172.16.0.1"], ["explain", "172.16.0.1", "x"], ["guard"],
                      ["show"], ["show", "nonsense"], ["show", "routes", "--longer"],
                      ["show", "routes", "--prefix", "10.0.0.1/8"], ["check", "--list", "--routes", "x"],
                      ["check", "--routes", "x", "--config", "y"], ["check", "--cloud", "public"],
                      ["check", "--routes", "x", "--cloud", "moon"]):
        done = sekisho(*arguments)
        assert done.returncode == 2 and done.stderr and not done.stdout, (arguments, done)


def test_help_and_version(sekisho):
    for arguments in (["--help"], ["lookup", "--help"], ["show", "routes", "--help"], ["explain", "-h"]):
        done = sekisho(*arguments)
        assert done.returncode == 0 and "Example" in done.stdout, (arguments, done)
    version = json.loads(sekisho("version", "--json").stdout)["version"]
    assert sekisho("version").stdout == f"sekisho {version}\n"
