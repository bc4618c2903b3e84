# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho effective-routes`: what Azure itself printed, computed from what lies behind it."""

import contextlib
import json
import os
import pathlib

import pytest
from control_socket import ControlSocket

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "effective"
DATA = pathlib.Path(os.environ.get("SEKISHO_DATA", ROOT.parent / "shared" / "data")) / "azure"

# The rows that Azure printed for three subnets: source, state, prefix, type, address.
HALVES = {
    ("Default", "Active", "10.1.0.0/16", "VnetLocal", ""),
    ("Default", "Active", "10.8.0.0/16", "VNetPeering", ""),
    ("VirtualNetworkGateway", "Active", "0.0.0.0/1", "VirtualNetworkGateway", "10.1.0.6"),
    ("VirtualNetworkGateway", "Active", "0.0.0.0/1", "VirtualNetworkGateway", "10.1.0.7"),
    ("VirtualNetworkGateway", "Active", "128.0.0.0/1", "VirtualNetworkGateway", "10.1.0.6"),
    ("VirtualNetworkGateway", "Active", "128.0.0.0/1", "VirtualNetworkGateway", "10.1.0.7"),
    ("Default", "Active", "0.0.0.0/0", "Internet", ""),
}
OVERRIDDEN = {
    ("Default", "Active", "172.16.0.0/16", "VnetLocal", ""),
    ("VirtualNetworkGateway", "Active", "172.22.2.0/24", "VirtualNetworkGateway", "172.16.1.4"),
    ("VirtualNetworkGateway", "Active", "172.22.2.0/24", "VirtualNetworkGateway", "172.16.1.5"),
    ("Default", "Invalid", "0.0.0.0/0", "Internet", ""),
    ("User", "Active", "0.0.0.0/0", "None", ""),
}
NONE = ["10.0.0.0/8", "100.64.0.0/10", "192.168.0.0/16", "25.33.80.0/20", "25.41.3.0/25"]
ENDPOINTS = ["191.239.224.0/26", "191.239.203.0/28", "191.239.192.0/26", "191.238.66.0/26", "13.70.99.48/28",
             "13.69.40.16/28", "13.65.107.32/28"]
ENDPOINT_ROWS = {
    ("Default", "Active", "10.0.0.0/24", "VnetLocal", ""),
    ("Default", "Active", "10.1.0.0/24", "VNetPeering", ""),
    ("Default", "Active", "0.0.0.0/0", "Internet", ""),
    *(("Default", "Active", prefix, "None", "") for prefix in NONE),
    *(("Default", "Active", prefix, "VirtualNetworkServiceEndpoint", "") for prefix in ENDPOINTS),
}
SUBNETS = {
    "halves": (HALVES, ["--vnet", "10.1.0.0/16", "--peering", "10.8.0.0/16", "--none", "", "--gateway-routes",
                        FIXTURES / "halves.txt"]),
    "overridden": (OVERRIDDEN, ["--vnet", "172.16.0.0/16", "--none", "", "--gateway-routes", FIXTURES / "branch.txt",
                                "--routes", FIXTURES / "drop-default.json"]),
    "service-endpoint": (ENDPOINT_ROWS, ["--vnet", "10.0.0.0/24", "--peering", "10.1.0.0/24", "--none", ",".join(NONE),
                                         "--service-endpoint", ",".join(ENDPOINTS)]),
}


def rows_of_json(text):
    document = json.loads(text)
    assert document["nextLink"] is None
    return [(route["source"], route["state"], prefix, route["nextHopType"], " ".join(route["nextHopIpAddress"]))
            for route in document["value"] for prefix in route["addressPrefix"]]


def rows_of_table(text):
    titles, rule, *lines = text.splitlines()
    starts = [0] + [i + 2 for i in range(len(rule) - 1) if rule[i:i + 2] == "  "]
    assert [titles[a:b].strip() for a, b in zip(starts, starts[1:] + [None])][:5] == [
        "Source", "State", "Address Prefix", "Next Hop Type", "Next Hop IP"]
    return [(*words[:4], words[4] if len(words) > 4 else "") for words in map(str.split, lines)]


