# SPDX-License-Identifier: BSD-3-Clause
"""Files after public bug reports, each with the right value: what is read of them, or the refusal. They lie beside the project, and not in it;
whoever has none has none of these tests (conftest.py).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import CASES

KMS = ["0.0.0.0/0 10.0.2.10", "20.118.99.224/32 Internet"]
HALVES = ["0.0.0.0/1 10.0.2.10", "128.0.0.0/1 10.0.2.10"]
DEFAULT = ["0.0.0.0/0 10.0.2.10"]
FULL = [f"44.{i // 256}.{i % 256}.0/24 10.0.2.10" for i in range(200)]
EMPTY = "if that is meant, say so: allow_empty = true, or --allow-empty"
UNKNOWN = "is in none of the formats that are read"

# A list: the routes, all of them. A text: a part of the refusal.
RIGHT: dict[str, list[str] | str] = {
    "01-utf16-powershell/routes-utf16be.txt": HALVES,
    "01-utf16-powershell/routes-utf16le.txt": HALVES,
    "01-utf16-powershell/routes-utf8bom.txt": HALVES,
    "01-utf16-powershell/udr-utf16be.json": KMS,
    "01-utf16-powershell/udr-utf16le-nobom.json": "is UTF-16 without a byte order mark: save it as UTF-8",
    "01-utf16-powershell/udr-utf16le.json": KMS,
    "01-utf16-powershell/udr-utf8bom.json": KMS,
    "02-empty-file/emptyobj.json": EMPTY,
    "02-empty-file/newline.json": EMPTY,
    "02-empty-file/routes.txt": EMPTY,
    "02-empty-file/udr.json": EMPTY,
    "03-service-tags-api/tags-api.json": ["192.0.2.0/26 -"],
    "03-service-tags-api/tags-number.json": ["192.0.2.0/26 -"],
    "03-service-tags-api/udr.json": "a route to the service tag storage.westeurope: --tags names the file",
    "04-terraform/plan.json": DEFAULT,
    "04-terraform/show.json": DEFAULT,
    "04-terraform/state.tfstate": KMS,
    "05-vhub/gateway-learned.json": ["10.9.0.0/16 VirtualNetworkGateway", "172.20.0.0/16 172.20.255.1"],
    "05-vhub/vhub-effective.json": ["10.40.0.0/16 hub2"],
    "06-effective-csv/portal.csv": ["10.1.0.0/16 VnetLocal", "172.20.0.0/16 VirtualNetworkGateway", *DEFAULT],
    "06-effective-csv/routes-table.txt": DEFAULT,
    "07-powershell-json/effective-flat.json": DEFAULT,
    "07-powershell-json/effective-one.json": DEFAULT,
    "07-powershell-json/effective.json": ["10.1.0.0/16 VnetLocal", *DEFAULT],
    "07-powershell-json/routetable-depth.json": "$[0].Routes: is a string where an array is expected",
    "07-powershell-json/routetable-list.json": ["10.0.0.0/8 VnetLocal"],
    "07-powershell-json/routetable.json": DEFAULT,
    # The route's state is "blackhole": its target is gone, and nothing else gets what goes there.
    "08-linux-routers/aws.json": ["10.0.0.0/16 VnetLocal", "0.0.0.0/0 None"],
    "08-linux-routers/cisco.txt": ["203.0.113.0/24 10.0.2.10"],
    "08-linux-routers/default.txt": DEFAULT,
    "08-linux-routers/frr-static.txt": ["203.0.113.0/24 10.0.2.10", "192.0.2.0/24 None"],
    "08-linux-routers/frr.json": ["203.0.113.0/24 10.0.2.10"],
    "08-linux-routers/gcp.json": DEFAULT,
    "08-linux-routers/ip-route.json": [
        "0.0.0.0/0 10.0.2.1", "10.0.2.0/24 VnetLocal", "192.0.2.0/24 None", "198.51.100.7/32 10.0.2.10",
        "203.0.113.0/24 10.0.2.10,10.0.2.20",
    ],
    "08-linux-routers/ip-route.txt": ["0.0.0.0/0 10.0.2.1", "10.0.2.0/24 VnetLocal", "192.0.2.0/24 None"],
    "08-linux-routers/plain.csv": ["203.0.113.0/24 10.0.2.10"],
    "09-bicep-functions/coalesce-loop.json": KMS,
    "09-bicep-functions/contains.json": KMS,
    "09-bicep-functions/equals-null.json": KMS,
    "09-bicep-functions/json-null.json": KMS,
    "09-bicep-functions/tryget.json": KMS,
    "10-several-tables/list.json": 'holds 2 route tables, of which one has to be chosen (FILE#TABLE, --table, or table = ".." beside the file): '
                                   '"rt-web", "rt-lab"',
    "11-json-comments/big.json": ":1: invalid JSON",
    "11-json-comments/boolstring.json": "$.disableBgpRoutePropagation: is a string where true or false is expected",
    "11-json-comments/dupname.json": '$.routes[1].name: the table "rt" has two routes "A"',
    "11-json-comments/hostbits.json": "$.routes[0].addressPrefix",
    "11-json-comments/nan.json": ":1: invalid JSON",
    "11-json-comments/nullroute.json": "$.routes[0]: is null where an object is expected",
    "11-json-comments/nullroutes.json": EMPTY,
    "11-json-comments/stderr-first.json": ":1: ",
    "11-json-comments/template.json": DEFAULT,
    "11-json-comments/trailing-comma.json": ":1: invalid JSON",
    "11-json-comments/trailing-space.json": '("10.0.0.0/8 ")',
    "11-json-comments/two-docs.json": ":2: invalid JSON",
    "22-mrt/cut.mrt": "byte 9983: a record of 38 bytes, of which the file has 31",
    "22-mrt/default.mrt": DEFAULT,
    "22-mrt/no-nexthop.mrt": ["203.0.113.0/24 -"],
    "22-mrt/one.mrt": FULL,
    "22-mrt/one.mrt.bz2": FULL,
    "22-mrt/one.mrt.xz": FULL,
    "22-mrt/one.mrt.zst": FULL,
    "22-mrt/other-peer-malformed.mrt": ["203.0.113.0/24 10.0.2.10", "198.51.100.0/24 10.0.2.10"],
    "22-mrt/same-address.mrt": "holds routes of 2 peers, of which one has to be chosen: 10.0.2.10 (AS 65002, identifier 192.0.2.2, 2 routes), "
                               "10.0.2.10 (AS 65001, ident",
    "22-mrt/udr.zip": "is a zip archive: unpack it, and name the file that is in it",
    "24-config-encoding/crlf-tabs.txt": ["203.0.113.0/24 Internet"],
    "24-config-encoding/ctrl-z.txt": ":2: byte 0x1a, which is not ASCII text, in column 1",
    "24-config-encoding/fullwidth.txt": ":1: U+FF12, which is not ASCII text, in column 1",
    "24-config-encoding/lower.txt": ":3: next hop VirtualAppliance is written as its address",
    "24-config-encoding/mac-cr.txt": ":1: a carriage return in the middle of a line",
    "24-config-encoding/nbsp.txt": ":1: U+00A0 (no-break space), which is not ASCII text, in column 15",
    "24-config-encoding/semicolon.csv": ":1: ",
    "24-config-encoding/smartdash.txt": ":1: U+2013 (en dash), which is not ASCII text, in column 16",
    "24-config-encoding/zwsp.txt": ":1: U+200B (zero width space), which is not ASCII text, in column 24",
    "25-effective-json/additional-object.json": ["0.0.0.0/0 Internet"],
    "25-effective-json/array.json": DEFAULT,
    "25-effective-json/connected-group.json": ["10.61.0.0/24 ConnectedGroup", "10.62.0.0/24 ConnectedGroup"],
    "25-effective-json/mixed.json": [
        "10.1.0.0/16 VNetGlobalPeering", "172.20.0.0/16 VirtualNetworkGateway", "20.38.98.0/24 VirtualNetworkServiceEndpoint",
    ],
    "25-effective-json/parameters-file.json": UNKNOWN,
    "25-effective-json/query-prefixes.json": UNKNOWN,
    "25-effective-json/query-renamed.json": UNKNOWN,
    "26-vwan-avnm/avnm.json": ["10.0.0.0/8 10.0.2.20"],
    "26-vwan-avnm/classic-vhub.json": ["10.0.0.0/8 10.0.2.20"],
    "27-azure-truth/conflict.json": '"rt-spoke", "rt-firewall"',
    "27-azure-truth/dpr.json": ["0.0.0.0/0 None"],
    "27-azure-truth/list2.json": '"rt-a", "rt-b"',
    "27-azure-truth/nhip.json": ["0.0.0.0/0 10.0.0.166", "10.0.0.0/16 10.0.0.166"],
    # The private endpoint's /32 and the peering are marked Invalid: they are not in force.
    "27-azure-truth/pe.json": ["10.1.0.0/16 VnetLocal", "10.0.0.0/16 10.0.1.4", "10.13.77.0/24 None", "0.0.0.0/0 Internet"],
    # A user's route to an appliance that does not run, without its address.
    "27-azure-truth/vanoip.json": ["10.13.77.0/24 None", "10.0.0.0/16 VnetLocal"],
}  # fmt: skip

CONFIGURATIONS = {"24-config-encoding/bom-crlf.toml", "24-config-encoding/utf16.toml"}


# Planted mistakes, and the rule that finds each.
MISTAKES = {
    "28-linter/01-gatewaysubnet-default.json": "gateway-subnet",
    "28-linter/02-gatewaysubnet-propagation-off.json": "gateway-subnet",
    "28-linter/05-azfw-mgmt-extra.json": "firewall-subnet",
    "28-linter/06-nexthop-public.json": "next-hop-public",
    "28-linter/08-default-none.json": "default-dropped",
    "28-linter/13-kms-via-nva.json": "internet-needs-outbound",
    "28-linter/16-dup-prefix.json": "file-warning",
    "28-linter/21-vnet-in-udr.json": "vnet-through-appliance",
    "28-linter/23-kms-typo.json": "kms-near-miss",
    "28-linter/25-bastion.json": "subnet-takes-no-table",
}


def test_none_is_forgotten() -> None:
    there = {str(file.relative_to(CASES)) for file in CASES.glob("*/*") if file.name != "README"}
    assert there == RIGHT.keys() | CONFIGURATIONS | MISTAKES.keys()


@pytest.mark.parametrize(("name", "rule"), MISTAKES.items())
def test_a_planted_mistake_is_found(sekisho: Any, name: str, rule: str) -> None:
    done = sekisho("check", "--json", CASES / name)
    assert rule in {finding["rule"] for finding in json.loads(done.stdout)["findings"]}, done


@pytest.mark.parametrize("name", RIGHT)
def test_a_file_of_routes(sekisho: Any, name: str) -> None:
    done = sekisho("routes", "convert", "--to", "text", CASES / name)
    right = RIGHT[name]
    if isinstance(right, list):
        assert (done.returncode, sorted(done.stdout.splitlines())) == (0, sorted(right)), done.stderr
    else:
        assert (done.returncode, done.stdout) == (1, ""), done
        assert done.stderr.startswith(f"sekisho: {CASES / name}:") and right in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("name", "routes"),
    [
        ("10-several-tables/list.json#rt-lab", ["0.0.0.0/0 Internet", "10.50.0.0/16 None"]),
        ("27-azure-truth/conflict.json#rt-spoke", ["0.0.0.0/0 10.0.0.4"]),
        ("27-azure-truth/conflict.json#rt-firewall", ["0.0.0.0/0 Internet"]),
        ("27-azure-truth/list2.json#rt-b", ["128.0.0.0/1 10.0.0.4", "23.102.135.246/32 Internet"]),
    ],
)
def test_one_of_several_tables(sekisho: Any, name: str, routes: list[str]) -> None:
    assert sekisho("routes", "convert", "--to", "text", CASES / name).stdout.splitlines() == routes


def test_a_malformed_path_is_counted(sekisho: Any) -> None:
    assert (
        "1 malformed path of peer 10.0.2.20 (AS 65002) is dropped"
        in sekisho("routes", "convert", "--to", "text", CASES / "22-mrt/other-peer-malformed.mrt").stderr
    )


def test_a_configuration(sekisho: Any) -> None:
    file = CASES / "24-config-encoding/bom-crlf.toml"
    done = sekisho("check", "--config", file)
    assert done.returncode == 0 and f"{file} has no error" in done.stdout, done
    # Read, too: a comma has nothing before it.
    file = CASES / "24-config-encoding/utf16.toml"
    done = sekisho("check", "--config", file)
    assert done.returncode == 1 and f"{file}:25: Error while parsing array" in done.stderr, done


def test_with_the_default_to_an_appliance_azure_has_no_none_routes(sekisho: Any) -> None:
    done = sekisho("effective-routes", "--vnet", "10.0.0.0/16", "--routes", CASES / "27-azure-truth/nhip.json", "--json")
    assert done.returncode == 0, done
    assert '"None"' not in done.stdout and "10.0.0.166" in done.stdout
