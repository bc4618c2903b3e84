# SPDX-License-Identifier: BSD-3-Clause
"""examples/azure-deploy: what it deploys is what the lab `scale-out` plays, read by the project's own readers.

Neither Bicep's nor Terraform's provider is at hand without a network; what both take from files is checked here, and that they agree.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from lab.appliance import ROOT

DEPLOY = ROOT / "examples/azure-deploy"
TABLES = sorted((ROOT / "examples/scale-out").glob("*.json"))
MANAGEMENT = DEPLOY / "management.json"  # of a subnet that the lab has not
SOURCES = ("main.bicep", "main.tf")
FRONTEND = "10.0.1.100"


def source(name: str) -> str:
    return (DEPLOY / name).read_text()


@pytest.mark.parametrize("name", SOURCES)
def test_it_deploys_the_labs_route_tables(name: str) -> None:
    taken = {found for found in re.findall(r"\.\./scale-out/(\w+)\.json", source(name))}
    assert taken == {table.stem for table in TABLES} and "management.json" in source(name)
    if name == "main.tf":
        names = dict(re.findall(r'(\w+)\s+= jsondecode\(file\("\$\{path\.module\}/\.\./scale-out/(\w+)\.json', source(name)))
        assert names == {table.stem: table.stem for table in TABLES}


def test_both_deploy_the_same() -> None:
    addresses, subnets, tables = [], [], []
    for name in SOURCES:
        text = source(name)
        addresses.append(set(re.findall(r"\d+\.\d+\.\d+\.\d+(?:/\d+)?", text)))
        # { name: 'lan', prefix: '10.0.1.0/24', table: '' } and lan = { prefix = "10.0.1.0/24", table = "" }
        subnets.append(set(re.findall(r"""(?:name: ')?(\w+)(?:',|\s+= \{) prefix(?::| =) ['"]([\d./]+)['"], table(?::| =) ['"](\w*)['"]""", text)))
        tables.append({table for _, _, table in subnets[-1]} - {""})
    assert addresses[0] == addresses[1] and FRONTEND in addresses[0]
    assert subnets[0] == subnets[1] and len(subnets[0]) == 10
    assert tables[0] | {"vm"} == {table.stem for table in (*TABLES, MANAGEMENT)}, "the spoke's subnet has that one"


def test_every_nic_but_managements_forwards() -> None:
    """A NIC without IP forwarding neither sends nor gets what is not its own."""
    nics = re.split(r"(?m)^resource (\w+) 'Microsoft.Network/networkInterfaces", source("main.bicep"))[1:]
    forwards = {name: "enableIPForwarding: true" in body.split("\nresource ")[0] for name, body in zip(nics[::2], nics[1::2], strict=True)}
    assert forwards == {"management": False, "lan": True, "egress1": True, "egress2": True}
    assert 'ip_forwarding_enabled          = each.value.nic != "management"' in source("main.tf")


@pytest.mark.parametrize("name", SOURCES)
def test_both_machines_can_be_made_and_stand_apart(name: str) -> None:
    """Debian has a group `operator`: useradd refuses a user of that name. Two machines on one rack fail together."""
    text = source(name)
    assert set(re.findall(r"""(?:adminUsername:|admin_username +=|username +=) ['"](\w+)['"]""", text)) == {"sekishoadmin"}
    assert "/home/sekishoadmin/.ssh/authorized_keys" in text or name == "main.tf"
    if name == "main.bicep":
        assert "availabilitySet: { id: apart.id }" in text and "platformFaultDomainCount: 2" in text
    else:
        assert re.search(r"availability_set_id += azurerm_availability_set\.apart\.id", text)
        assert re.search(r"platform_fault_domain_count += 2", text) and "export ARM_SUBSCRIPTION_ID=" in text and "terraform init" in text


@pytest.mark.parametrize("name", SOURCES)
def test_bgp_leaves_by_the_lan_nic(name: str) -> None:
    """Route Server peers with that address alone, and the machine's default leads out of the management NIC."""
    text = source(name)
    (server,) = re.findall(r"""RouteServerSubnet(?:',|\s+= \{) prefix(?::| =) ['"]([\d./]+)""", text)
    port = tomllib.loads(rendered("10.0.1.4"))["port"]["lan"]
    interface = port["device"].removeprefix("af_xdp:")
    plain = re.sub(r"['\"\s]", "", text).replace("=", ":")
    assert f"network:{{version:2,ethernets:{{{interface}:{{routes:[{{to:{server},via:{port['gateway']}}}]}}}}}}" in plain
    assert re.search(r"path:/etc/netplan/60-[\w-]+\.yaml,?permissions:0600", plain), "written once, there after each boot"
    assert 0 < text.index("netplan apply") < text.index("systemctl restart frr")


@pytest.mark.parametrize("table", [*TABLES, MANAGEMENT], ids=lambda path: path.stem)
def test_each_table_is_read_as_it_is_deployed(table: Path, sekisho: Any) -> None:
    """By name, prefix, type and address: Bicep and Terraform take these members, the project's reader the same."""
    written = json.loads(table.read_text())
    assert set(written) == {"name", "disableBgpRoutePropagation", "routes"} and written["name"] == table.stem
    done = sekisho("routes", "convert", "--to", "azure", "--allow-empty", table)
    assert done.returncode == 0, done.stderr
    wanted = {(route["addressPrefix"], route["nextHopType"], route.get("nextHopIpAddress")) for route in written["routes"]}
    said = json.loads(done.stdout)
    routes = said.get("properties", said)["routes"]
    read = {(each["addressPrefix"], each["nextHopType"], each.get("nextHopIpAddress") or None)
            for each in (route.get("properties", route) for route in routes)}  # fmt: skip
    assert read == wanted


@pytest.mark.parametrize(
    ("table", "vnet", "prefix", "next_hop"),
    [
        ("vm", "10.1.0.0/16", "0.0.0.0/0", ("VirtualAppliance", [FRONTEND])),
        ("vm", "10.1.0.0/16", "172.16.0.0/12", ("VirtualAppliance", [FRONTEND])),
        ("gateway", "10.0.0.0/16", "10.1.0.0/16", ("VirtualAppliance", [FRONTEND])),
        ("egress1", "10.0.0.0/16", "0.0.0.0/0", ("VirtualAppliance", ["10.0.10.10"])),
        ("egress2", "10.0.0.0/16", "0.0.0.0/0", ("VirtualAppliance", ["10.0.11.10"])),
        ("outside1", "10.0.0.0/16", "0.0.0.0/0", ("Internet", [])),
        # Of these the learned default would lead to the appliances, and from there back.
        ("inside1", "10.0.0.0/16", "0.0.0.0/0", ("None", [])),
        ("inside2", "10.0.0.0/16", "0.0.0.0/0", ("None", [])),
        ("inside1", "10.0.0.0/16", "172.16.0.0/12", ("VirtualNetworkGateway", ["10.0.6.4"])),
        ("inside2", "10.0.0.0/16", "172.16.0.0/12", ("VirtualNetworkGateway", ["10.0.6.4"])),
        ("management", "10.0.0.0/16", "0.0.0.0/0", ("Internet", [])),
        ("management", "10.0.0.0/16", "172.16.0.0/12", ("VirtualNetworkGateway", ["10.0.6.4"])),
    ],
)
def test_what_azure_will_do(table: str, vnet: str, prefix: str, next_hop: tuple[str, list[str]], sekisho: Any, tmp_path: Path) -> None:
    """With what Route Server tells each subnet that lets it: both appliances' default, and on-premises by the gateway."""
    (file,) = (path for path in (*TABLES, MANAGEMENT) if path.stem == table)
    told = tmp_path / "learned.txt"
    told.write_text("0.0.0.0/0 10.0.1.4,10.0.1.5\n172.16.0.0/12 10.0.6.4\n")
    learned = () if json.loads(file.read_text())["disableBgpRoutePropagation"] else ("--gateway-routes", told)
    done = sekisho("effective-routes", "--vnet", vnet, "--routes", file, *learned, "--json")
    assert done.returncode == 0, done.stderr
    active = [route for route in json.loads(done.stdout)["value"] if route["state"] == "Active" and route["addressPrefix"] == [prefix]]
    assert [(route["nextHopType"], route["nextHopIpAddress"]) for route in active] == [next_hop]


def rendered(lan: str) -> str:
    return source("sekisho.toml").replace("@LAN@", lan).replace("@PROBED@", "198.51.100.80:80")


@pytest.mark.parametrize("lan", ["10.0.1.4", "10.0.1.5"])
def test_each_appliances_configuration_is_good(lan: str, sekisho: Any, tmp_path: Path) -> None:
    assert lan in source("main.bicep") and "@" not in rendered(lan)
    (tmp_path / "sekisho.toml").write_text(rendered(lan))
    for table in ("egress1", "egress2"):
        shutil.copy(ROOT / "examples/scale-out" / f"{table}.json", tmp_path)
    done = sekisho("check", "--config", tmp_path / "sekisho.toml", "--json")
    assert done.returncode == 0, done.stdout
    assert not [finding for finding in json.loads(done.stdout)["findings"] if finding["severity"] == "error"]


def test_the_configuration_is_the_labs() -> None:
    """But for what a machine in Azure has instead: interfaces' names, how patient the probe is."""

    def lines(text: str) -> list[str]:
        kept = (re.sub(r"\s*#.*", "", line) for line in text.splitlines())
        return [line for line in kept if line and not line.startswith(("device", "probe"))]

    assert lines(rendered("10.0.1.4")) == lines((ROOT / "examples/scale-out/sekisho.toml").read_text())
