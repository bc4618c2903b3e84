# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho route list` and `route save`: overrides become lines of a route file, and a reload then means what the overrides did."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from control_socket import ControlSocket

CONFIG = """\
[port.lan]
device = "af_xdp:sekisho-none"
[next_hop.firewall]
members = ["10.0.2.10"]
[next_hop.gateway]
members = ["10.0.2.20"]
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
routes = [{ prefix = "10.8.0.0/16", next_hop = "firewall" }, { file = "routes.txt", next_hop = "firewall", allow_empty = true },
          { prefix = "10.9.0.0/16", next_hop = "firewall" }]
[zone.dmz]
port = ["lan"]
sources = ["192.168.0.0/16"]
routes = [{ prefix = "10.0.0.0/8", next_hop = "firewall" }]
"""
ROUTES = """\
# ours
10.1.0.0/16 firewall   # the branch
10.2.0.0/16
10.3.0.0/16 gateway
"""


def override(prefix: str, next_hop: str | None, zone: str = "onprem") -> dict[str, Any]:
    return {"zone": zone, "prefix": prefix, "next_hop": next_hop}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sekisho.toml").write_text(CONFIG)
    (tmp_path / "routes.txt").write_text(ROUTES)
    return tmp_path


@pytest.fixture
def route(folder: Path, sekisho: Any) -> Iterator[Callable[..., Any]]:
    """Runs `sekisho route ...` with these overrides in force."""
    sockets: list[ControlSocket] = []

    def run(overrides: list[dict[str, Any]], *words: Any) -> Any:
        told = {"configuration": str(folder / "sekisho.toml"), "overrides": overrides}
        names = {"zones": ["onprem", "dmz"], "ports": ["lan"], "next_hops": []}
        sockets.append(ControlSocket(folder / f"{len(sockets)}.sock", lambda asked: [names if asked["what"] == "names" else told]))
        return sekisho("--socket", sockets[-1].path, "route", *words)

    yield run
    for each in sockets:
        each.close()


def effective(sekisho: Any, folder: Path, zone: str = "onprem") -> dict[str, str]:
    """What a reload would read: the User routes in force."""
    (folder / "nothing").touch()
    shown = sekisho("diff", "--json", folder / "nothing", f"{folder}/sekisho.toml:{zone}", "--allow-empty")
    assert shown.returncode == 0, shown
    return {each["prefix"]: each["after"] for each in json.loads(shown.stdout)["changes"]}


def test_list(route: Callable[..., Any]) -> None:
    overrides = [override("10.1.0.0/16", "gateway"), override("10.4.0.0/16", None, "dmz")]
    assert json.loads(route(overrides, "list", "--json").stdout) == overrides
    assert json.loads(route(overrides, "list", "--json", "--zone", "dmz").stdout) == overrides[1:]
    assert route(overrides, "list").stdout.splitlines() == [
        "ZONE    PREFIX       NEXT-HOP", "onprem  10.1.0.0/16  gateway", "dmz     10.4.0.0/16  (deleted)"]  # fmt: skip
    assert route([], "list").stdout == "no route is overridden\n"


def test_what_stands_there_becomes_a_comment(route: Callable[..., Any], folder: Path, sekisho: Any) -> None:
    file = folder / "routes.txt"
    file.chmod(0o640)
    done = route([override("10.1.0.0/16", "gateway"), override("10.3.0.0/16", None), override("10.4.0.0/16", "None")],
                 "save", file)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout == f"3 overrides saved in {file}: `sekisho reload` goes by it\n"
    lines = file.read_text().splitlines()
    assert set(ROUTES.splitlines()) <= {line.removeprefix("#") for line in lines} | {"# ours"}
    assert [line for line in lines if not line.startswith("#")] == ["10.1.0.0/16 gateway", "10.2.0.0/16", "10.4.0.0/16 None"]
    assert lines[1].startswith("# sekisho route save, ") and lines[1].endswith(", instead of the next line")
    assert lines[2] == "#10.1.0.0/16 firewall   # the branch"
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(folder.glob(".routes*")) == []
    routes = effective(sekisho, folder)
    assert (routes["10.1.0.0/16"], routes["10.2.0.0/16"], routes["10.4.0.0/16"]) == ("gateway", "firewall", "None")
    assert "10.3.0.0/16" not in routes


def test_what_is_configured_is_not_written_again(route: Callable[..., Any], folder: Path) -> None:
    before = (folder / "routes.txt").stat().st_ino
    done = route([override("10.1.0.0/16", "firewall"), override("10.7.0.0/16", None)], "save", folder / "routes.txt", "--json")
    assert json.loads(done.stdout)["saved"] == [] and len(json.loads(done.stdout)["configured_already"]) == 2
    assert (folder / "routes.txt").stat().st_ino == before
    assert "nothing to save" in route([], "save", folder / "routes.txt").stdout


@pytest.mark.parametrize(("change", "said"), [
    (override("10.9.0.0/16", "gateway"), "would send 10.9.0.0/16 to firewall by {}/sekisho.toml:11, and not to gateway"),
    (override("10.8.0.0/16", None), "would send 10.8.0.0/16 to firewall by {}/sekisho.toml:10, and not by no route"),
    (override("10.1.0.0/16", "nobody"), "there is no next hop \"nobody\""),
    (override("10.1.0.0/16", "gateway", "gone"), "there is no zone \"gone\""),
    (override("10.1.0.0/16", "gateway", "dmz"), "{}/sekisho.toml:12: zone dmz does not read {}/routes.txt"),
])  # fmt: skip
def test_what_a_reload_would_not_find_is_refused(
    route: Callable[..., Any], folder: Path, change: dict[str, Any], said: str
) -> None:
    done = route([change], "save", folder / "routes.txt")
    assert done.returncode == 1 and said.replace("{}", str(folder)) in done.stderr, done
    assert (folder / "routes.txt").read_text() == ROUTES


