# SPDX-License-Identifier: BSD-3-Clause
"""A template leaves a route open that only its deployment knows: a table without it is not the table that will be."""

import json

import pytest


def template(*prefixes):
    routes = [{"name": f"r{number}", "properties": {"addressPrefix": prefix, "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.2.4"}}
              for number, prefix in enumerate(prefixes)]
    return json.dumps({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "parameters": {"office": {"type": "string"}, "branch": {"type": "string"}},
        "resources": [{"type": "Microsoft.Network/routeTables", "apiVersion": "2024-07-01", "name": "rt", "properties": {"routes": routes}}]})


def commands(file):
    """With what each answers of the route that is known."""
    return [(["lookup", "--routes", file, "10.50.0.1"], "10.50.0.1 10.0.0.0/8 10.0.2.4\n"),
            (["routes", "convert", file], "10.0.0.0/8 10.0.2.4\n"),
            (["diff", file, file], ""),
            (["effective-routes", "--vnet", "192.168.0.0/16", "--routes", file], "10.0.0.0/8")]


@pytest.mark.parametrize("open_prefixes, more", [
    (["[parameters('office')]"], "; --allow-left-out goes on without it"),
    (["[parameters('office')]", "[parameters('branch')]"], " (and 1 more like it); --allow-left-out goes on without them"),
])
def test_it_is_an_error_until_it_is_allowed(sekisho, tmp_path, open_prefixes, more):
    file = tmp_path / "template.json"
    file.write_text(template("10.0.0.0/8", *open_prefixes))
    for command, answer in commands(file):
        refused = sekisho(*command)
        assert (refused.returncode, refused.stdout) == (1, ""), (command, refused)
        assert refused.stderr.startswith(f"sekisho: {file}: $.resources[0].properties.routes[1]"), refused
        assert "office" in refused.stderr and refused.stderr.endswith(more + "\n"), refused
        allowed = sekisho(*command, "--allow-left-out")
        assert allowed.returncode == 0 and answer in allowed.stdout, (command, allowed)
        assert allowed.stderr.count("error: ") == len(open_prefixes) * (2 if command[0] == "diff" else 1), (command, allowed)


def test_a_whole_template_needs_no_leave(sekisho, tmp_path):
    file = tmp_path / "template.json"
    file.write_text(template("10.0.0.0/8"))
    for command, answer in commands(file):
        done = sekisho(*command)
        assert done.returncode == 0 and answer in done.stdout, (command, done)


def test_a_parameters_file_closes_it(sekisho, tmp_path):
    file, passed = tmp_path / "template.json", tmp_path / "passed.json"
    file.write_text(template("10.0.0.0/8", "[parameters('office')]"))
    passed.write_text(json.dumps({"parameters": {"office": {"value": "10.50.0.0/16"}}}))
    done = sekisho("lookup", "--routes", file, "--parameters", passed, "10.50.0.1")
    assert (done.returncode, done.stdout) == (0, "10.50.0.1 10.50.0.0/16 10.0.2.4\n"), done
    done = sekisho("check", "--routes", file, "--parameters", passed)
    assert done.returncode == 0, done
    passed.write_text(json.dumps({"parameters": {"ofice": {"value": "10.50.0.0/16"}}}))
    done = sekisho("lookup", "--routes", file, "--parameters", passed, "10.50.0.1")
    assert (done.returncode, done.stdout) == (1, ""), done
    assert f'{passed}: $.parameters.ofice: the template has no parameter "ofice"; did you mean "office"?' in done.stderr, done
    configuration = tmp_path / "sekisho.toml"
    configuration.write_text(f"""\
[port.lan]
device = "af_xdp:sekisho-none"
[next_hop.firewall]
members = ["10.0.2.4"]
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
routes = [{{ file = "template.json", parameters = "passed.json" }}]
""")
    assert f"{passed}: $.parameters.ofice" in sekisho("explain", "--config", configuration, "172.16.0.1", "10.50.0.1").stderr
    passed.write_text(json.dumps({"parameters": {"office": {"value": "10.50.0.0/16"}}}))
    done = sekisho("explain", "--config", configuration, "172.16.0.1", "10.50.0.1")
    assert done.returncode == 0 and "10.50.0.0/16  firewall" in done.stdout, done
