# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho lookup --routes` against an implementation that shares nothing with it: a dict of prefixes a length."""

import gzip
import ipaddress
import json
import os
import pathlib
import random

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("SEKISHO_DATA", ROOT.parent / "shared" / "data"))
REAL_TABLE = DATA / "tables" / "bart-tier1-2023.v4.tsv.gz"

# How many in a thousand prefixes of a full table have which length, roughly.
LENGTHS = {8: 1, 12: 1, 14: 1, 15: 1, 16: 14, 17: 9, 18: 15, 19: 26, 20: 45, 21: 54, 22: 115, 23: 104, 24: 600, 28: 4, 30: 3,
           32: 7}


# What the dataplane drops before it asks a table.
DROPPED = [ipaddress.ip_network(block) for block in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4")]


def is_dropped(address):
    return any(ipaddress.IPv4Address(address) in block for block in DROPPED)


def text(address):
    return str(ipaddress.IPv4Address(address))


class Oracle:
    def __init__(self, lines):
        self.by_length = [{} for _ in range(33)]
        for line in lines:
            words = line.split("#")[0].split()
            if words:
                address, length = words[0].split("/")
                next_hop = words[1] if len(words) > 1 else "-"
                self.by_length[int(length)][int(ipaddress.IPv4Address(address))] = next_hop

    def lookup(self, address):
        for length in range(32, -1, -1):
            network = address >> (32 - length) << (32 - length)
            if network in self.by_length[length]:
                return f"{text(network)}/{length}", self.by_length[length][network]
        return "-", "-"

    def prefixes(self):
        return [(address, length) for length in range(33) for address in self.by_length[length]]


def realistic_table(rng, count):
    prefixes = {(0, 1), (1 << 31, 1)}
    outer_prefixes = [(10 << 24, 8)]
    while len(prefixes) < count:
        length = rng.choices(list(LENGTHS), LENGTHS.values())[0]
        outer, outer_length = rng.choice(outer_prefixes)
        if length > outer_length and rng.random() < 0.5:  # half of a full table's prefixes are inside others
            address = outer | rng.getrandbits(32) >> outer_length
        else:
            address = rng.randrange(1 << 24, 224 << 24)
        prefix = (address >> (32 - length) << (32 - length), length)
        prefixes.add(prefix)
        if length <= 22:
            outer_prefixes.append(prefix)
    return [f"{text(address)}/{length}\thop-{rng.randrange(200)}" for address, length in sorted(prefixes)]


def addresses_to_ask(rng, oracle, count):
    """A third anywhere, a third inside prefixes, a third at their edges, where mistakes live."""
    prefixes = oracle.prefixes()
    result = []
    for i in range(count):
        address, length = rng.choice(prefixes)
        last = address | 0xFFFFFFFF >> length if length else 0xFFFFFFFF
        result.append([rng.getrandbits(32), rng.randint(address, last),
                       rng.choice([address, last, max(address - 1, 0), min(last + 1, 0xFFFFFFFF)])][i % 3])
    return result


def assert_agrees(sekisho, files, oracle, asked):
    done = sekisho("lookup", "--routes", ",".join(map(str, files)), stdin="".join(f"{text(a)}\n" for a in asked))
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    assert len(answers) == len(asked)
    wrong = [(answer, expected) for answer, address in zip(answers, asked)
             if answer != (expected := " ".join((text(address), *(("-", "-") if is_dropped(address) else oracle.lookup(address)))))]
    assert not wrong, f"{len(wrong)} of {len(asked)} answers differ, the first: {wrong[0]}"


@pytest.fixture
def routes(tmp_path):
    def write(content, name="routes.txt"):
        file = tmp_path / name
        file.write_text(content)
        return file

    return write


def test_a_realistic_table_agrees_with_brute_force(sekisho, routes):
    rng = random.Random(20261121)
    lines = realistic_table(rng, 120_000)
    oracle = Oracle(lines)
    asked = addresses_to_ask(rng, oracle, 100_000)
    answered = {oracle.lookup(address) == ("-", "-") for address in asked}
    assert answered == {False}, "the halves cover every address"
    assert_agrees(sekisho, [routes("\n".join(lines))], oracle, asked)


def test_addresses_without_a_route_agree_too(sekisho, routes):
    rng = random.Random(7)
    lines = [line for line in realistic_table(rng, 20_000) if not line.split()[0].endswith("/1")]
    oracle = Oracle(lines)
    asked = addresses_to_ask(rng, oracle, 30_000)
    unrouted = sum(oracle.lookup(address) == ("-", "-") for address in asked)
    assert 1000 < unrouted < 29_000
    assert_agrees(sekisho, [routes("\n".join(lines))], oracle, asked)


def test_the_order_of_lines_does_not_matter(sekisho, routes):
    rng = random.Random(3)
    lines = realistic_table(rng, 20_000)
    rng.shuffle(lines)
    oracle = Oracle(lines)
    assert_agrees(sekisho, [routes("\n".join(lines))], oracle, addresses_to_ask(rng, oracle, 20_000))


if REAL_TABLE.exists():

    def test_the_table_of_a_tier_1_router_agrees_with_brute_force(sekisho):
        oracle = Oracle(gzip.open(REAL_TABLE, "rt"))
        assert sum(map(len, oracle.by_length)) == 901_899
        assert_agrees(sekisho, [REAL_TABLE], oracle, addresses_to_ask(random.Random(1), oracle, 100_000))


def test_a_line_an_address(sekisho, routes):
    file = routes("# comment\n\n10.0.0.0/8 big\n10.1.0.0/16\n10.1.2.3/32\tone # host\n")
    done = sekisho("lookup", "--routes", file, "10.9.9.9", "10.1.0.1", "10.1.2.3", "11.0.0.1")
    assert done.returncode == 0
    assert done.stdout == "10.9.9.9 10.0.0.0/8 big\n10.1.0.1 10.1.0.0/16 -\n10.1.2.3 10.1.2.3/32 one\n11.0.0.1 - -\n"


def test_a_missing_next_hop_is_the_one_given(sekisho, routes):
    file = routes("10.0.0.0/8\n10.1.0.0/16 -\n10.2.0.0/16 other\n")
    done = sekisho("lookup", "--next-hop", "firewall", "--routes", file, "10.0.0.1", "10.1.0.1", "10.2.0.1", "9.9.9.9")
    assert done.stdout == ("10.0.0.1 10.0.0.0/8 firewall\n10.1.0.1 10.1.0.0/16 firewall\n10.2.0.1 10.2.0.0/16 other\n"
                           "9.9.9.9 - -\n")


def test_gzip_is_known_by_content(sekisho, tmp_path):
    file = tmp_path / "routes.txt"
    file.write_bytes(gzip.compress(b"0.0.0.0/0 default\n"))
    assert sekisho("lookup", "--routes", file, "223.255.255.255").stdout == "223.255.255.255 0.0.0.0/0 default\n"


def test_of_several_files_the_last_line_counts(sekisho, routes):
    first = routes("10.0.0.0/8 a\n10.1.0.0/16 a\n", "first.txt")
    second = routes("10.0.0.0/8 b\n10.0.0.0/8 c\n", "second.txt")
    ask = ["10.0.0.1", "10.1.0.1"]
    both = sekisho("lookup", "--routes", f"{first},{second}", *ask)
    assert both.stdout == "10.0.0.1 10.0.0.0/8 c\n10.1.0.1 10.1.0.0/16 a\n"
    again = sekisho("lookup", "--routes", second, "--routes", first, *ask)
    assert again.stdout == "10.0.0.1 10.0.0.0/8 a\n10.1.0.1 10.1.0.0/16 a\n"


def test_standard_input_stands_where_the_dash_is(sekisho, routes):
    file = routes("0.0.0.0/0 all\n")
    done = sekisho("lookup", "--routes", file, "1.1.1.1", "-", "3.3.3.3", stdin=" 2.2.2.2 \r\n\n4.4.4.4")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["1.1.1.1", "2.2.2.2", "4.4.4.4", "3.3.3.3"]


def test_json(sekisho, routes):
    file = routes("10.0.0.0/8 big\n")
    done = sekisho("lookup", "--json", "--routes", file, "10.0.0.1", "11.0.0.1")
    assert json.loads(done.stdout) == [{"address": "10.0.0.1", "prefix": "10.0.0.0/8", "next_hop": "big"},
                                       {"address": "11.0.0.1", "prefix": None, "next_hop": None}]
    assert json.loads(sekisho("--json", "lookup", "--routes", file, stdin="").stdout) == []


def test_what_is_dropped_before_any_table_has_no_next_hop(sekisho, routes):
    file = routes("0.0.0.0/0 firewall\n127.0.0.0/8 firewall\n")
    asked = ["126.255.255.255", "127.0.0.0", "127.255.255.255", "169.254.1.1", "224.0.0.1", "255.255.255.255", "223.255.255.255"]
    done = sekisho("lookup", "--routes", file, *asked)
    assert done.returncode == 0
    assert done.stdout == "".join(
        f"{address} - -\n" if is_dropped(address) else f"{address} 0.0.0.0/0 firewall\n" for address in asked)
    notes = done.stderr.splitlines()
    assert [note for note in notes if "127.0.0.0 and 2 more: dropped as martian_destination before any route: " in note]
    assert [note for note in notes if "224.0.0.1 and 1 more: dropped as multicast before any route: " in note]
    found = json.loads(sekisho("--json", "lookup", "--routes", file, *asked).stdout)
    assert found[0] == {"address": asked[0], "prefix": "0.0.0.0/0", "next_hop": "firewall"}
    assert found[1] == {"address": asked[1], "prefix": None, "next_hop": None, "before_tables": "martian_destination"}


@pytest.mark.parametrize("line", ["10.0.0.1/8 a", "10.0.0.0/33 a", "10.0.0.0 a", "10.0.0/8 a", "300.0.0.0/8", "x", "10.0.0.0/8 a b"])
def test_a_bad_line_refuses_the_file_and_is_named(refused, routes, line):
    file = routes(f"0.0.0.0/0 a\n# fine\n{line}\n")
    assert f"{file}:3: " in refused("lookup", "--routes", file, "1.1.1.1")


def test_files_that_cannot_be_read(refused, routes, tmp_path):
    missing = tmp_path / "nowhere.txt"
    assert f"{missing}: " in refused("lookup", "--routes", missing, "1.1.1.1")
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"0.0.0.0/0 a\n" * 1000)[:-20])
    assert f"{broken}" in refused("lookup", "--routes", broken, "1.1.1.1")
    assert f"{tmp_path}: " in refused("lookup", "--routes", tmp_path, "1.1.1.1")


