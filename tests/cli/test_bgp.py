# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho bgp apply` with folders that look like FRR's, in a mount namespace. With FRR itself: tests/net/test_advertise.py."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

CONFIG = """\
[port.lan]
device  = "af_xdp:lan0"
[port.egress]
device  = "af_xdp:egress0"
[next_hop.firewall]
members = ["10.0.2.10"]
[internet]
via       = "firewall"
install   = "halves"
advertise = "halves"
[zone.onprem]
port     = ["lan"]
sources  = ["172.16.0.0/12"]
internet = true
[bgp]
asn  = 65010
peer = [{ address = "10.0.3.4", asn = 65515 }]
"""
NETWORKS = "  network 0.0.0.0/1\n  network 128.0.0.0/1\n"
VTYSH = f"""#!/bin/sh
printf 'frr version 8.4.4\\nrouter bgp 65010\\n address-family ipv4 unicast\\n'
printf '{NETWORKS}'
printf ' exit-address-family\\nexit\\n!\\nend\\n'
"""
# As the real one: what FRR runs with then is saved, what is advertised included.
RELOAD = """#!/bin/sh
for file; do :; done
cp "$file" "$LAB/given"
cp "$file" /etc/frr/frr.conf
touch "$LAB/saved"
sleep "${SLEEP:-0}"
exit ${FAILS:-0}
"""
INSIDE = """
mkdir -p /etc/frr /usr/lib/frr
mount --bind "$LAB/etc" /etc/frr && mount --bind "$LAB/lib" /usr/lib/frr && mount -t tmpfs none /run && mkdir -p /var/run/frr || exit 99
[ -e "$LAB/stopped" ] || touch /var/run/frr/bgpd.vty
exec "$@"
"""
OWNER = 4711


ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def hear_signals() -> None:
    """Whoever runs the tests in the background of a shell has SIGINT ignored, and so have all its children."""
    for end in ENDS:
        signal.signal(end, signal.SIG_DFL)


class Frr:
    """FRR's folders and programs, as far as they are looked at."""

    def __init__(self, folder: Path, binary: Path) -> None:
        self.folder = folder
        self.etc = folder / "etc"
        self.temporary = folder / "tmp"
        self.config = folder / "sekisho.toml"
        self.config.write_text(CONFIG)
        for name in ("etc", "lib", "bin", "tmp"):
            (folder / name).mkdir()
        os.chown(self.etc, OWNER, OWNER)
        (self.etc / "daemons").write_text("zebra=no\nbgpd=yes\n")
        self.script("bin/vtysh", VTYSH)
        self.script("lib/frr-reload.py", RELOAD)
        self.binary = binary

    def script(self, name: str, text: str) -> None:
        file = self.folder / name
        file.write_text(text)
        file.chmod(0o755)

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        more = {
            "LAB": str(self.folder),
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "TMPDIR": str(self.temporary),
        }
        return subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", INSIDE, "sh", self.binary, "bgp", "apply", "--config", self.config, *words],
            env=os.environ | more | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=hear_signals,
        )  # fmt: skip

    def apply(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, **environment)
        out, errors = process.communicate(timeout=60)
        assert process.returncode != 99, errors
        return subprocess.CompletedProcess((), process.returncode, out, errors)

    def conf(self) -> str:
        return (self.etc / "frr.conf").read_text()


@pytest.fixture
def frr(tmp_path: Path, sekisho: Any) -> Frr:
    return Frr(tmp_path, sekisho.binary)


def test_frr_takes_it_and_what_is_advertised_does_not_stay_in_the_file(frr: Frr) -> None:
    done = frr.apply()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "/etc/frr/frr.conf is written\nFRR runs with it\n"
    assert NETWORKS in (frr.folder / "given").read_text()
    assert "network 0" not in frr.conf() and "neighbor 10.0.3.4 remote-as 65515" in frr.conf()
    found = (frr.etc / "frr.conf").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (OWNER, OWNER, 0o640)
    assert not list(frr.temporary.iterdir()) and sorted(each.name for each in frr.etc.iterdir()) == [
        "daemons",
        "frr.conf",
    ]


def test_no_link_of_frrs_user_is_followed(frr: Frr, tmp_path: Path) -> None:
    """The folder is FRR's, which is another user; root writes there."""
    victim = tmp_path / "victim"
    victim.write_text("root's")
    for name in ("frr.conf.sekisho", "frr.conf"):
        (frr.etc / name).symlink_to(victim if name != "frr.conf" else tmp_path / "nothing")
    assert frr.apply().returncode == 0
    assert victim.read_text() == "root's" and victim.stat().st_uid == os.geteuid()
    assert not (tmp_path / "nothing").exists() and not (frr.etc / "frr.conf").is_symlink()


@pytest.mark.parametrize("which", ENDS)
def test_a_signal_waits_until_the_file_is_right(frr: Frr, which: signal.Signals) -> None:
    process = frr.start(SLEEP="4")
    while not (frr.folder / "saved").exists():
        assert process.poll() is None
        time.sleep(0.01)
    assert NETWORKS in frr.conf()
    process.send_signal(which)
    process.communicate(timeout=60)
    assert process.returncode == -which
    assert "network 0" not in frr.conf() and "neighbor 10.0.3.4 remote-as 65515" in frr.conf()
    assert not list(frr.temporary.iterdir())


def refused(done: subprocess.CompletedProcess[str], *reasons: str) -> None:
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done
    for reason in reasons:
        assert reason in done.stderr


def test_what_is_not_taken_is_a_failure(frr: Frr) -> None:
    refused(frr.apply(FAILS="3"), "frr-reload.py ended with exit status 3")
    (frr.folder / "lib/frr-reload.py").unlink()
    refused(frr.apply(), "FRR runs with its former configuration: install frr-pythontools")
    done = frr.apply("--json")
    refused(done, "FRR runs with its former configuration")
    said = json.loads(done.stdout)
    assert said["file"] == "/etc/frr/frr.conf" and said["frr"] is None and "frr-pythontools" in said["faults"][0]
    assert "neighbor 10.0.3.4 remote-as 65515" in frr.conf() and not list(frr.temporary.iterdir())


def test_a_bgpd_that_does_not_run_is_a_failure(frr: Frr) -> None:
    (frr.etc / "daemons").write_text("zebra=no\nbgpd=no\n")
    refused(frr.apply(), "FRR does not start bgpd: write bgpd=yes in /etc/frr/daemons")
    (frr.folder / "stopped").touch()
    refused(frr.apply(), "FRR's bgpd is not running", "FRR does not start bgpd")
    assert "neighbor 10.0.3.4 remote-as 65515" in frr.conf()


def test_where_no_temporary_file_can_be_made(frr: Frr) -> None:
    refused(
        frr.apply(TMPDIR="/proc"), "FRR runs with its former configuration: /proc/sekisho-frr-", "cannot be written: "
    )
    assert frr.apply(TMPDIR="/nonexistent").returncode == 0, "/tmp does"
    assert "network 0" not in frr.conf()


def test_into_another_file_frr_is_not_asked(frr: Frr, tmp_path: Path) -> None:
    done = frr.apply("--file", str(tmp_path / "there.conf"))
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/there.conf is written\n")
    assert not (frr.folder / "given").exists() and "65515" in (tmp_path / "there.conf").read_text()
