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


def beside(server: str, before: str, script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The script's run in a namespace with the server of those arguments, if any, which starts after `before`."""
    serve = f"exec 3< <(exec /usr/bin/python3 {SERVER} {server} 2>/dev/null) && read -u3 ready" if server else "true"
    return subprocess.run(
        ["unshare", "--net", "bash", "-c", f"set -e\n{before}\n{serve}\n{script}", *words],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def examine(tmp_path: Path, sekisho: Any) -> Callable[..., Seen]:
    """What is found under "cloud", with that server there, and after `more`."""
    config = tmp_path / "sekisho.toml"
    config.write_text(CONFIG)

    def run(*words: str, server: str = "", more: str = "true", cloud: str = "") -> Seen:
        script = 'exec "$0" doctor --json --config "$1" "${@:2}"'
        done = beside(
            f"{tmp_path}/accepted {server}" if server else "",
            f"{LINKS}\n{more}",
            script,
            sekisho.binary,
            config,
            *(("--cloud", cloud) if cloud else ()),
            *words,
        )
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
        "port lan: its NIC has 10.0.1.4 in subnet 10.0.1.0/24",  # "" there: it may have one of the Standard SKU
    ]
    assert sentences(seen, "warning") == [] == sentences(seen, "bad")
    (untold,) = (finding for finding in seen if finding["verdict"] == "unknown")
    assert "whether IP forwarding is enabled on the NICs" in untold["sentence"] and "cannot be known from here" in untold["sentence"]
    assert "which public addresses reach it, those of the Standard SKU and of load balancers," in untold["sentence"]
    assert "az network nic list --resource-group 'network' >nics.json && sekisho check --nic nics.json" in untold["remedy"]


def test_aws(examine: Callable[..., Seen]) -> None:
    """By a token, and a path a value."""
    seen = examine(server="aws", cloud="aws", more="ip address add 10.0.2.5/24 dev eth2")
    assert sentences(seen, "ok") == [
        "AWS: i-0123456789abcdef0, a c6in.xlarge in eu-central-1, 2 NICs",
        "port egress: its NIC has 10.0.2.4, 10.0.2.5 in subnet 10.0.2.0/24, and the public address 203.0.113.7",
        "port lan: its NIC has 10.0.1.4 in subnet 10.0.1.0/24, and no public address of its own",
    ]
    (untold,) = (finding for finding in seen if finding["verdict"] == "unknown")
    assert "source/destination check" in untold["sentence"] and "public" not in untold["sentence"]
    assert "--network-interface-ids 'eni-1' 'eni-2' " in untold["remedy"]


def test_aws_that_does_not_answer_has_not_said_that_there_is_nothing(examine: Callable[..., Seen]) -> None:
    """Only 404 says so: of lan's public address, above. 503 is what it says when it is asked too often."""
    more = "ip address add 10.0.2.5/24 dev eth2"
    (only,) = examine(server="aws 00:0d:3a:00:00:02/local-ipv4s", cloud="aws", more=more)
    assert only["verdict"] == "unknown"
    assert only["sentence"] == "this is AWS, and its metadata server gives HTTP status 503 for the addresses of 00:0d:3a:00:00:02"

    seen = examine(server="aws public-ipv4s", cloud="aws", more=more)
    assert sentences(seen, "warning") == []
    assert "port lan: its NIC has 10.0.1.4 in subnet 10.0.1.0/24" in sentences(seen, "ok")
    assert "port egress: its NIC has 10.0.2.4, 10.0.2.5 in subnet 10.0.2.0/24" in sentences(seen, "ok")
    assert "which public addresses they have" in sentences(seen, "unknown")[0]

    seen = examine(server="aws instance-type", cloud="aws", more=more)
    assert "AWS: i-0123456789abcdef0, of a size that is not told in eu-central-1, 2 NICs" in sentences(seen, "ok")

    seen = examine(server="aws interface-id", cloud="aws", more=more)
    (untold,) = (finding for finding in seen if finding["verdict"] == "unknown")
    assert "--network-interface-ids ENI ENI " in untold["remedy"]


def test_google(examine: Callable[..., Seen]) -> None:
    """Its DHCP gives a /32 whatever the subnet is: no fault."""
    seen = examine(server="google", cloud="google", more="ip address del 10.0.1.4/24 dev eth1; ip address add 10.0.1.4/32 dev eth1")
    assert sentences(seen, "ok") == [
        "Google Cloud: nva1, a n2-standard-4 in europe-west4-a, 2 NICs",
        "port egress: its NIC has 10.0.2.4 in subnet 10.0.2.0/24, and the public address 203.0.113.7",
        "port lan: its NIC has 10.0.1.4 in subnet 10.0.1.0/24, 10.0.1.100/32, 10.4.0.0/28 as an alias or a balancer's, "
        "and no public address of its own",
    ]
    (untold,) = (finding for finding in seen if finding["verdict"] == "unknown")
    assert "canIpForward" in untold["sentence"]
    assert untold["remedy"] == "gcloud compute instances describe 'nva1' --zone 'europe-west4-a' --format='value(canIpForward)'"


def test_google_delivers_aliases_and_a_balancers_frontend(examine: Callable[..., Seen]) -> None:
    ours = "ip address add 10.0.1.100/32 dev eth1; ip address add 10.4.0.9/32 dev eth1"
    seen = examine(server="google", cloud="google", more=ours)
    assert len(sentences(seen, "ok")) == 3 and sentences(seen, "warning") == [] == sentences(seen, "bad")
    (warning,) = sentences(examine(server="google", cloud="google", more="ip address add 10.4.0.16/32 dev eth1"), "warning")
    assert warning.startswith("port lan has 10.4.0.16, which Google Cloud does not know as its NIC's")


def test_google_without_its_name(examine: Callable[..., Seen]) -> None:
    seen = examine(server="google instance/name", cloud="google")
    assert "Google Cloud: a machine whose name is not told, a n2-standard-4 in europe-west4-a, 2 NICs" in sentences(seen, "ok")
    (untold,) = (finding for finding in seen if finding["verdict"] == "unknown")
    assert "describe INSTANCE --zone 'europe-west4-a' " in untold["remedy"]


@pytest.mark.parametrize(("cloud", "told"), [("azure", "000D3A000002"), ("aws", "00:0d:3a:00:00:02/"), ("google", '"10.0.2.4"')])
def test_how_to_ask_works_as_it_is_printed(examine: Callable[..., Seen], tmp_path: Path, cloud: str, told: str) -> None:
    """Also where a proxy is configured."""
    seen = examine(server=cloud, cloud=cloud, more="ip link set eth2 address 00:0d:3a:00:00:09")
    (command,) = (finding["remedy"] for finding in seen if "knows no NIC" in finding["sentence"])
    proxy = "export http_proxy=http://127.0.0.1:9"
    asked = beside(f"{tmp_path}/accepted {cloud}", "ip link set lo up && ip address add 169.254.169.254/32 dev lo", f"{proxy}\n{command}")
    assert asked.returncode == 0 and told in asked.stdout, asked.stderr


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
    assert "port lan: its NIC has 10.0.1.4 in subnet 10.0.1.0/24" in sentences(seen, "ok")
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
