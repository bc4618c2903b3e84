# SPDX-License-Identifier: BSD-3-Clause
"""What people look at: `map`, tables on a terminal, `-br`, colours, counters since a moment."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from control_socket import ControlSocket

SINCE = 1_772_366_400_000
COUNTERS = ["arrived", "rx", "generated", "steer_passed", "steer_dropped", "steer_before", "tx", "host", "held", "waiting", "drops", "missed"]


def member(address: str, alive: bool, packets: int) -> dict[str, Any]:
    return {"address": address, "weight": 1, "drained": False, "port": "egress", "mac": "02:00:00:00:00:0a", "alive": alive,
            "why": "reachable" if alive else "does not answer", "since_unix_ms": SINCE, "flaps": 0, "round_trip_us": 420,
            "traffic": {"packets": packets, "bytes": 1}}  # fmt: skip


def port(name: str, address: str) -> dict[str, Any]:
    return {"name": name, "device": f"af_xdp:{name}0", "interface": f"{name}0", "findings": [], "companion": None, "mss_clamp": None,
            "gateway": None, "link": "up", "running": True, "error": None, "driver": "net_af_xdp", "mac": "02:00:00:00:00:01",
            "mtu": 1500, "rx_queues": 1, "tx_queues": 1, "lcores": [1], "rx": {"packets": 7, "bytes": 1},
            "tx": {"packets": 8, "bytes": 1}, "addresses": [address], "zones": ["onprem"]}  # fmt: skip


def stats(count: int) -> dict[str, Any]:
    account = dict.fromkeys(COUNTERS, 0) | {"arrived": count, "rx": count, "tx": count}
    return {"ports": [{"name": "lan", **account}], "total": account,
            "balance": {"in": count, "out": count, "unaccounted": 0, "adds_up": True}, "workers": []}  # fmt: skip


class World:
    """What control answers."""

    def __init__(self) -> None:
        self.uptime = 1000
        self.said: dict[str, Any] = {
            "ports": [port("lan", "10.0.1.4/24"), port("egress", "10.0.2.4/24")],
            "zones": [{"name": "onprem", "ports": ["lan"], "sources": ["172.16.0.0/12", *(f"10.{n}.0.0/16" for n in range(20))],
                       "internet": True, "via": "firewall", "routes": 12, "duplicates": 0}],
            "next-hops": [{"name": "firewall", "action": "forward", "hash": "5-tuple", "alive": 1, "traffic": {"packets": 99, "bytes": 1},
                           "members": [member("10.0.2.10", True, 98), member("10.0.2.11", False, 1)]},
                          {"name": "Internet", "action": "exit", "alive": 1, "members": [],
                           "exit": {"port": "egress", "gateway": "10.0.2.1", "ready": True, "why": "ready"}}],
            "bgp": {"configured": True, "sessions": [{"peer": "10.0.3.4", "asn": 65515, "state": "Established", "established": True,
                                                      "since_unix_ms": SINCE, "advertised": ["0.0.0.0/1"], "prefixes_received": 3}]},
            "stats": stats(100),
        }  # fmt: skip

    def answer(self, request: dict[str, Any]) -> Any:
        if request["what"] == "state":
            return [{"verdict": "degraded", "reasons": ["firewall 1 of 2 alive <&>"], "dataplane": {"connected": True, "uptime_seconds": self.uptime}}]
        return [self.said[request["what"]]]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def socket(world: World, tmp_path: Path) -> Iterator[Path]:
    control = ControlSocket(tmp_path / "control.sock", world.answer)
    yield tmp_path / "control.sock"
    control.close()


@pytest.fixture
def on_terminal(sekisho: Any, socket: Path) -> Callable[..., str]:
    def run(columns: int, *words: str, **environment: str) -> str:
        ours, theirs = pty.openpty()
        base = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
        try:
            done = subprocess.run([sekisho.binary, "--socket", socket, *words], stdout=theirs, stderr=subprocess.PIPE, timeout=60,
                                  check=False, env=base | {"COLUMNS": str(columns)} | environment)  # fmt: skip
            assert done.returncode == 0, done.stderr
            return os.read(ours, 65536).decode().replace("\r", "")
        finally:
            os.close(ours)
            os.close(theirs)

    return run


# --- map --------------------------------------------------------------------------------------------------------


def test_map_as_text(sekisho: Any, socket: Path) -> None:
    text = sekisho("--socket", socket, "map").stdout
    assert all(len(line) <= 80 for line in text.splitlines()), text
    for said in ("degraded: firewall 1 of 2 alive", "zone onprem", "from 172.16.0.0/12", "10.19.0.0/16", "port lan [ok]",
                 "next hop firewall [ok]", " `- member 10.0.2.11 [BAD]", "does not answer since 2026-", "next hop Internet [ok]",
                 "BGP peer 10.0.3.4 [ok]", "Established since 2026-", "-> next hop firewall, port lan"):  # fmt: skip
        assert said in text, (said, text)


def test_map_as_pictures(sekisho: Any, socket: Path) -> None:
    svg = ElementTree.fromstring(sekisho("--socket", socket, "map", "--format", "svg").stdout)
    said = "".join(element.text or "" for element in svg.iter())
    assert "firewall 1 of 2 alive <&>" in said and "member 10.0.2.11 (BAD)" in said
    assert len(svg.findall("{http://www.w3.org/2000/svg}line")) == 7  # zone to next hop and port, next hop to members, members and exit to the port
    dot = sekisho("--socket", socket, "map", "--format", "dot").stdout
    assert dot.startswith("digraph") and dot.count("->") == 7
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=dot, text=True, check=True, capture_output=True)
    boxes = json.loads(sekisho("--socket", socket, "map", "--json").stdout)["boxes"]
    group = next(box for box in boxes if box["name"] == "firewall")
    assert [boxes[to]["name"] for to in group["leads_to"]] == ["10.0.2.10", "10.0.2.11"]


# --- tables -----------------------------------------------------------------------------------------------------


def test_a_table_fits_the_terminal_or_says_what_is_left_out(on_terminal: Callable[..., str], sekisho: Any, socket: Path) -> None:
    narrow = on_terminal(80, "show", "ports", NO_COLOR="1")
    assert all(len(line) <= 80 for line in narrow.splitlines()), narrow
    left_out = narrow[narrow.index("(no room, but with `| cat`: ") :]
    assert "DRIVER" in left_out and "LCORES" in left_out and "PORT" in narrow
    assert "no room" not in on_terminal(300, "show", "ports", NO_COLOR="1")
    whole = sekisho("--socket", socket, "show", "ports").stdout
    assert "no room" not in whole and "DRIVER" in whole


def test_a_line_each(sekisho: Any, socket: Path) -> None:
    def lines(what: str, flag: str) -> list[list[str]]:
        return [line.split() for line in sekisho("--socket", socket, "show", what, flag).stdout.splitlines()]

    for flag in ("-br", "--brief"):
        assert lines("ports", flag) == [["lan", "running", "up", "10.0.1.4/24"], ["egress", "running", "up", "10.0.2.4/24"]]
        assert lines("next-hops", flag)[0] == ["firewall", "1/2", "10.0.2.10:up", "10.0.2.11:DOWN"]
        assert lines("zones", flag)[0][:3] == ["onprem", "lan", "12"]
    assert json.loads(sekisho("--socket", socket, "show", "ports", "-br", "--json").stdout)[0]["name"] == "lan"


def test_an_exit_is_not_ready_when_nobody_knows(sekisho: Any, socket: Path, world: World) -> None:
    """The kernel's way out is there, and no dataplane says that packets get to it."""
    looks = (("show", "next-hops", "-br"), ("show", "next-hops"), ("map",), ("map", "--format", "svg"), ("map", "--format", "dot"))
    for look in looks:
        assert "ready" in sekisho("--socket", socket, *look).stdout, look
    for next_hop in world.said["next-hops"]:
        next_hop["alive"] = None
    for look in looks:
        said = sekisho("--socket", socket, *look).stdout
        assert "ready" not in said and "not known" in said, (look, said)
    world.said["next-hops"][1]["exit"] |= {"ready": False, "why": "wan7 is down"}
    for look in looks:  # which is known all the same
        assert "wan7" in sekisho("--socket", socket, *look).stdout, look