@pytest.fixture
def effective(sekisho):
    def run(*arguments):
        done = sekisho("effective-routes", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def subnet(effective):
    """As (source, state, prefix, type) to what overrode it."""

    def run(*arguments):
        routes = json.loads(effective("--json", "--winners", *arguments))["value"]
        return {(route["source"], route["state"], route["addressPrefix"][0], route["nextHopType"]): route["overriddenBy"]
                for route in routes}

    return run


@pytest.mark.parametrize("name", SUBNETS)
def test_a_subnet_has_what_azure_prints(effective, name):
    expected, arguments = SUBNETS[name]
    for rows in (rows_of_json(effective("--json", *arguments)), rows_of_table(effective(*arguments)),
                 rows_of_table(effective("--table", *arguments))):
        assert len(rows) == len(set(rows)) and set(rows) == expected


# That the rows expected above are Azure's own. Its outputs are not in the repository, so only where the folder is.
if DATA.is_dir():

    @pytest.mark.parametrize("name", SUBNETS)
    def test_what_azure_prints_is_what_azure_printed(name):
        file = next(DATA.glob(f"effective-routes-{name}.*"))
        rows = rows_of_json(file.read_text()) if file.suffix == ".json" else rows_of_table(file.read_text())
        assert set(rows) == SUBNETS[name][0]


def test_json_has_azures_members_and_no_others(effective):
    routes = json.loads(effective("--json", *SUBNETS["overridden"][1]))["value"]
    default = next(route for route in routes if route["source"] == "User")
    assert default == {"addressPrefix": ["0.0.0.0/0"], "destinationServiceTags": [], "disableBgpRoutePropagation": False,
                       "hasBgpOverride": False, "name": "nowhere", "nextHopIpAddress": [], "nextHopType": "None",
                       "source": "User", "state": "Active", "tagMap": {}}


def test_effective_routes_are_read_back(effective, tmp_path):
    printed = tmp_path / "printed.json"
    printed.write_text(effective("--json", *SUBNETS["overridden"][1]))
    rows = rows_of_json(effective("--json", "--vnet", "172.16.0.0/16", "--none", "", "--gateway-routes", printed,
                                  "--routes", printed))
    assert set(rows) == OVERRIDDEN


def test_winners_are_named(subnet, effective):
    arguments = ["--vnet", "10.0.0.0/8,10.1.0.0/16", "--gateway-routes", FIXTURES / "halves.txt", "--gateway-routes",
                 FIXTURES / "branch.txt", "--peering", "172.22.0.0/16", "--routes", FIXTURES / "drop-default.json"]
    routes = subnet(*arguments)
    by = routes["Default", "Invalid", "0.0.0.0/0", "Internet"]
    assert by == {"addressPrefix": ["0.0.0.0/0"], "nextHopIpAddress": [], "nextHopType": "None", "source": "User"}
    by = routes["VirtualNetworkGateway", "Invalid", "172.22.2.0/24", "VirtualNetworkGateway"]
    assert (by["source"], by["addressPrefix"], by["nextHopType"]) == ("Default", ["172.22.0.0/16"], "VNetPeering")
    assert routes["VirtualNetworkGateway", "Active", "0.0.0.0/1", "VirtualNetworkGateway"] is None
    assert ("Default", "Active", "10.0.0.0/8", "VnetLocal") in routes
    assert not [route for route in routes if route[2:] == ("10.0.0.0/8", "None")], "the VNet's takes its place"
    assert ("Default", "Active", "172.16.0.0/12", "None") in routes
    table = effective("--winners", *arguments)
    assert table.splitlines()[0].endswith("Overridden By")
    assert "User 0.0.0.0/0 None\n" in table and "Default 172.22.0.0/16 VNetPeering\n" in table


def test_a_table_without_propagation_keeps_bgp_out(sekisho):
    done = sekisho("effective-routes", "--json", "--vnet", "10.1.0.0/16", "--gateway-routes", FIXTURES / "halves.txt",
                   "--routes", FIXTURES / "no-propagation.json", "--service-tags", FIXTURES / "service-tags.json")
    assert done.returncode == 0 and "disableBgpRoutePropagation" in done.stderr
    routes = json.loads(done.stdout)["value"]
    assert {route["source"] for route in routes} == {"Default", "User"}
    assert {route["disableBgpRoutePropagation"] for route in routes} == {True}
    tagged = [route for route in routes if route["source"] == "User"]
    assert {(route["addressPrefix"][0], route["name"]) for route in tagged} == {
        ("192.0.2.0/25", "tagged"), ("198.51.100.0/28", "tagged")}


def test_a_service_endpoint_may_be_a_tag(subnet):
    routes = subnet("--vnet", "10.1.0.0/16", "--service-endpoint", "sample.tag,203.0.113.0/24", "--service-tags",
                    FIXTURES / "service-tags.json")
    assert {route[2] for route in routes if route[3] == "VirtualNetworkServiceEndpoint"} == {
        "192.0.2.0/25", "198.51.100.0/28", "203.0.113.0/24"}


@pytest.mark.parametrize("option, content, why", [
    ("--gateway-routes", "10.0.0.0/8 firewall\n", ":1: BGP tells an address for the next hop of 10.0.0.0/8, not \"firewall\""),
    ("--gateway-routes", "\n10.0.0.0/8 None\n", ":2: BGP tells an address"),
    ("--gateway-routes", "10.0.0.1/8\n", ":1: host bits"),
    ("--routes", "0.0.0.0/0 None\n10.0.0.0/8 firewall\n", ":2: 10.0.0.0/8 needs an address"),
    ("--routes", "10.0.0.0/8\n", ":1: 10.0.0.0/8 needs an address"),
    ("--routes", '{"values": [{"name": "A", "properties": {"networkFeatures": ["UDR"], "addressPrefixes": ["10.0.0.0/8"]}}]}', ": is not a route table"),
    ("--routes", (FIXTURES / "no-propagation.json").read_text(), "give --service-tags"),
])
def test_a_bad_file_is_named(refused, tmp_path, option, content, why):
    file = tmp_path / "routes"
    file.write_text(content)
    sentence = refused("effective-routes", "--vnet", "10.1.0.0/16", option, file)
    assert str(file) in sentence and why in sentence


def test_missing_files_and_tags(refused, tmp_path):
    vnet = ["effective-routes", "--vnet", "10.1.0.0/16"]
    for option in ("--routes", "--gateway-routes", "--service-tags"):
        assert str(tmp_path / "none") in refused(*vnet, option, tmp_path / "none")
    assert refused(*vnet, "--service-endpoint", "Nothing").startswith(
        'sekisho: --service-endpoint: "Nothing" is not a prefix; a service tag requires')
    for word in ("Nothing", "10.0.0.0/33"):
        sentence = refused(*vnet, "--service-endpoint", word, "--service-tags", FIXTURES / "service-tags.json")
        assert f'service-tags.json: service endpoint "{word}" is neither' in sentence


def test_a_route_of_a_route_table_is_refused_by_its_name(refused):
    file = FIXTURES / "drop-default.json"
    assert f'{file}: BGP tells an address for the next hop of 0.0.0.0/0 ("nowhere"), not' in refused(
        "effective-routes", "--vnet", "10.1.0.0/16", "--gateway-routes", file)


def test_ipv6_is_not_left_out_silently(sekisho, tmp_path):
    file = tmp_path / "udr.json"
    file.write_text('{"routes": [{"name": "six", "addressPrefix": "2001:db8::/32", "nextHopType": "None"}, '
                    '{"name": "four", "addressPrefix": "10.0.0.0/8", "nextHopType": "None"}]}')
    for arguments in (["effective-routes", "--vnet", "10.1.0.0/16", "--routes", file], ["diff", file, file],
                      ["lookup", "--routes", file, "1.1.1.1"]):
        done = sekisho(*arguments)
        assert done.returncode == 0 and f"note: {file}: 1 IPv6 prefix is left out\n" in done.stderr, (arguments, done)


@pytest.mark.parametrize("word, taken", [("None", True), (None, True), ("All", False), ("all", False)])
def test_a_route_table_keeps_peering_routes_off_its_subnets(sekisho, tmp_path, word, taken):
    file = tmp_path / "udr.json"
    file.write_text(json.dumps({"name": "rt", "properties": {
        **({} if word is None else {"disablePeeringRoute": word}),
        "routes": [{"name": "r", "properties": {"addressPrefix": "10.0.0.0/8", "nextHopType": "VirtualAppliance",
                                                "nextHopIpAddress": "10.1.0.4"}}]}}))
    done = sekisho("effective-routes", "--vnet", "10.1.0.0/16", "--peering", "10.8.0.0/16", "--routes", file)
    assert done.returncode == 0 and ("VNetPeering" in done.stdout) == taken, done
    assert ("peering routes are left out: a route table of the subnet has disablePeeringRoute" in done.stderr) != taken, done
    assert "is not known" not in done.stderr
    again = sekisho("routes", "convert", "--to", "azure", file)
    assert ("disablePeeringRoute" in again.stdout) != taken, again


def test_a_word_that_disables_no_peering_is_refused(refused, tmp_path):
    file = tmp_path / "udr.json"
    file.write_text('{"name": "rt", "properties": {"disablePeeringRoute": "Some", "routes": []}}')
    assert 'is "Some" where "All" or "None" is expected' in refused(
        "effective-routes", "--vnet", "10.1.0.0/16", "--routes", file)


@pytest.mark.parametrize("route, stay", [
    ("0.0.0.0/0 10.0.2.4", False), ("0.0.0.0/0 VirtualNetworkGateway", False), ("0.0.0.0/0 Internet", True), ("0.0.0.0/0 None", True),
    ("0.0.0.0/1 10.0.2.4\n128.0.0.0/1 10.0.2.4", True),
])
def test_none_routes_are_there_while_the_default_leads_to_the_internet(effective, tmp_path, route, stay):
    file = tmp_path / "udr.txt"
    file.write_text(route + "\n")
    rows = rows_of_json(effective("--vnet", "10.1.0.0/16", "--routes", file, "--json"))
    none = {row[2] for row in rows if row[0] == "Default" and row[3] == "None"}
    assert bool(none) == stay
    assert not stay or {"10.0.0.0/8", "100.64.0.0/10", "157.59.0.0/16"} <= none


def test_no_none_route_inside_the_vnet(effective):
    rows = rows_of_json(effective("--vnet", "10.0.0.0/7,192.168.0.0/16", "--json"))
    none = {row[2] for row in rows if row[3] == "None"}
    assert "172.16.0.0/12" in none and not none & {"10.0.0.0/8", "192.168.0.0/16"}


def test_wrong_usage(sekisho):
    for arguments in ([], ["--zone", "a", "--vnet", "10.0.0.0/8"], ["--vnet", "10.0.0.1/8"], ["--vnet", "10.0.0.0/8,x"], ["--vnet", ""],
                      ["--config", "a.toml"], ["--zone", "a", "--peering", "10.0.0.0/8"],
                      ["--vnet", "10.0.0.0/8", "--json", "--table"], ["--vnet", "10.0.0.0/8", "--peer", "x"]):
        done = sekisho("effective-routes", *arguments)
        assert done.returncode == 2 and done.stderr and not done.stdout, (arguments, done)
    assert "Examples:" in sekisho("effective-routes", "--help").stdout


CONFIG = """\
[port.lan]
device = "af_xdp:lan0"
[next_hop.firewall]
members = ["10.0.2.11", "10.0.2.10"]
[next_hop.vnet]
members = ["10.0.1.20"]
[internet]
via = "firewall"
install = "halves"
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
routes = [{ prefix = "10.0.0.0/8", next_hop = "vnet" }, { prefix = "192.0.2.0/24", next_hop = "None" }]
"""


def test_a_zone_of_a_configuration(effective, refused, tmp_path):
    file = tmp_path / "sekisho.toml"
    file.write_text(CONFIG)
    rows = rows_of_json(effective("--config", file, "--zone", "onprem", "--json"))
    ecmp = "10.0.2.10 10.0.2.11"
    assert {
        ("Default", "Active", "0.0.0.0/1", "VirtualApplianceEcmp", ecmp),
        ("Default", "Active", "128.0.0.0/1", "VirtualApplianceEcmp", ecmp),
        ("Default", "Active", "172.16.0.0/12", "None", ""),
        ("User", "Active", "10.0.0.0/8", "VirtualAppliance", "10.0.1.20"),
        ("Default", "Invalid", "10.0.0.0/8", "None", ""),
        ("User", "Active", "192.0.2.0/24", "None", ""),
    } <= set(rows)
    assert "Default 10.0.0.0/8" not in effective("--config", file, "--zone", "onprem")
    assert "User 10.0.0.0/8 VirtualAppliance 10.0.1.20" in effective("--config", file, "--zone", "onprem", "--winners")
    assert 'there is no zone "dmz"' in refused("effective-routes", "--config", file, "--zone", "dmz")
    assert str(tmp_path / "no.toml") in refused("effective-routes", "--config", tmp_path / "no.toml", "--zone", "onprem")


def test_what_the_dataplane_drops_whatever_the_routes_is_not_in_force(effective, tmp_path):
    file = tmp_path / "sekisho.toml"
    file.write_text(CONFIG.replace("routes = [", 'routes = [{ prefix = "127.0.0.0/8", next_hop = "vnet" }, '
                                                 '{ prefix = "240.0.0.0/4", next_hop = "None" }, '))
    rows = rows_of_json(effective("--config", file, "--zone", "onprem", "--json"))
    assert ("User", "Invalid", "127.0.0.0/8", "VirtualAppliance", "10.0.1.20") in rows
    assert {("User", "Active", "240.0.0.0/4", "None", ""), ("Default", "Active", "169.254.169.254/32", "None", "")} <= set(rows)
    shown = effective("--config", file, "--zone", "onprem", "--winners")
    assert [line for line in shown.splitlines() if "127.0.0.0/8" in line and line.endswith("Default 127.0.0.0/8 None")]
    # Of a subnet in Azure, Azure says what is in force.
    table = tmp_path / "routes.txt"
    table.write_text("127.0.0.0/8 10.0.1.20\n")
    assert ("User", "Active", "127.0.0.0/8", "VirtualAppliance", "10.0.1.20") in rows_of_json(
        effective("--vnet", "10.0.0.0/16", "--routes", table, "--json"))


def test_a_zone_that_runs(sekisho, refused, tmp_path):
    def element(prefix):
        return {"addressPrefix": [prefix], "nextHopIpAddress": [], "nextHopType": "None", "source": "User", "state": "Active"}

    pages = [[element("10.0.0.0/8")], [element("11.0.0.0/8"), element("12.0.0.0/8")]]
    path = tmp_path / "control.sock"
    with contextlib.closing(ControlSocket(path, lambda request: pages if request["zone"] == "onprem" else "no")) as control:
        done = sekisho("--socket", path, "effective-routes", "--zone", "onprem", "--json")
        assert json.loads(done.stdout) == {"nextLink": None, "value": pages[0] + pages[1]}
        assert [row[2] for row in rows_of_table(sekisho("--socket", path, "effective-routes", "--zone", "onprem").stdout)] == [
            "10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8"]
        assert refused("--socket", path, "effective-routes", "--zone", "dmz") == "sekisho: no\n"
    assert control.asked[0] == {"command": "effective-routes", "zone": "onprem", "winners": False}