def test_an_earlier_entry_is_overruled(route: Callable[..., Any], folder: Path, sekisho: Any) -> None:
    assert route([override("10.8.0.0/16", "gateway")], "save", folder / "routes.txt").returncode == 0
    assert effective(sekisho, folder)["10.8.0.0/16"] == "gateway"


def test_a_file_of_two_zones(route: Callable[..., Any], folder: Path, sekisho: Any) -> None:
    config = folder / "sekisho.toml"
    config.write_text(CONFIG.replace('routes = [{ prefix = "10.0.0.0/8"', 'routes = ["routes.txt", { prefix = "10.0.0.0/8"')
                      .replace("allow_empty = true }", "allow_empty = true }").replace(ROUTES, ""))  # fmt: skip
    (folder / "routes.txt").write_text("10.1.0.0/16 firewall\n")
    done = route([override("10.1.0.0/16", "gateway")], "save", folder / "routes.txt")
    assert done.returncode == 1 and "zone dmz would send 10.1.0.0/16 to gateway" in done.stderr, done
    both = [override("10.1.0.0/16", "gateway"), override("10.1.0.0/16", "gateway", "dmz")]
    assert route(both, "save", folder / "routes.txt").returncode == 0
    both[1]["next_hop"] = "None"
    assert "--zone" in route(both, "save", folder / "routes.txt").stderr
    assert effective(sekisho, folder, "dmz")["10.1.0.0/16"] == "gateway"


def test_a_new_file_before_it_is_named(route: Callable[..., Any], folder: Path) -> None:
    new = folder / "new.txt"
    done = route([override("10.9.0.0/16", "gateway")], "save", new)
    assert done.returncode == 1 and f'{{ file = "{new}", allow_empty = true }}' in done.stderr and not new.exists(), done
    done = route([override("10.9.0.0/16", "gateway")], "save", new, "--unnamed")
    assert done.returncode == 0 and "before the configuration names it" in done.stdout, done
    assert new.read_text().splitlines()[1] == "10.9.0.0/16 gateway"


def test_a_deletion_of_a_zone_that_does_not_read_the_file(route: Callable[..., Any], folder: Path) -> None:
    (folder / "new.txt").write_text("")
    overrides = [override("10.1.0.0/16", "gateway"), override("10.0.0.0/8", None, "dmz")]
    done = route(overrides, "save", folder / "new.txt", "--unnamed")
    assert done.returncode == 1 and "10.0.0.0/8 is deleted in zone dmz, which does not read" in done.stderr, done
    assert (folder / "new.txt").read_text() == ""
    assert route(overrides, "save", folder / "new.txt", "--unnamed", "--zone", "onprem").returncode == 0


def test_a_file_that_peers_are_told(route: Callable[..., Any], folder: Path) -> None:
    bgp = '[bgp]\nasn = 65010\npeer = [{ address = "10.0.2.4", asn = 65515 }]\nadvertise = [{ file = "routes.txt" }]\n'
    (folder / "sekisho.toml").write_text(CONFIG + bgp)
    done = route([override("10.4.0.0/16", "gateway")], "save", folder / "routes.txt")
    line = (CONFIG + bgp).splitlines().index('advertise = [{ file = "routes.txt" }]') + 1
    assert done.returncode == 1 and f"sekisho.toml:{line}: nothing is written: \"advertise\" of [bgp] names" in done.stderr, done
    assert (folder / "routes.txt").read_text() == ROUTES


def test_one_saves_at_a_time(route: Callable[..., Any], folder: Path) -> None:
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    threading.Timer(1, os.close, [lock]).start()
    started = time.monotonic()
    assert route([override("10.4.0.0/16", "gateway")], "save", folder / "routes.txt").returncode == 0
    assert time.monotonic() - started > 0.5


def test_a_zone_that_is_not_there(route: Callable[..., Any]) -> None:
    done = route([override("10.1.0.0/16", "gateway")], "list", "--zone", "dnz")
    assert done.returncode == 1 and 'there is no zone "dnz"' in done.stderr, done
    assert route([override("10.1.0.0/16", "gateway")], "list", "--zone", "dmz").stdout == "no route is overridden in zone dmz\n"


def test_only_text(route: Callable[..., Any], folder: Path) -> None:
    tables = json.dumps([{"name": "rt", "routes": [{"name": "a", "addressPrefix": "10.1.0.0/16", "nextHopType": "None"}]}])
    (folder / "routes.txt").write_text(tables)
    done = route([override("10.1.0.0/16", "gateway")], "save", folder / "routes.txt")
    assert done.returncode == 1 and "only a text file of routes" in done.stderr, done
    assert (folder / "routes.txt").read_text() == tables


def test_a_link_stays_one(route: Callable[..., Any], folder: Path) -> None:
    (folder / "routes.txt").rename(folder / "real.txt")
    (folder / "routes.txt").symlink_to("real.txt")
    assert route([override("10.1.0.0/16", "gateway")], "save", folder / "routes.txt").returncode == 0
    assert (folder / "routes.txt").is_symlink() and "10.1.0.0/16 gateway" in (folder / "real.txt").read_text()


def test_line_ends_stay(route: Callable[..., Any], folder: Path) -> None:
    (folder / "routes.txt").write_bytes(b"10.1.0.0/16 firewall\r\n10.2.0.0/16")
    assert route([override("10.1.0.0/16", "gateway"), override("10.5.0.0/16", "None")], "save", folder / "routes.txt").returncode == 0
    lines = (folder / "routes.txt").read_bytes().split(b"\n")
    assert lines.pop() == b"" and all(line.endswith(b"\r") for line in lines), lines