def test_packets_of_each_member(sekisho: Any, socket: Path) -> None:
    rows = [line.split() for line in sekisho("--socket", socket, "show", "next-hops").stdout.splitlines()]
    assert rows[0][-2:] == ["PACKETS", "TO-MEMBER"] and rows[1][-2:] == ["99", "98"] and rows[2][-1] == "1"


def test_colours(on_terminal: Callable[..., str], sekisho: Any, socket: Path) -> None:
    assert "\x1b[32m" in on_terminal(80, "show", "ports")
    assert "\x1b[" not in on_terminal(80, "show", "ports", NO_COLOR="1")
    assert "\x1b[" not in on_terminal(80, "--color", "never", "show", "ports")
    assert "\x1b[" not in sekisho("--socket", socket, "show", "ports").stdout
    assert "\x1b[32m" in sekisho("--socket", socket, "--color", "always", "show", "ports").stdout
    assert sekisho("--color", "perhaps", "version").returncode == 2


# --- counters since a moment ------------------------------------------------------------------------------------


@pytest.fixture
def moments(sekisho: Any, socket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return lambda *words: sekisho("--socket", socket, "stats", *words)


def test_counters_since_a_moment(moments: Callable[..., Any], world: World) -> None:
    done = moments("--since-clear")
    assert done.returncode == 1 and "`sekisho stats --clear` sets one" in done.stderr
    before = time.time() * 1000
    assert moments("--clear").returncode == 0
    world.said["stats"] = stats(142)
    since = json.loads(moments("--since-clear", "--json").stdout)
    assert (since["total"]["rx"], since["ports"][0]["tx"], since["balance"]["adds_up"]) == (42, 42, True)
    assert since["dataplane_restarted"] is False and abs(since["since_unix_ms"] - before) < 60_000
    assert "arrived 42 + generated 0 = tx 42" in moments("--since-clear").stdout
    assert "arrived 142 " in moments().stdout  # the counters themselves go on


def test_a_port_that_counts_anew(moments: Callable[..., Any], world: World) -> None:
    """One was stopped and started, one came, one went: the total is of those that are there, and no number is less than nothing."""

    def ports(**counts: int) -> dict[str, Any]:
        each = [{"name": name} | stats(count)["total"] for name, count in counts.items()]
        return stats(sum(counts.values())) | {"ports": each}

    world.said["stats"] = ports(lan=100, egress=50, old=1000)
    assert moments("--clear").returncode == 0
    world.said["stats"] = ports(lan=7, egress=80, young=3)
    since = json.loads(moments("--since-clear", "--json").stdout)
    assert {each["name"]: each["rx"] for each in since["ports"]} == {"lan": 7, "egress": 30, "young": 3}
    assert since["total"]["rx"] == since["total"]["tx"] == 40 and since["balance"] == {"in": 40, "out": 40, "unaccounted": 0, "adds_up": True}
    assert since["counted_anew"] == ["lan"] and since["dataplane_restarted"] is False
    assert "port lan counts anew since" in moments("--since-clear").stdout


def test_what_is_under_way_is_of_now(moments: Callable[..., Any], world: World) -> None:
    def under_way(count: int, sent: int, held: int, waiting: int) -> dict[str, Any]:
        account = stats(count)["total"] | {"tx": sent, "held": held, "waiting": waiting}
        return stats(count) | {"total": account, "ports": [{"name": "lan", **account}]}

    world.said["stats"] = under_way(100, 90, 3, 7)
    assert moments("--clear").returncode == 0
    world.said["stats"] = under_way(120, 118, 2, 0)
    since = json.loads(moments("--since-clear", "--json").stdout)
    assert (since["total"]["held"], since["total"]["waiting"], since["ports"][0]["held"], since["total"]["tx"]) == (2, 0, 2, 28)
    assert since["balance"] == {"in": 30, "out": 30, "unaccounted": 0, "adds_up": True}
    assert "held or waiting at that moment, and among those that came: 10" in moments("--since-clear").stdout


@pytest.mark.parametrize("uptime", [1000, 5000])
def test_a_start_that_clocks_do_not_show(moments: Callable[..., Any], world: World, uptime: int) -> None:
    """Soon after the moment, so that only what workers counted tells; or with a clock that was set back."""
    world.said["stats"] = stats(100) | {"workers": [{"lcore": 1, "polls": 500, "bursts": 5, "sleeps": 0}]}
    assert moments("--clear").returncode == 0
    world.uptime = uptime
    world.said["stats"] = stats(200) | {"workers": [{"lcore": 1, "polls": 30 if uptime == 1000 else 600, "bursts": 9, "sleeps": 0}]}
    since = json.loads(moments("--since-clear", "--json").stdout)
    assert (since["total"]["rx"], since["dataplane_restarted"]) == (200, True)


def test_a_dataplane_that_was_started_since(moments: Callable[..., Any], world: World) -> None:
    world.uptime = 5000
    assert moments("--clear").returncode == 0
    world.uptime = 10
    world.said["stats"] = stats(7)
    since = json.loads(moments("--since-clear", "--json").stdout)
    assert (since["total"]["rx"], since["dataplane_restarted"]) == (7, True)
    assert "when the dataplane was started anew" in moments("--since-clear").stdout
