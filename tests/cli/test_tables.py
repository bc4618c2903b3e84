# SPDX-License-Identifier: BSD-3-Clause
"""A file with several route tables, given to every command and to a configuration; and one file of each format to lookup."""

import json
import pathlib

import pytest

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
TWO = FIXTURES / "azure" / "two-tables.json"
AMBIGUOUS = f'{TWO}: holds 2 route tables, of which one has to be chosen (FILE#TABLE, --table, or table = ".." beside the ' \
            'file): "rt-web", "rt-lab"'
CONFIG = """\
[port.lan]
device = "af_xdp:sekisho-none"
[next_hop.firewall]
members = ["10.0.2.10"]
[internet]
via = "firewall"
exit = {{ port = "lan" }}
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
routes = [{routes}]
"""


def commands(file):
    """Those that need one table, with what each answers of rt-lab."""
    return [["lookup", "--routes", file, "10.50.0.1"], ["routes", "convert", file], ["diff", file, file],
            ["effective-routes", "--vnet", "10.1.0.0/16", "--routes", file]]


def test_an_ambiguous_use_is_an_error_that_lists_the_tables(sekisho):
    for command in commands(TWO):
        done = sekisho(*command)
        assert (done.returncode, done.stdout) == (1, "") and AMBIGUOUS in done.stderr, (command, done)


def test_one_is_chosen_by_its_name(sekisho):
    for command in commands(f"{TWO}#rt-lab"):
        done = sekisho(*command)
        assert (done.returncode, done.stderr) == (0, ""), (command, done)
    assert sekisho("lookup", "--routes", f"{TWO}#rt-lab", "10.50.0.1").stdout == "10.50.0.1 10.50.0.0/16 None\n"
    assert sekisho("lookup", "--table", "rt-web", "--routes", TWO, "10.50.0.1").stdout == "10.50.0.1 0.0.0.0/0 10.0.2.10\n"
    assert sekisho("routes", "convert", f"{TWO}#RT-WEB").stdout == "0.0.0.0/0 10.0.2.10\n"
    done = sekisho("diff", f"{TWO}#rt-web", f"{TWO}#rt-lab")
    assert done.stdout.splitlines()[0] == "~ 0.0.0.0/0 10.0.2.10 -> Internet", done
    done = sekisho("lookup", "--routes", f"{TWO}#rt-x", "10.50.0.1")
    assert done.returncode == 1 and 'holds no route table "rt-x", but "rt-web", "rt-lab"' in done.stderr, done


def test_a_file_may_have_a_hash_in_its_name(sekisho, tmp_path):
    file = tmp_path / "a#rt-lab"
    file.write_text("10.0.0.0/8 x\n")
    assert sekisho("lookup", "--routes", file, "10.0.0.1").stdout == "10.0.0.1 10.0.0.0/8 x\n"


def test_a_table_is_not_named_twice(sekisho):
    file = f"{TWO}#rt-lab"
    for command in [["lookup", "--routes", file, "10.50.0.1"], ["routes", "convert", file], ["diff", file, file], ["check", "--routes", file]]:
        done = sekisho(*command, "--table", "rt-web")
        assert (done.returncode, done.stdout) == (1, ""), (command, done)
        assert f'{TWO}: the table is "rt-lab" by its #, and "rt-web" by --table' in done.stderr, (command, done)
        assert 'by --table' not in sekisho(*command, "--table", "RT-LAB").stderr, command


def test_effective_routes_takes_one(sekisho):
    arguments = ["effective-routes", "--vnet", "10.50.0.0/16", "--routes", TWO]
    assert AMBIGUOUS in sekisho(*arguments).stderr
    for done in (sekisho(*arguments, "--table", "rt-web"), sekisho(*arguments[:-1], f"{TWO}#rt-web")):
        assert done.returncode == 0 and "10.0.2.10" in done.stdout, done
    done = sekisho("effective-routes", "--vnet", "10.50.0.0/16", "--table", "rt-web")
    assert done.returncode == 2 and "--routes" in done.stderr, done


def test_check_looks_at_each_alone(sekisho, tmp_path):
    """Together they would have both halves."""
    file = tmp_path / "halves.json"
    file.write_text(json.dumps([
        {"name": name, "routes": [{"name": "half", "addressPrefix": prefix, "nextHopType": "VirtualAppliance",
                                   "nextHopIpAddress": "10.0.2.10"}]}
        for name, prefix in (("rt-a", "0.0.0.0/1"), ("rt-b", "128.0.0.0/1"))]))

    def halves(argument):
        findings = json.loads(sekisho("--json", "check", "--routes", argument).stdout)["findings"]
        return [finding["what"] for finding in findings if finding["rule"] == "one-half"]

    a, b = halves(file)
    assert (a, b) == (f"0.0.0.0/1 stands in {file}#rt-a without 128.0.0.0/1", f"128.0.0.0/1 stands in {file}#rt-b without 0.0.0.0/1")
    assert halves(f"{file}#rt-b") == [b]


