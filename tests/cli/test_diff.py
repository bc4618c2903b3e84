# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho diff`: what separates two route tables, against Python's own arithmetic of networks."""

import contextlib
import ipaddress
import json
import random

import pytest
from control_socket import ControlSocket


@pytest.fixture
def write(tmp_path):
    def file(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else "".join(f"{p} {n}\n" for p, n in content.items()))
        return path

    return file


@pytest.fixture
def diff(sekisho):
    def run(*arguments):
        done = sekisho("diff", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_text(diff, write):
    a = write("a", "0.0.0.0/0 x\n10.0.0.0/8 x\n11.0.0.0/8 y\n")
    b = write("b", "0.0.0.0/0 x\n11.0.0.0/8 z\n12.0.0.0/24 y\n")
    assert diff(a, b).splitlines() == [
        "- 10.0.0.0/8 x",
        "~ 11.0.0.0/8 y -> z",
        "+ 12.0.0.0/24 y",
        "1 added, 1 removed, 1 changed; 16777472 of 2^32 addresses (0.3906 %) change their next hop",
    ]
    assert json.loads(diff("--json", a, b)) == {
        "changes": [
            {"change": "removed", "prefix": "10.0.0.0/8", "before": "x", "after": None},
            {"change": "changed", "prefix": "11.0.0.0/8", "before": "y", "after": "z"},
            {"change": "added", "prefix": "12.0.0.0/24", "before": None, "after": "y"},
        ],
        "added": 1, "removed": 1, "changed": 1, "addresses": (1 << 24) + 256,
    }


def test_the_same(diff, sekisho, write):
    a = write("a", "0.0.0.0/0 x\n")
    assert diff(a, a) == "0 added, 0 removed, 0 changed; 0 of 2^32 addresses (0 %) change their next hop\n"
    assert json.loads(diff("--json", a, a))["changes"] == []
    assert sekisho("diff", "--exit-code", a, a).returncode == 0


def test_exit_code_says_that_they_differ(sekisho, write):
    a, b = write("a", "0.0.0.0/0 x\n"), write("b", "0.0.0.0/0 y\n")
    assert sekisho("diff", a, b).returncode == 0
    for json_flag in ([], ["--json"]):
        done = sekisho("diff", "--exit-code", *json_flag, a, b)
        assert done.returncode == 1 and not done.stderr and done.stdout


def test_against_networks_of_python(diff, write):
    rng = random.Random(1)

    def table():
        result = {}
        for _ in range(40):
            length = rng.randint(22, 32)
            address = int(ipaddress.IPv4Address("192.0.0.0")) + rng.randrange(1024)
            result[ipaddress.ip_network((address >> (32 - length) << (32 - length), length))] = rng.choice("ab")
        return result

    def answers(routes):
        found = {}
        for network in sorted(routes, key=lambda each: each.prefixlen):
            found.update(dict.fromkeys(range(int(network[0]), int(network[-1]) + 1), routes[network]))
        return found

    for _ in range(5):
        a, b = table(), table()
        before, after = answers(a), answers(b)
        result = json.loads(diff("--json", write("a", a), write("b", b)))
        assert result["addresses"] == sum(before.get(x) != after.get(x) for x in before.keys() | after.keys())
        assert {(c["prefix"], c["before"], c["after"]) for c in result["changes"]} == {
            (str(n), a.get(n), b.get(n)) for n in a.keys() | b.keys() if a.get(n) != b.get(n)}


def test_rows_of_effective_routes_in_another_order_are_the_same(diff, write):
    def row(address):
        return {"addressPrefix": ["0.0.0.0/1"], "nextHopIpAddress": [address], "nextHopType": "VirtualNetworkGateway",
                "source": "VirtualNetworkGateway", "state": "Active"}

    def effective(name, *addresses):
        return write(name, json.dumps({"nextLink": None, "value": [row(address) for address in addresses]}))

    a, b = effective("a", "10.1.0.6", "10.1.0.7"), effective("b", "10.1.0.7", "10.1.0.6")
    assert json.loads(diff("--json", a, b))["addresses"] == 0
    assert diff(a, effective("c", "10.1.0.6")).startswith(
        "~ 0.0.0.0/1 VirtualNetworkGateway 10.1.0.6,10.1.0.7 -> VirtualNetworkGateway 10.1.0.6\n")


CONFIG = """\
[port.lan]
device = "af_xdp:lan0"
[next_hop.firewall]
members = ["10.0.2.10"]
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
routes = [{ prefix = "10.0.0.0/8", next_hop = "firewall" }, { prefix = "192.0.2.0/24", next_hop = "None" }]
"""


def test_a_configuration_against_what_runs(diff, refused, write, tmp_path):
    def answer(request):
        if request["zone"] != "onprem":
            return "there is no such zone"
        return [[{"prefix": "10.0.0.0/8", "next_hop": "firewall"}], [{"prefix": "11.0.0.0/8", "next_hop": "None"}]]

    new = write("new.toml", CONFIG)
    path = tmp_path / "control.sock"
    with contextlib.closing(ControlSocket(path, answer)) as control:
        for arguments in (["--zone", "onprem", "running", new], ["running:onprem", f"{new}:onprem"]):
            lines = diff("--socket", path, *arguments).splitlines()
            assert {"- 11.0.0.0/8 None", "+ 192.0.2.0/24 None"} <= set(lines)
            assert not [line for line in lines if "10.0.0.0/8" in line]
        assert "there is no such zone" in refused("--socket", path, "diff", "running:dmz", new.as_posix() + ":onprem")
    assert control.asked[0] == {"command": "show", "what": "routes", "zone": "onprem"}
    assert 'there is no zone "dmz"' in refused("diff", f"{new}:dmz", f"{new}:onprem")


def test_bad_files(refused, write, tmp_path):
    good = write("good", "0.0.0.0/0 x\n")
    for arguments in ([tmp_path / "none", good], [good, tmp_path / "none"]):
        assert f"{tmp_path / 'none'}: " in refused("diff", *arguments)
    assert ":2: " in refused("diff", good, write("bad", "\n10.0.0.1/8 x\n"))
    tagged = write("tagged.json", json.dumps(
        {"routes": [{"name": "r", "addressPrefix": "Storage", "nextHopType": "Internet"}], "name": "t"}))
    assert "give --service-tags" in refused("diff", good, tagged)


def test_wrong_usage(sekisho, write):
    good = write("good", "0.0.0.0/0 x\n")
    for arguments in ([], [good], ["running", good], [good, "new.toml"], [good, good, good]):
        done = sekisho("diff", *arguments)
        assert done.returncode == 2 and done.stderr and not done.stdout, (arguments, done)
    assert "Examples:" in sekisho("diff", "--help").stdout


@pytest.mark.parametrize(("before", "after"), [
    ({"NatGatewayId": "nat-a"}, {"NatGatewayId": "nat-b"}), ({"VpcPeeringConnectionId": "pcx-a"}, {"VpcPeeringConnectionId": "pcx-b"}),
    ({"GatewayId": "vgw-a"}, {"GatewayId": "vgw-b"})])
def test_another_next_hop_of_its_kind_is_another(write, diff, before, after):
    files = [write(name, json.dumps({"RouteTables": [{"RouteTableId": "rtb-a", "Routes": [{"DestinationCidrBlock": "10.9.0.0/16", **target}]}]}))
             for name, target in (("before", before), ("after", after))]
    (key, old), (_, new) = *before.items(), *after.items()
    assert "10.9.0.0/16" in (text := diff(*files)) and old in text and new in text, key


def test_another_tunnel_of_googles_is_another(write, diff):
    files = [write(tunnel, json.dumps([{"name": "r", "network": "https://x/projects/p/global/networks/n", "destRange": "10.9.0.0/16",
                                        "nextHopVpnTunnel": f"https://x/projects/p/regions/r/vpnTunnels/{tunnel}"}])) for tunnel in ("t1", "t2")]
    assert "t1" in (text := diff(*files)) and "t2" in text, text


def test_everything_of_two_configurations(diff, sekisho, write):
    before = write("before.toml", CONFIG)
    after = write("after.toml", CONFIG.replace('"10.0.2.10"', '"10.0.2.11"').replace("192.0.2.0/24", "192.0.3.0/24").replace(
        "[zone.onprem]", '[zone.dmz]\nport = ["lan"]\nsources = ["192.168.0.0/16"]\n[zone.onprem]')
        + '[bgp]\nasn = 65010\npeer = [{ address = "10.0.3.4", asn = 65515 }]\n')
    lines = diff(before, after).splitlines()
    assert lines[:2] == ["- onprem 192.0.2.0/24 None", "+ onprem 192.0.3.0/24 None"] or "- onprem 192.0.2.0/24 None" in lines
    assert f"from {before} to {after}" in lines and "  ~ next hop firewall" in lines and "  + zone dmz" in lines
    assert any("peer 10.0.3.4 AS 65515" in line for line in lines)
    whole = json.loads(diff("--json", before, after))
    assert whole["zones"]["added"] == ["dmz"] and whole["settings"]["bgp"]["before"] is None
    assert {change["zone"] for change in whole["changes"]} == {"onprem", "dmz"}
    assert sekisho("diff", "--exit-code", before, after).returncode == 1
    assert sekisho("diff", "--exit-code", before, before).returncode == 0
    assert "nothing: they mean the same" in diff(before, before)


def test_everything_of_what_runs_is_asked(sekisho, write, tmp_path):
    none = {"added": [], "removed": [], "changed": []}
    moved = {"before": None, "after": None}
    plan = {"ports": none, "next_hops": none, "zones": none, "routes": {"added": 1, "removed": 0, "changed": 0}, "exit": moved,
            "metrics": moved, "health": moved, "web": moved, "hook": moved, "overrides_dropped": 0, "warnings": [], "refusals": []}
    new = write("new.toml", CONFIG)
    with contextlib.closing(ControlSocket(tmp_path / "control.sock", lambda _: [plan, []])) as control:
        done = sekisho("--socket", tmp_path / "control.sock", "diff", "--exit-code", "running", new)
    assert done.returncode == 1 and "routes: 1 added" in done.stdout, done
    assert control.asked[0] == {"command": "reload", "force": False, "config": str(new), "dry_run": True}
    assert "comes first" in sekisho("diff", new, "running").stderr
    plan["refusals"] = ["zone onprem has 3 routes and would have none"]
    with contextlib.closing(ControlSocket(tmp_path / "again.sock", lambda _: [plan, []])) as control:
        done = sekisho("--socket", tmp_path / "again.sock", "diff", "running", new)
    assert done.returncode == 1 and "refused without --force: zone onprem" in done.stdout, done


def test_a_configuration_knows_the_subnets_of_interfaces(diff, write):
    """Loopback's, which every machine has."""
    config = CONFIG.replace("af_xdp:lan0", "af_xdp:lo").replace('sources = ["172', 'connected = true\nsources = ["172')
    changes = json.loads(diff("--json", "--allow-empty", write("nothing", ""), f"{write('new.toml', config)}:onprem"))["changes"]
    assert "127.0.0.0/8" in {change["prefix"] for change in changes}, changes