def test_a_bad_address_on_standard_input_is_named(refused, routes):
    file = routes("0.0.0.0/0 a\n")
    assert "standard input:2: " in refused("lookup", "--routes", file, stdin="1.1.1.1\n1.1.1.256\n")


def test_wrong_usage(sekisho, routes):
    file = routes("0.0.0.0/0 a\n")
    for arguments in (["lookup"], ["lookup", "1.1.1.1"], ["lookup", "--routes"], ["lookup", "--routes", file, "1.1.1"],
                      ["lookup", "--routes", file, "--zone", "z", "1.1.1.1"], ["lookup", "--nonsense"], [], ["nonsense"]):
        done = sekisho(*arguments)
        assert done.returncode == 2, (arguments, done)
        assert done.stderr and not done.stdout, (arguments, done)


def test_no_daemon(refused, tmp_path):
    socket = tmp_path / "control.sock"
    sentence = f"sekisho: cannot reach sekisho-control at {socket}: is it running?\n"
    for arguments in (["lookup", "--zone", "z", "1.1.1.1"], ["reload"], ["show", "ports"], ["show", "routes"],
                      ["explain", "1.1.1.1", "2.2.2.2"]):
        assert refused("--socket", socket, *arguments) == sentence
        assert refused(*arguments, "--socket", socket) == sentence
