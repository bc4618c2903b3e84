# SPDX-License-Identifier: BSD-3-Clause
"""doc/api.md against both processes: each field that a command prints is there with its type, and what is there is printed. An
appliance of software devices, one of which receives without end, in a namespace of its own; tests/cli/test_api.py has what
needs no daemon."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.appliance import BUILD, MAIN_CPU, ROOT, WORKER_CPU
from lab.process import run, wait_until
from lab.shape import documented, undocumented, unprinted

CONFIG = """
[port.lan]
device = "net_null0"
address = ["10.0.1.4/24"]
neighbours = [{ address = "10.0.1.9", mac = "02:00:00:00:00:09" }]
[port.wan]
device = "net_null1,no-rx=1"
address = ["10.0.2.4/24"]
companion = "wan0"
[next_hop.firewall]
members = ["10.0.2.10", "10.0.2.11"]
probe = { type = "icmp", interval = "200ms" }
[next_hop.other]
members = ["10.0.1.9"]
[internet]
via = "firewall"
exit = { port = "wan" }
advertise = "halves"
[[assert]]
name = "by the firewall"
from = "zone:onprem"
to = "203.0.113.0/24"
via = "firewall"
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
routes = ["routes.txt", "bgp", { prefix = "198.51.100.0/24", next_hop = "Internet" }]
[zone.back]
port = ["wan"]
sources = ["0.0.0.0/0"]
connected = true
routes = [{ prefix = "172.16.0.0/12", next_hop = "other" }]
[bgp]
asn = 65010
peer = [{ address = "10.0.3.4", asn = 65515 }]
frr = "sk-nobody"
[metrics]
listen = "127.0.0.1:9273"
[health]
listen = ["127.0.0.1:8080"]
"""
LOOKS = ("ports", "zones", "routes", "next-hops", "neighbours", "bgp", "learned", "drops", "stats", "config", "state")
FLOW = ("--protocol", "tcp", "--source-port", "1", "--destination-port", "2")

Printed = dict[str, list[Any]]


class Small:
    """Both processes in a network namespace, and what they print."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.space = f"sk-api-{os.getpid()}"
        self.printed: Printed = defaultdict(list)
        self.processes: list[subprocess.Popen[str]] = []
        self.dataplane_socket, self.socket = folder / "d.sock", folder / "c.sock"
        run("ip", "netns", "add", self.space)

    def spawn(self, *command: str | Path) -> subprocess.Popen[str]:
        words = [str(word) for word in ("ip", "netns", "exec", self.space, *command)]
        process = subprocess.Popen(words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.processes.append(process)
        return process

    def start(self) -> None:
        run("ip", "-n", self.space, "link", "set", "lo", "up")
        self.spawn(
            BUILD / "dataplane/sekisho-dataplane", "--no-huge", "--memory", "64", "--file-prefix", self.space,
            "--socket", self.dataplane_socket, "--main", str(MAIN_CPU), "--workers", str(WORKER_CPU),
        )  # fmt: skip
        wait_until("the dataplane", self.dataplane_socket.exists, 40)
        self.spawn(
            BUILD / "control/sekisho-control", "--config", "sekisho.toml", "--socket", self.socket,
            "--dataplane-socket", self.dataplane_socket, "--state-directory", "state",
        )  # fmt: skip
        wait_until("ports", lambda: self.socket.exists() and [port["running"] for port in self.ask("show", "ports")] == [True] * 2, 40)

    def ask(self, *words: str) -> Any:
        done = subprocess.run(
            ["ip", "netns", "exec", self.space, str(BUILD / "control/sekisho"), "--socket", str(self.socket), *words, "--json"],
            cwd=self.folder, capture_output=True, text=True, timeout=60, check=False, env=os.environ | {"XDG_STATE_HOME": str(self.folder / "mine")},
        )  # fmt: skip
        decoder, text, values = json.JSONDecoder(), done.stdout.strip(), []
        while text:
            value, end = decoder.raw_decode(text)
            values.append(value)
            text = text[end:].lstrip()
        assert values, (words, done.stderr)
        return values if len(values) > 1 else values[0]

    def take(self, name: str, *words: str) -> None:
        said = self.ask(*(words or name.split()))
        self.printed[name] += said if isinstance(said, list) and name in ("drain", "capture", "trace") else [said]

    def look(self) -> None:
        """All that asks and changes nothing."""
        for name in LOOKS:
            self.take(f"show {name}")
        for name in ("show drops --last", "history", "prove", "guard status", "reload --dry-run", "route list", "map", "stats"):
            self.take(name)
        for destination in ("1.1.1.1", "198.51.100.7", "10.2.3.4", "192.168.9.1", "10.0.1.9"):
            self.take("explain", "explain", "172.16.0.10", destination, *FLOW)
            self.take("lookup", "lookup", "--zone", "onprem", destination)
            self.take("explain", "explain", "--config", "sekisho.toml", "172.16.0.10", destination, *FLOW)
        self.take("prove", "prove", "--config", "false.toml")
        self.take("doctor", "doctor", "--config", "sekisho.toml")
        self.take("effective-routes", "effective-routes", "--zone", "onprem")

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            process.wait(20)
        run("ip", "netns", "delete", self.space)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    folder = tmp_path_factory.mktemp("api")
    (folder / "sekisho.toml").write_text(CONFIG)
    (folder / "false.toml").write_text(CONFIG.replace("198.51.100.0/24", "203.0.113.0/24"))
    (folder / "routes.txt").write_text("10.0.0.0/8 None\n10.1.0.0/16 other\n")
    small = Small(folder)
    try:
        small.start()
        for prefix in ("192.168.9.0/24", "10.0.2.128/25"):
            run("ip", "-n", small.space, "route", "add", "table", "100", prefix, "via", "10.0.2.11", "dev", "wan0", "proto", "bgp")
        wait_until("what is learned", lambda: small.ask("show", "learned")["learned"] == 2)
        yield small
    finally:
        small.close()


@pytest.fixture(scope="module")
def printed(small: Small) -> Printed:
    watching = small.spawn(BUILD / "control/sekisho", "--socket", small.socket, "monitor", "--json")
    small.look()
    small.take("route add", "route", "add", "198.51.100.128/25", "None", "--zone", "onprem")
    small.take("reload --dry-run")
    small.take("route list")
    small.take("route save", "route", "save", "saved.txt", "--unnamed")
    small.take("route del", "route", "del", "198.51.100.128/25", "--zone", "onprem")
    small.take("route add", "route", "add", "198.51.100.128/25", "None", "--zone", "onprem")
    small.take("route replace", "route", "replace", "198.51.100.128/25", "other", "--zone", "onprem")
    small.ask("stats", "--clear")
    small.take("stats --since-clear")
    small.take("next-hop drain", "next-hop", "drain", "firewall", "10.0.2.11", "--force")
    small.look()
    small.take("next-hop undrain", "next-hop", "undrain", "firewall", "10.0.2.11")
    small.take("reload", "reload", "--force")
    (small.folder / "routes.txt").write_text("10.0.0.0/8 None\n192.0.2.0/24 other\n")
    small.take("reload", "reload", "--confirm", "60")
    small.look()
    small.take("confirm")
    small.take("rollback")
    small.take("reload")
    small.take("guard on", "guard", "on", "--config", "sekisho.toml")
    small.take("guard off")
    small.take("guard on", "guard", "on", "--config", "sekisho.toml")
    small.take("drain", "drain", "--for", "3s")
    small.look()
    small.take("undrain")
    small.take("top", "top", "--once")
    for name in ("capture", "trace"):
        small.take(name, name, "--dataplane-socket", str(small.dataplane_socket), "-n", "20")
    fetched = run("ip", "netns", "exec", small.space, "curl", "-sS", "http://127.0.0.1:8080/health")
    small.printed["health"].append(json.loads(fetched))
    watching.terminate()
    small.printed["monitor"] += [json.loads(line) for line in watching.communicate()[0].splitlines()]
    return small.printed


def test_every_field_is_on_the_page(printed: Printed) -> None:
    assert undocumented(printed) == []


def test_every_field_of_the_page_is_printed(printed: Printed) -> None:
    assert unprinted(printed) == []


def test_every_metric_is_on_the_page(small: Small) -> None:
    sys.path.insert(0, str(ROOT / "doc"))
    import api_page

    scrape = run("ip", "netns", "exec", small.space, "curl", "-sS", "-H", "Accept: application/openmetrics-text", "http://127.0.0.1:9273/metrics")
    page = (ROOT / "doc/api.md").read_text()
    assert api_page.between(page, "metrics", api_page.metrics(scrape)) == page, "doc/api_page.py common/ipc/dataplane.proto SCRAPE mends it"


def test_the_page_speaks_of_commands_that_there_are() -> None:
    for command in documented():
        if command != "health":
            words = re.split(r" (?=--)", command)[0].split()
            run(BUILD / "control/sekisho", *words, "--help")
