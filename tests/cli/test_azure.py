# SPDX-License-Identifier: BSD-3-Clause
"""Azure's files through `sekisho check` and `sekisho explain --config`, and `sekisho presets`."""

import json
import pathlib
import shutil

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
TAGS = {"changeNumber": 1, "cloud": "Public", "values": [
    {"name": name, "id": name, "properties": {
        "changeNumber": 1, "region": region, "regionId": 0, "platform": "Azure", "systemService": "AzureStorage",
        "addressPrefixes": prefixes, "networkFeatures": ["API", "NSG", "UDR", "FW"]}}
    for name, region, prefixes in [("Storage", "", ["20.60.0.0/16", "20.61.0.0/16"]),
                                   ("Storage.WestEurope", "westeurope", ["20.60.0.0/16"])]]}


@pytest.fixture
def example(tmp_path):
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    return tmp_path / "azure.toml"


@pytest.fixture
def explain(sekisho, example):
    def run(destination, config=example):
        done = sekisho("explain", "--json", "--config", config, "10.1.0.4", destination)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def edit(file, *changes):
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text)


def test_the_example_is_good(sekisho, example):
    done = sekisho("check", "--config", example)
    warnings = [line for line in done.stdout.splitlines() if line.startswith("warning") and "no-interface" not in line]
    assert done.returncode == 0 and "has no error" in done.stdout and not warnings, done


def test_explain_tells_the_route_in_azure_and_its_type(sekisho, explain, example):
    result = explain("20.118.99.224")
    winner, loser = result["candidates"]
    assert (winner["next_hop"], winner["next_hop_type"], winner["name"]) == ("Internet", "Internet", "KmsNew1")
    assert (winner["file"], winner["line"]) == (str(example.parent / "spoke-udr.json"), None)
    assert winner["source"] == f"{winner['file']} KmsNew1"
    assert (loser["next_hop"], loser["next_hop_type"]) == ("firewall", "VirtualAppliance")
    text = sekisho("explain", "--config", example, "10.1.0.4", "8.8.8.8").stdout
    assert "firewall (VirtualAppliance)" in text and "spoke-udr.json DefaultRoute" in text


def test_the_vnet_is_reached_and_the_rest_of_private_space_by_the_default(explain):
    assert explain("10.1.200.1")["candidates"][0]["next_hop_type"] == "VnetLocal"
    another_spoke = explain("10.9.0.1")
    assert another_spoke["next_hop"] == "firewall"
    gone = next(route for route in another_spoke["candidates"] if route["prefix"] == "10.0.0.0/8")
    assert gone["why"] == "Azure has no None routes while the default leads to firewall"
    assert explain("168.63.129.16")["drop_reason"] == "null_route"


def test_a_service_tag_in_the_configuration_and_in_a_route_table(explain, example):
    (example.parent / "tags.json").write_text(json.dumps(TAGS))
    edit(example.parent / "spoke-udr.json", ('"198.51.100.0/24"', '"Storage.WestEurope"'))
    edit(example, ('# service_tags = "ServiceTags_Public.json"', 'service_tags = "tags.json"'),
         ('  "spoke-udr.json",', '  "spoke-udr.json", { tag = "storage", next_hop = "subnet-router" },'))
    near, far, default = explain("20.60.0.1")["candidates"]
    assert (near["next_hop"], near["name"], near["why"]) == (
        "None", "Quarantine", "a region's service tag before a service tag")
    assert (far["next_hop"], far["source"], far["why"]) == (
        "subnet-router", "service tag storage", "a region's service tag goes before a service tag")
    assert default["why"] == "shorter than 20.60.0.0/16"
    assert explain("20.61.0.1")["next_hop"] == "subnet-router"


@pytest.mark.parametrize("old, new, where, why", [
    ("VirtualNetworkGateway = ", "NatGateway = ", 'spoke-udr.json: route "OnPremises" to 172.16.0.0/12: ',
     'write VirtualNetworkGateway = "NAME" in [azure.next_hop]'),
    ('own_addresses = ["10.0.2.100"]', "own_addresses = []", 'spoke-udr.json: route "DefaultRoute" to 0.0.0.0/0: ',
     "no next hop has 10.0.2.100 as its only member"),
])
def test_what_a_route_table_means_has_to_be_said(refused, example, old, new, where, why):
    edit(example, (old, new))
    sentence = refused("check", "--config", example)
    assert where in sentence and why in sentence


def test_presets(sekisho):
    presets = json.loads(sekisho("presets", "--json").stdout)
    assert {preset["cloud"] for preset in presets} == {"public", "usgov", "china"}
    assert {preset["prefix"] for preset in presets if preset["name"] == "kms.core.windows.net"} == {"23.102.135.246/32"}
    assert all(preset["source"].startswith("Microsoft") and len(preset["date"]) == 10 for preset in presets)
    names = {preset["preset"] for preset in presets}
    assert names == {"kms", "rhui", "avd", "monitoring", "backup", "updates", "identity", "management"}
    assert [preset["routable"] for preset in presets if preset["tag"] == "AzureMonitor"] == [True, True, False]
    done = sekisho("presets")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == len(presets) + len(names) + 3
