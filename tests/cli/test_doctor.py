# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho doctor` in a network namespace of its own, with a control that says what it is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_top import Control

CONFIG = """\
[port.lan]
device = "af_xdp:lan0"
[port.egress]
device = "af_xdp:egress0"
"""
LINKS = "ip link add lan0 type veth peer name lan1 && ip link add egress0 type veth peer name egress1"
NO_FILTER = "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.lan0.rp_filter=0 net.ipv4.conf.egress0.rp_filter=0"
Examine = Callable[..., subprocess.CompletedProcess[str]]


class State(Control):
    """A control with a dataplane, both of this version."""

    version = ""
    dataplane_version = ""

    def answer(self, what: str) -> dict[str, Any]:
        assert what == "state"
        dataplane = {"connected": True, "version": self.dataplane_version, "hugepages": True, "lcores": [0]}
        state: dict[str, Any] = {"control": {"version": self.version}, "problems": []}
        return state | {"dataplane": dataplane if self.connected else {"connected": False}}


@pytest.fixture
def control(tmp_path: Path, sekisho: Any) -> Iterator[State]:
    control = State(tmp_path / "control.sock")
    control.version = control.dataplane_version = json.loads(sekisho("version", "--json").stdout)["version"]
    yield control
    control.stop()


@pytest.fixture
def examine(tmp_path: Path, sekisho: Any) -> Examine:
    """Doctor in a new network namespace that `before` made."""
    config = tmp_path / "sekisho.toml"
    config.write_text(CONFIG)

    def run(*words: str, before: str = "true") -> subprocess.CompletedProcess[str]:
        command = f'{before} && exec "$0" --socket "$1/control.sock" doctor --config "$1/sekisho.toml" "${{@:2}}"'
        return subprocess.run(
            ["unshare", "--net", "bash", "-c", command, sekisho.binary, tmp_path, *words],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, list[dict[str, Any]]]:
    result: dict[str, list[dict[str, Any]]] = {}
    for finding in json.loads(done.stdout)["findings"]:
        assert (finding["verdict"] == "ok") == (finding["remedy"] is None), finding
        result.setdefault(finding["check"], []).append(finding)
    return result


def guard(sekisho: Any, tmp_path: Path) -> str:
    return f"{sekisho.binary} guard on --config {tmp_path}/sekisho.toml >&2"


def test_nothing_is_bad(examine: Examine, control: State, sekisho: Any, tmp_path: Path) -> None:
    done = examine("--json", before=f"{LINKS} && {NO_FILTER} && {guard(sekisho, tmp_path)}")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["verdict"] in ("ok", "warning")
    seen = findings(done)
    assert {finding["verdict"] for finding in seen["guard"]} == {"warning"}, "nobody has opened the ports"
    for check in ("configuration", "control", "dataplane", "forwarding", "rp_filter", "hugepages", "memory"):
        assert [finding["verdict"] for finding in seen[check]] == ["ok"], seen[check]
    assert {finding["sentence"].split()[1] for finding in seen["xdp"]} >= {"egress:", "lan:"}


def test_without_a_guard(examine: Examine, control: State) -> None:
    done = examine("--json", before=f"{LINKS} && {NO_FILTER} && sysctl -qw net.ipv4.ip_forward=1")
    assert done.returncode == 1 and json.loads(done.stdout)["verdict"] == "bad"
    seen = findings(done)
    assert seen["guard"][0]["verdict"] == seen["forwarding"][0]["verdict"] == "bad"
    assert seen["guard"][0]["remedy"].startswith("sekisho guard on --config /")
    assert "past the firewall" in seen["forwarding"][0]["sentence"]
    assert done.stderr == f"sekisho: 2 of {sum(map(len, seen.values()))} findings are bad\n"


def test_in_words(examine: Examine, control: State) -> None:
    control.connected = False
    done = examine(before=f"{LINKS} && sysctl -qw net.ipv4.conf.lan0.rp_filter=1")
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and "\033" not in done.stdout
    bad = next(index for index, line in enumerate(lines) if line.startswith("bad      dataplane"))
    assert lines[bad].endswith("so nothing is forwarded") and "-> systemctl restart sekisho-dataplane" in lines[bad + 1]
    assert any(line.startswith("warning  rp_filter") and "lan0 drops" in line for line in lines)


def test_another_version(examine: Examine, control: State) -> None:
    control.dataplane_version = "0.0.0"
    dataplane = findings(examine("--json"))["dataplane"]
    assert dataplane[0]["verdict"] == "warning" and "0.0.0" in dataplane[0]["sentence"]


def test_an_answer_of_another_version_leaves_the_rest_examined(
    examine: Examine, control: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(State, "answer", lambda self, what: {"control": {"version": self.version}})
    seen = findings(examine("--json", before=LINKS))
    assert seen["control"][0]["verdict"] == "bad" and "does not understand" in seen["control"][0]["sentence"]
    assert seen["configuration"][0]["verdict"] == "ok"


def test_nic_that_is_missing_and_companion_of_somebody_else(examine: Examine, control: State, tmp_path: Path) -> None:
    (tmp_path / "sekisho.toml").write_text(
        '[port.lan]\ndevice = "0000:ff:1f.7"\naddress = ["10.0.1.4/24"]\n'
        '[port.egress]\ndevice = "net_null0"\naddress = ["10.0.2.4/24"]\n'
    )
    seen = findings(examine("--json", before="ip tuntap add sk-lan mode tap"))
    assert [(finding["verdict"], finding["remedy"]) for finding in seen["nic"]] == [("bad", "sekisho-bind-nic --status")]
    assert [finding["verdict"] for finding in seen["companion"]] == ["bad"]
    assert "sk-lan is there and was made by somebody else" in seen["companion"][0]["sentence"]
    alias = "ip tuntap add sk-lan mode tap && ip link set sk-lan alias 'sekisho port lan'"
    assert "companion" not in findings(examine("--json", before=alias))


def test_a_configuration_that_is_refused(examine: Examine, control: State, tmp_path: Path) -> None:
    (tmp_path / "sekisho.toml").write_text("[port.lan]\n")
    seen = findings(examine("--json"))
    assert seen["configuration"][0]["verdict"] == "bad" and "sekisho.toml:1: " in seen["configuration"][0]["sentence"]
    assert seen["control"][0]["verdict"] == "ok", "the rest is examined all the same"


def test_without_root_it_says_what_it_cannot_see(sekisho: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(sekisho.binary, folder / "sekisho")
        (folder / "sekisho.toml").write_text(CONFIG)
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", folder / "sekisho", "--socket",
             folder / "none.sock", "doctor", "--json", "--config", folder / "sekisho.toml"],
            capture_output=True, text=True, timeout=60, check=False, env=os.environ,
        )  # fmt: skip
    seen = findings(done)
    assert done.returncode == 1 and seen["configuration"][0]["verdict"] == "ok"
    assert (seen["guard"][0]["verdict"], seen["guard"][0]["remedy"]) == ("warning", "sudo sekisho doctor")


def test_wrong_usage_and_help(sekisho: Any) -> None:
    assert sekisho("doctor", "nonsense").returncode == 2
    assert "Example" in sekisho("doctor", "--help").stdout
