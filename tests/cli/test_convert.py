# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho routes convert`: MRT dumps against bgpdump, a reader that shares nothing with ours; and the way from one form to
another and back."""

import bz2
import gzip
import ipaddress
import json
import os
import pathlib
import re
import subprocess
from collections import defaultdict

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("SEKISHO_DATA", ROOT.parent / "shared" / "data"))
DUMPS = ("bird-mrtdump_rib", "bview.20020722.2337.gz", "bview.ipv4_unicast_add_path.gz", "openbgpd_rib_table-v2", "quagga_rib")
MRT = [file for file in (DATA / "mrt" / name for name in DUMPS) if file.exists()]

TABLE = "".join(f"{line}\n" for line in (
    "0.0.0.0/0 10.0.2.10", "10.1.0.0/16 VnetLocal", "10.2.0.0/16 VirtualNetworkGateway", "10.3.0.0/16 None",
    "20.118.99.224/32 Internet", "192.0.2.0/24 10.0.2.10,10.0.2.11", "198.51.100.128/25 10.0.2.11"))


# --- MRT ------------------------------------------------------------------------------------------------------


def u(value, size):
    return value.to_bytes(size, "big")


def mrt_record(kind, subtype, message):
    return u(0, 4) + u(kind, 2) + u(subtype, 2) + u(len(message), 4) + message


def attribute(kind, value):
    return bytes((0x40, kind, len(value))) + value


def mrt_file(tables):
    """TABLE_DUMP_V2 of peers 10.0.0.1, 10.0.0.2, ...: `tables` maps a prefix to {peer: next hop}."""
    count = 1 + max(peer for hops in tables.values() for peer in hops)
    peers = b"".join(b"\0" + u(peer, 4) + u((10 << 24) + 1 + peer, 4) + u(65001 + peer, 2) for peer in range(count))
    result = mrt_record(13, 1, u(1, 4) + u(0, 2) + u(count, 2) + peers)
    for prefix, hops in tables.items():
        network = ipaddress.IPv4Network(prefix)
        entries = b"".join(u(peer, 2) + u(0, 4) + u(7, 2) + attribute(3, ipaddress.IPv4Address(hop).packed)
                           for peer, hop in hops.items())
        result += mrt_record(13, 2, u(0, 4) + u(network.prefixlen, 1) + network.network_address.packed[:(network.prefixlen + 7) // 8]
                             + u(len(hops), 2) + entries)
    return result


def bgpdump(file):
    """{peer: {prefix: [(rank, next hop)]}}; rank as RFC 4271, 9.1 compares. No next hop is "-"."""
    done = subprocess.run(["bgpdump", "-m", str(file)], capture_output=True, text=True, check=True, timeout=120)
    tables = defaultdict(lambda: defaultdict(list))
    for line in done.stdout.splitlines():
        fields = line.split("|")
        if not fields[0].startswith("TABLE_DUMP") or ":" in fields[5]:
            continue
        peer, prefix = fields[3], fields[5]
        if fields[0].endswith("_AP"):  # a path identifier behind the prefix
            fields.pop(6)
        path, origin, hop, preference, exit_discriminator = fields[6:11]
        words = re.sub(r"\([^)]*\)|\[[^]]*\]", "", path)
        length = len(re.sub(r"\{[^}]*\}", "set", words).split())
        # What is not there is printed as 0; a real LOCAL_PREF of 0 would be the same for all paths here.
        rank = (-(int(preference) or 100), length, ("IGP", "EGP", "INCOMPLETE").index(origin), int(exit_discriminator))
        tables[peer][prefix].append((rank, "-" if hop in ("0.0.0.0", "255.255.255.255") else hop))
    return tables


def best(paths):
    hops = {hop for rank, hop in paths if rank == min(paths)[0]}
    return ",".join(sorted(hops - {"-"}, key=ipaddress.IPv4Address)) or "-"


def as_table(text):
    return dict(line.split() for line in text.splitlines())


if MRT:

    @pytest.mark.parametrize("file", MRT, ids=lambda file: file.name)
    def test_each_peer_of_a_real_dump_as_bgpdump_has_it(sekisho, file):
        tables = bgpdump(file)
        assert tables
        for peer, expected in tables.items():
            done = sekisho("routes", "convert", "--to", "text", "--peer", peer, file)
            assert done.returncode == 0, done.stderr
            assert as_table(done.stdout) == {prefix: best(paths) for prefix, paths in expected.items()}, peer


def test_bgpdump_reads_what_we_build_as_we_do(sekisho, tmp_path):
    file = tmp_path / "rib.mrt"
    tables = {f"10.{i}.{i * 7 % 256}.0/24": {peer: f"10.9.{peer}.{1 + i % 3}" for peer in range(3) if (i + peer) % 3}
              for i in range(200)}
    file.write_bytes(mrt_file(tables | {"0.0.0.0/0": {0: "10.9.0.9"}, "203.0.113.7/32": {2: "10.9.2.9"}}))
    dumped = bgpdump(file)
    assert set(dumped) == {"10.0.0.1", "10.0.0.2", "10.0.0.3"}
    for peer, expected in dumped.items():
        done = sekisho("routes", "convert", "--peer", peer, file)
        assert as_table(done.stdout) == {prefix: best(paths) for prefix, paths in expected.items()}
    assert sum(map(len, dumped.values())) == sum(len(hops) for hops in tables.values()) + 2


def test_a_peer_has_to_be_chosen_among_several(sekisho, refused, tmp_path):
    file = tmp_path / "rib.mrt"
    file.write_bytes(mrt_file({"10.0.0.0/8": {0: "10.9.0.1", 1: "10.9.1.1"}, "11.0.0.0/8": {1: "10.9.1.2"}}))
    assert "10.0.0.2 (AS 65002, 2 routes), 10.0.0.1 (AS 65001, 1 route)" in refused("routes", "convert", file)
    assert "no route of peer 10.0.0.9" in refused("routes", "convert", "--peer", "10.0.0.9", file)
    assert sekisho("routes", "convert", "--peer", "10.0.0.1", file).stdout == "10.0.0.0/8 10.9.0.1\n"
    assert sekisho("lookup", "--peer", "10.0.0.2", "--routes", file, "11.1.1.1").stdout == "11.1.1.1 11.0.0.0/8 10.9.1.2\n"


def test_a_peer_of_what_is_no_mrt_is_refused(refused, tmp_path):
    file = tmp_path / "routes.txt"
    file.write_text(TABLE)
    assert "is not an MRT file" in refused("routes", "convert", "--peer", "10.0.0.1", file)


def test_ipv6_is_counted_on_standard_error(sekisho, tmp_path):
    file = tmp_path / "rib.mrt"
    file.write_bytes(mrt_file({"10.0.0.0/8": {0: "10.9.0.1"}}) + 3 * mrt_record(13, 4, b""))
    done = sekisho("routes", "convert", file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "10.0.0.0/8 10.9.0.1\n", f"note: {file}: 3 IPv6 prefixes are left out\n")


def test_a_log_of_updates_is_refused(refused, tmp_path):
    file = tmp_path / "updates.mrt"
    file.write_bytes(mrt_record(16, 4, b"anything"))
    assert f"{file}: byte 0: a record of BGP4MP: only dumps of a table" in refused("routes", "convert", file)


# --- forms ----------------------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "table.txt"
    file.write_text(TABLE)
    return file


def test_text_to_azure_and_back(sekisho, table, tmp_path):
    azure = sekisho("routes", "convert", "--to", "azure", table)
    assert azure.returncode == 0 and not azure.stderr, azure.stderr
    document = json.loads(azure.stdout)
    assert document["name"] == "table"
    routes = document["properties"]["routes"]
    assert len({route["name"] for route in routes}) == len(routes) == 7
    assert routes[0]["properties"] == {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance",
                                       "nextHopIpAddress": "10.0.2.10"}
    assert routes[5]["properties"] == {"addressPrefix": "192.0.2.0/24", "nextHopType": "VirtualApplianceEcmp",
                                       "nextHop": {"nextHopIpAddresses": ["10.0.2.10", "10.0.2.11"]}}
    file = tmp_path / "udr.json"
    file.write_text(azure.stdout)
    assert sekisho("routes", "convert", "--to", "text", file).stdout == TABLE
    assert sekisho("routes", "convert", "--to", "azure", file).stdout == azure.stdout


def test_json(sekisho, table):
    done = sekisho("routes", "convert", "--to", "json", table)
    routes = json.loads(done.stdout)
    assert sekisho("--json", "routes", "convert", table).stdout == done.stdout
    assert routes[1] == {"prefix": "10.1.0.0/16", "tag": None, "next_hop": "VnetLocal", "next_hop_type": "VnetLocal",
                         "origin": "User", "label": None, "in_force": True, "file": str(table), "line": 2}
    assert [f"{route['prefix']} {route['next_hop']}" for route in routes] == TABLE.splitlines()


def test_compressed_files_one_after_another(sekisho, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(bz2.compress(b"10.0.0.0/8 a\n") + bz2.compress(b"11.0.0.0/8 b\n"))
    second.write_bytes(gzip.compress(b"10.0.0.0/8 c\n"))
    assert sekisho("routes", "convert", first, second).stdout == "10.0.0.0/8 a\n11.0.0.0/8 b\n10.0.0.0/8 c\n"


def test_a_missing_next_hop_is_the_one_given(sekisho, refused, tmp_path):
    file = tmp_path / "routes.txt"
    file.write_text("10.0.0.0/8\n11.0.0.0/8 None\n")
    assert sekisho("routes", "convert", file).stdout == "10.0.0.0/8 -\n11.0.0.0/8 None\n"
    assert sekisho("routes", "convert", "--next-hop", "10.0.2.4", file).stdout == "10.0.0.0/8 10.0.2.4\n11.0.0.0/8 None\n"
    assert "--next-hop" in refused("routes", "convert", "--to", "azure", file)
    azure = sekisho("routes", "convert", "--to", "azure", "--next-hop", "internet", file)
    assert json.loads(azure.stdout)["properties"]["routes"][0]["properties"]["nextHopType"] == "Internet"


def test_azures_table_form_is_read(sekisho, tmp_path):
    file = tmp_path / "effective.txt"
    file.write_text("Source    State    Address Prefix    Next Hop Type    Next Hop IP\n"
                    "--------  -------  ----------------  ---------------  -------------\n"
                    "Default   Active   10.1.0.0/16       VnetLocal\n")
    assert sekisho("routes", "convert", file).stdout == "10.1.0.0/16 VnetLocal\n"


def test_a_name_of_a_configuration_is_nothing_to_azure(refused, tmp_path):
    file = tmp_path / "routes.txt"
    file.write_text("10.0.0.0/8 10.0.2.4\n11.0.0.0/8 firewall\n")
    sentence = refused("routes", "convert", "--to", "azure", file)
    assert f"{file}:2: 11.0.0.0/8: next hop firewall is neither an address nor a next-hop type" in sentence


def test_a_resource_named_like_a_type_is_nothing_to_text(sekisho, refused, tmp_path):
    file = tmp_path / "hub.json"
    file.write_text(json.dumps({"value": [{"addressPrefixes": ["10.8.0.0/16"], "asPath": "65001",
                                           "nextHops": ["/subscriptions/x/hubVirtualNetworkConnections/internet"]}]}))
    sentence = refused("routes", "convert", "--to", "text", file)
    assert f'{file}: 10.8.0.0/16: next hop "internet" is a name that text says for something else' in sentence
    assert json.loads(sekisho("routes", "convert", "--to", "json", file).stdout)[0]["next_hop"] == "internet"


def azure_table(routes, **properties):
    return json.dumps({"name": "spoke", "properties": properties | {"routes": [
        {"name": name, "properties": {"addressPrefix": prefix, "nextHopType": kind}} for name, prefix, kind in routes]}})


def test_azure_keeps_names_and_propagation(sekisho, tmp_path):
    file = tmp_path / "udr.json"
    file.write_text(azure_table([("to-kms", "20.118.99.224/32", "Internet"), ("private", "10.0.0.0/8", "None")],
                                disableBgpRoutePropagation=True))
    document = json.loads(sekisho("routes", "convert", "--to", "azure", file).stdout)
    assert document["name"] == "spoke" and document["properties"]["disableBgpRoutePropagation"] is True
    assert [route["name"] for route in document["properties"]["routes"]] == ["to-kms", "private"]
    twice = json.loads(sekisho("routes", "convert", "--to", "azure", file, file).stdout)["properties"]["routes"]
    assert len({route["name"] for route in twice}) == 4


TAGS = {"changeNumber": 1, "cloud": "Public", "values": [
    {"name": name, "id": name, "properties": {
        "changeNumber": 1, "region": "", "regionId": 0, "platform": "Azure", "systemService": name,
        "addressPrefixes": prefixes, "networkFeatures": ["API", "NSG", "UDR", "FW"]}}
    for name, prefixes in (("Storage", ["20.1.0.0/16", "20.2.0.0/24", "2603:1000::/40"]), ("AzureMonitor", ["20.3.0.0/24"]))]}


def test_tags_become_their_prefixes(sekisho, refused, tmp_path):
    file, tags = tmp_path / "udr.json", tmp_path / "tags.json"
    file.write_text(azure_table([("storage", "Storage", "Internet"), ("rest", "0.0.0.0/0", "None")]))
    tags.write_text(json.dumps(TAGS))
    assert "service tag Storage: --tags" in refused("routes", "convert", file)
    assert "service tag Storage" in refused("lookup", "--routes", file, "1.1.1.1")
    done = sekisho("routes", "convert", "--tags", tags, file)
    assert sorted(done.stdout.splitlines()) == ["0.0.0.0/0 None", "20.1.0.0/16 Internet", "20.2.0.0/24 Internet"]
    assert done.stderr == f"note: {file}: 1 IPv6 prefix is left out\n"
    kept = json.loads(sekisho("routes", "convert", "--to", "azure", file).stdout)["properties"]["routes"]
    assert sorted(route["properties"]["addressPrefix"] for route in kept) == ["0.0.0.0/0", "Storage"]
    as_json = json.loads(sekisho("routes", "convert", "--to", "json", file).stdout)
    assert [(route["prefix"], route["tag"], route["label"]) for route in as_json] == [
        ("0.0.0.0/0", None, "rest"), (None, "Storage", "storage")]
    named = json.loads(sekisho("routes", "convert", "--to", "azure", "--tags", tags, file).stdout)["properties"]["routes"]
    assert len({route["name"] for route in named}) == 3
    all_tags = sekisho("routes", "convert", "--next-hop", "Internet", tags)
    assert as_table(all_tags.stdout) == {"20.1.0.0/16": "Internet", "20.2.0.0/24": "Internet", "20.3.0.0/24": "Internet"}


def test_next_hops_that_only_azure_makes_are_left_out_of_a_table(sekisho, tmp_path):
    file = tmp_path / "effective.json"
    file.write_text(json.dumps({"nextLink": None, "value": [
        {"addressPrefix": [prefix], "nextHopIpAddress": [], "nextHopType": kind, "source": "Default", "state": "Active",
         "name": None, "hasBgpOverride": False, "disableBgpRoutePropagation": False, "destinationServiceTags": [], "tagMap": {}}
        for prefix, kind in (("10.0.0.0/16", "VnetLocal"), ("10.1.0.0/16", "VNetPeering"), ("0.0.0.0/0", "Internet"))]}))
    assert as_table(sekisho("routes", "convert", file).stdout)["10.1.0.0/16"] == "VNetPeering"
    done = sekisho("routes", "convert", "--to", "azure", file)
    routes = json.loads(done.stdout)["properties"]["routes"]
    assert [route["properties"]["addressPrefix"] for route in routes] == ["10.0.0.0/16", "0.0.0.0/0"]
    assert "1 route is left out: only Azure itself makes such next hops" in done.stderr


def test_lookup_lets_an_operators_route_win_over_one_of_bgp(sekisho, tmp_path):
    learned, written = tmp_path / "rib.mrt", tmp_path / "routes.txt"
    learned.write_bytes(mrt_file({"10.0.0.0/8": {0: "10.9.0.1"}}))
    written.write_text("10.0.0.0/8 mine\n")
    for files in (f"{learned},{written}", f"{written},{learned}"):
        # A peer belongs to an MRT file; this one has a single peer and needs none.
        assert sekisho("lookup", "--routes", files, "10.1.1.1").stdout == "10.1.1.1 10.0.0.0/8 mine\n"


def test_a_refusal_writes_nothing(sekisho, table, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_text("10.0.0.1/8 a\n")
    for form in ("text", "json", "azure"):
        done = sekisho("routes", "convert", "--to", form, table, bad)
        assert (done.returncode, done.stdout) == (1, ""), done
        assert f"{bad}:1: host bits are set" in done.stderr


def test_wrong_usage(sekisho, table):
    for arguments in (["routes"], ["routes", "convert"], ["routes", "nonsense"], ["routes", "convert", "--to", "xml", table],
                      ["routes", "convert", "--peer", "firewall", table], ["routes", "convert", "--next-hop", "a b", table],
                      ["routes", "convert", "--next-hop", "", table], ["routes", "convert", "--next-hop", "VirtualAppliance", table]):
        done = sekisho(*arguments)
        assert done.returncode == 2 and done.stderr and not done.stdout, (arguments, done)


def test_no_progress_where_nobody_looks(sekisho, tmp_path):
    file = tmp_path / "large.bz2"
    line = b"".join(b"10.%d.%d.0/24 a\n" % (i >> 8, i & 255) for i in range(65536))
    file.write_bytes(bz2.compress(line * 10, 1))
    done = sekisho("routes", "convert", file)
    assert done.returncode == 0 and done.stderr == "" and done.stdout.count("\n") == 655_360