def test_two_routes_of_a_prefix_are_told(sekisho, tmp_path):
    file = tmp_path / "twice.json"
    file.write_text(json.dumps({"name": "rt", "routes": [
        {"name": name, "addressPrefix": "10.0.0.0/8", "nextHopType": hop} for name, hop in (("a", "None"), ("b", "Internet"))]}))
    said = 'route "b" to 10.0.0.0/8 repeats route "a": of two routes of one prefix in a table the last counts'
    done = sekisho("lookup", "--routes", file, "10.0.0.1")
    assert done.stdout == "10.0.0.1 10.0.0.0/8 Internet\n" and said in done.stderr, done
    done = sekisho("check", "--routes", file)
    assert said in done.stdout, done


def test_two_routes_of_a_service_tag_are_told(sekisho, tmp_path):
    file = tmp_path / "rules.json"
    rules = [{"name": name, "destination": {"type": "ServiceTag", "destinationAddress": "AzureMonitor"}, "nextHop": {"nextHopType": hop}}
             for name, hop in (("a", "Internet"), ("b", "NoNextHop"))]
    file.write_text(json.dumps({"value": rules}))
    done = sekisho("check", file)
    assert "a route to the service tag AzureMonitor repeats the one at $.value[0]" in done.stdout, done


def test_a_configuration_names_one(sekisho, tmp_path):
    def explain(routes):
        file = tmp_path / "sekisho.toml"
        file.write_text(CONFIG.format(routes=routes))
        return sekisho("explain", "--config", file, "172.16.0.1", "10.50.0.1")

    done = explain(f'"{TWO}"')
    assert done.returncode == 1 and AMBIGUOUS in done.stderr, done
    done = explain(f'{{ file = "{TWO}", table = "rt-web" }}')
    assert done.returncode == 0 and "0.0.0.0/0  firewall (VirtualAppliance)  User" in done.stdout, done
    done = explain(f'{{ file = "{TWO}", table = "rt-web", format = "azur" }}')
    assert done.returncode == 1, done
    assert f'{tmp_path}/sekisho.toml:11: there is no format "azur"; `sekisho formats` lists them' in done.stderr, done


@pytest.mark.parametrize(("file", "address", "answer"), [
    ("routers/ip-route.txt", "203.0.113.1", "203.0.113.0/24 10.0.2.10,10.0.2.20"),
    ("routers/ip-route.json", "192.0.2.1", "192.0.2.0/24 None"),
    ("routers/frr.json", "203.0.113.1", "203.0.113.0/24 10.0.2.10"),
    ("routers/bird.txt", "203.0.113.1", "203.0.113.0/24 10.0.2.10,10.0.2.20"),
    ("routers/router.conf#default", "203.0.113.1", "203.0.113.0/24 10.0.2.10,10.0.2.20"),
    ("clouds/aws.json#spoke", "192.0.2.1", "192.0.2.0/24 nat-0a"),
    ("clouds/gcloud.json", "1.1.1.1", "0.0.0.0/0 10.0.2.10"),
    ("terraform/state.tfstate", "20.118.99.224", "20.118.99.224/32 Internet"),
    ("terraform/plan.json", "1.1.1.1", "0.0.0.0/0 10.0.2.10"),
    ("effective/columns.txt", "10.1.0.1", "10.1.0.0/16 VnetLocal"),
    ("effective/portal.csv", "203.0.113.1", "203.0.113.0/24 VirtualNetworkServiceEndpoint"),
    ("azure/with-comments.json", "1.1.1.1", "0.0.0.0/0 10.0.2.10"),
    ("gateways/learned.json", "172.20.0.1", "172.20.0.0/16 172.20.255.1,172.20.255.2"),
    ("gateways/route-server.json", "1.1.1.1", "0.0.0.0/1 10.0.3.4"),
    ("gateways/hub-effective.json", "10.40.0.1", "10.40.0.0/16 hub2"),
])
def test_each_format_answers(sekisho, file, address, answer):
    done = sekisho("lookup", "--routes", FIXTURES / file, address)
    assert (done.returncode, done.stdout) == (0, f"{address} {answer}\n"), done


def test_what_compresses_is_undone(sekisho, tmp_path):
    import lzma
    plain = b"10.0.0.0/8 firewall\n"
    file = tmp_path / "table"
    for packed in (lzma.compress(plain), lzma.compress(plain[:5]) + lzma.compress(plain[5:])):
        file.write_bytes(packed)
        assert sekisho("lookup", "--routes", file, "10.0.0.1").stdout == "10.0.0.1 10.0.0.0/8 firewall\n"
    # As `zstd` writes it: one frame with one raw block.
    file.write_bytes(b"\x28\xb5\x2f\xfd\x20" + bytes([len(plain)]) + (len(plain) << 3 | 1).to_bytes(3, "little") + plain)
    assert sekisho("lookup", "--routes", file, "10.0.0.1").stdout == "10.0.0.1 10.0.0.0/8 firewall\n"
