# SPDX-License-Identifier: BSD-3-Clause
"""A clean Debian with the package, and systemd running it as process 1 in the lab's `nva` namespace."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lab.process import Process, execute, run, wait_until
from lab.topology import Lab

BOOT = Path(__file__).with_name("boot")
# Both would reach beyond the namespaces: the kernel's audit switch, and whatever the outer machine has to load.
MASKED = ("systemd-journald-audit.socket", "systemd-modules-load.service")
FORMAT = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)"


def debian_sources() -> str:
    """This machine's apt sources, those of Debian itself."""
    lines = run("apt-get", "indextargets", "--format", FORMAT, "Created-By: Packages", "Origin: Debian")
    assert lines, "apt knows no Debian source: apt-get update"
    return lines


def install(root: Path, package: Path) -> None:
    """Debian's smallest system with systemd, then the package with what it depends on."""
    inside = f"/tmp/{package.name}"
    run(
        "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--dpkgopt=force-unsafe-io",
        "--include=systemd-sysv", f"--customize-hook=copy-in {package} /tmp",
        f'--customize-hook=chroot "$1" apt-get install --yes --no-install-recommends {inside}',
        f'--customize-hook=rm "$1"{inside}',
        os_codename(), str(root), "-",
        stdin=debian_sources(), timeout=600,
    )  # fmt: skip
    for unit in MASKED:
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")


def repack(package: Path, folder: Path, version: str, edit: Callable[[Path], None]) -> Path:
    """The package as another version, with what `edit` makes of its files."""
    tree = folder / "tree"
    run("dpkg-deb", "--raw-extract", package, tree)
    control = tree / "DEBIAN/control"
    named = next(line for line in control.read_text().splitlines() if line.startswith("Version: "))
    control.write_text(control.read_text().replace(named, f"Version: {version}"))
    (tree / "DEBIAN/md5sums").unlink()
    edit(tree)
    built = folder / f"sekisho_{version}.deb"
    run("dpkg-deb", "-Znone", "--build", tree, built)
    shutil.rmtree(tree)
    return built


def os_codename() -> str:
    lines = Path("/etc/os-release").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["VERSION_CODENAME"]


class Machine:
    def __init__(self, lab: Lab, root: Path) -> None:
        self.lab = lab
        self.root = root
        self.boots = 0
        self._init: Process | None = None

    # --- power ----------------------------------------------------------------------------------------------

    def boot(self) -> None:
        self.boots += 1
        cgroup = self.cgroups / f"boot-{self.boots}"
        cgroup.mkdir()
        self._init = self.lab.spawn("nva", f"boot-{self.boots}", BOOT, self.root, cgroup)
        wait_until("systemd to have started what it should", self.is_up, timeout=90)

    def power_off(self) -> None:
        """As pulling the plug: process 1 takes its namespace's other processes with it."""
        assert self._init is not None
        os.kill(self.pid, signal.SIGKILL)
        self._init.child.wait(timeout=20)
        self.lab.forget(self._init)

    @contextlib.contextmanager
    def powered(self) -> Iterator[Machine]:
        """Its control groups live where the outer machine need not have mounted any."""
        self.cgroups = self.lab.folder / "cgroup"
        self.cgroups.mkdir()
        run("mount", "-t", "cgroup2", "cgroup2", self.cgroups)
        self.cgroups /= f"sekisho-{os.getpid()}"
        self.cgroups.mkdir()
        try:
            self.boot()
            yield self
        finally:
            if self._init is not None and self._init.running():
                self.power_off()
            wait_until("its processes to be gone", self._remove_cgroups)
            run("umount", self.cgroups.parent)

    def _remove_cgroups(self) -> bool:
        folders = [self.cgroups, *(path for path in self.cgroups.rglob("*") if path.is_dir())]
        for folder in sorted(folders, reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()
        return not self.cgroups.exists()

    @property
    def pid(self) -> int:
        """Process 1, seen from outside: the child of `unshare --fork`, which the namespace's `ip netns exec` became."""
        assert self._init is not None
        pid = self._init.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def is_up(self) -> bool:
        assert self._init is not None and self._init.running(), self._init.output() if self._init else ""
        try:
            active = self.execute("systemctl", "is-active", "multi-user.target").stdout.strip() == "active"
            return active and not self.execute("systemctl", "list-jobs", "--no-legend").stdout.strip()
        except IndexError:
            return False

    # --- commands inside ------------------------------------------------------------------------------------

    def execute(self, *words: str) -> subprocess.CompletedProcess[str]:
        return execute("nsenter", "--target", str(self.pid), "--all", "--root", "--wd", *words)

    def run(self, *words: str) -> str:
        done = self.execute(*words)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}\n{self.journal()}"
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.run("sekisho", *words, "--json"))

    def journal(self, unit: str = "sekisho-*") -> str:
        return self.execute("journalctl", "--no-pager", "--output=cat", "--unit", unit).stdout

    def unit(self, name: str) -> dict[str, str]:
        """The unit's properties, as `systemctl show` knows them."""
        lines = self.run("systemctl", "show", f"sekisho-{name}.service").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def active(self, name: str) -> bool:
        return self.unit(name)["ActiveState"] == "active"

    def status(self, name: str) -> dict[str, str]:
        """/proc/PID/status of a service's process."""
        text = self.run("cat", f"/proc/{self.unit(name)['MainPID']}/status")
        return {key: value.strip() for key, value in (line.split(":", 1) for line in text.splitlines())}

    def forwarding(self) -> bool:
        """Control is connected, and every port and next hop of the configuration works, the exit too."""
        done = [self.execute("sekisho", "show", what, "--json") for what in ("ports", "next-hops")]
        if any(answer.returncode != 0 for answer in done):
            return False
        ports, next_hops = (json.loads(answer.stdout) for answer in done)
        alive = [hop.get("alive_in_dataplane", 0) for hop in next_hops if hop["action"] == "forward"]
        exits = [hop for hop in next_hops if hop["name"] == "Internet"]
        leaves = [hop["exit"]["ready"] and hop.get("action_in_dataplane") == "exit" for hop in exits]
        working = ([port["running"] for port in ports], alive, leaves)
        return all(some and all(some) for some in working)

    def wait_forwarding(self) -> None:
        try:
            wait_until("the appliance to forward", self.forwarding, timeout=60)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.journal()}") from error
