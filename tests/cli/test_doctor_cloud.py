# SPDX-License-Identifier: BSD-3-Clause
"""What `sekisho doctor` makes of what a cloud's metadata server says: one of the test's own, in a namespace that has its address."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).with_name("metadata_server.py")
LINKS = """
ip link set lo up && ip address add 169.254.169.254/32 dev lo
for n in 1 2; do
  ip link add eth$n type veth peer name peer$n
  ip link set eth$n address 00:0d:3a:00:00:0$n && ip link set eth$n up && ip link set peer$n up
  ip address add 10.0.$n.4/24 dev eth$n
done
"""
CONFIG = '[port.lan]\ndevice = "af_xdp:eth1"\n[port.egress]\ndevice = "af_xdp:eth2"\n'
Seen = list[dict[str, Any]]


@pytest.fixture
def examine(tmp_path: Path, sekisho: Any) -> Callable[..., Seen]:
    """What is found under "cloud", with that server there, and after `more`."""
    config = tmp_path / "sekisho.toml"
    config.write_text(CONFIG)

    def run(*words: str, server: str = "", more: str = "true", cloud: str = "") -> Seen:
        serve = f'exec 3< <(exec /usr/bin/python3 {SERVER} {server} {tmp_path}/accepted 2>/dev/null) && read -u3 ready' if server else "true"
        script = f'set -e\n{LINKS}\n{more}\n{serve}\nexec "$0" doctor --json --config "$1" "${{@:2}}"'
        done = subprocess.run(
            ["unshare", "--net", "bash", "-c", script, sekisho.binary, config, *(("--cloud", cloud) if cloud else ()), *words],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return [finding for finding in json.loads(done.stdout)["findings"] if finding["check"] == "cloud"]

    return run


def accepted(folder: Path) -> int:
    """How many connections the server had."""
    file = folder / "accepted"
    return len(file.read_text().splitlines()) if file.exists() else 0


def firmware_names_a_cloud() -> bool:
    """Of the machine that the tests run on."""
    named = {"chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77", "sys_vendor": "Amazon EC2", "product_name": "Google Compute Engine"}
    firmware = Path("/sys/class/dmi/id")
    return any((firmware / name).exists() and (firmware / name).read_text().strip() == said for name, said in named.items())


def sentences(seen: Seen, verdict: str) -> list[str]:
    return [finding["sentence"] for finding in seen if finding["verdict"] == verdict]


def test_azure(examine: Callable[..., Seen]) -> None:
    seen = examine(server="azure", cloud="azure")
    assert sentences(seen, "ok") == [
        "Azure: nva1, a Standard_D4s_v5 in westeurope, 2 NICs",
        "port egress: its NIC has 10.0.2.4 in subnet 10.0.2.0/24, and the public address 203.0.113.7",
        "port lan: its NIC has 10.0.1.4 in subnet 10.0.1.0/24, and no public address of its own",
    ]
    assert sentences(seen, "warning") == [] == sentences(seen, "bad")
    (untold,) = (finding for finding in seen if finding["verdict"] == "unknown")
    assert "whether IP forwarding is enabled on the NICs" in untold["sentence"] and "cannot be known from here" in untold["sentence"]
    assert "az network nic list --resource-group network >nics.json && sekisho check --nic nics.json" in untold["remedy"]


def test_aws(examine: Callable[..., Seen]) -> None:
    """By a token, and a path a value."""
    seen = examine(server="aws", cloud="aws", more="ip address add 10.0.2.5/24 dev eth2")
    assert sentences(seen, "ok") == [
        "AWS: i-0123456789abcdef0, a c6in.xlarge in eu-central-1, 2 NICs",
        "port egress: its NIC has 10.0.2.4, 10.0.2.5 in subnet 10.0.2.0/24, and the public address 203.0.113.7",
        "port lan: its NIC has 10.0.1.4 in subnet 10.0.1.0/24, and no public address of its own",
    ]
    (untold,) = (finding for finding in seen if finding["verdict"] == "unknown")
    assert "source/destination check" in untold["sentence"] and "--network-interface-ids eni-1 eni-2 " in untold["remedy"]


def test_google(examine: Callable[..., Seen]) -> None:
    """Its DHCP gives a /32 whatever the subnet is: no fault."""
    seen = examine(server="google", cloud="google", more="ip address del 10.0.1.4/24 dev eth1; ip address add 10.0.1.4/32 dev eth1")
    assert sentences(seen, "ok") == [
        "Google Cloud: nva1, a n2-standard-4 in europe-west4-a, 2 NICs",
        "port egress: its NIC has 10.0.2.4 in subnet 10.0.2.0/24, and the public address 203.0.113.7",
        "port lan: its NIC has 10.0.1.4 in subnet 10.0.1.0/24, and no public address of its own",
    ]
    (untold,) = (finding for finding in seen if finding["verdict"] == "unknown")
    assert "canIpForward" in untold["sentence"]
    assert untold["remedy"] == "gcloud compute instances describe nva1 --zone europe-west4-a --format='value(canIpForward)'"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("ip address add 10.0.1.9/24 dev eth1", "port lan has 10.0.1.9, which Azure does not know as its NIC's"),
        ("ip address del 10.0.2.4/24 dev eth2", "Azure delivers 10.0.2.4 to the NIC of port egress, and the port does not have it"),
        ("ip address del 10.0.1.4/24 dev eth1; ip address add 10.0.1.4/16 dev eth1", "port lan has 10.0.1.4/16, and the subnet is 10.0.1.0/24"),
        ("ip link set eth2 address 00:0d:3a:00:00:09", "port egress: Azure knows no NIC of this machine with the MAC address 00:0d:3a:00:00:09"),
    ],
)  # fmt: skip
def test_what_does_not_fit(examine: Callable[..., Seen], more: str, said: str) -> None:
    warnings = sentences(examine(server="azure", cloud="azure", more=more), "warning")
    assert len(warnings) == 1 and warnings[0].startswith(said), warnings


def test_a_load_balancers_frontend_is_delivered(examine: Callable[..., Seen], tmp_path: Path) -> None:
    config = tmp_path / "sekisho.toml"
    config.write_text(CONFIG + '[azure]\nown_addresses = ["10.0.1.100"]\n')
    seen = examine(server="azure", cloud="azure", more="ip address add 10.0.1.100/32 dev eth1")
    assert "port lan: its NIC has 10.0.1.4 in subnet 10.0.1.0/24, and no public address of its own" in sentences(seen, "ok")
    assert sentences(seen, "warning") == [] == sentences(seen, "bad")


@pytest.mark.parametrize(
    ("server", "said"),
    [("", "Connection refused"), ("aws", "HTTP status 404"), ("hangs", "no answer in time")],
    ids=["nobody", "another", "hangs"],
)
def test_a_server_that_does_not_answer_holds_nothing_up(examine: Callable[..., Seen], server: str, said: str, tmp_path: Path) -> None:
    started = time.monotonic()
    (only,) = examine(server=server, cloud="azure")
    assert only["verdict"] == "unknown" and only["sentence"] == f"this is Azure, and its metadata server gives {said}"
    assert time.monotonic() - started < 20
    assert accepted(tmp_path) == (1 if server else 0), "it is not asked again for each of its values"


def test_nobody_is_asked_elsewhere(examine: Callable[..., Seen], tmp_path: Path) -> None:
    """Neither with --cloud none nor where the firmware names no cloud, as here."""
    assert examine(server="azure", cloud="none") == [] and accepted(tmp_path) == 0
    if not firmware_names_a_cloud():
        assert examine(server="azure") == [] and accepted(tmp_path) == 0
    assert examine(server="azure", cloud="azure") != [] and accepted(tmp_path) > 0, "it was there to be asked"
