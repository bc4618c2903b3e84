# SPDX-License-Identifier: BSD-3-Clause
"""Who owns the configuration: dpkg never does. Each test installs, upgrades or removes the package in a copy of the clean root.

They stand before the tests of the services, whose machine runs in the root that is copied here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.process import execute, run
from package.machine import repack

OURS = ("sekisho.toml", "dataplane.env")
EDITED = '[port.lan]\ndevice = "af_xdp:eth1"  # ours\n'


class Copy:
    """A root of its own, above the one that the tests share."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.etc = root / "etc/sekisho"

    def dpkg(self, *words: str | Path) -> str:
        """As an upgrade at night runs it: a question is a failure, since nobody is there to answer."""
        done = subprocess.run(
            ["unshare", "--net", "chroot", str(self.root), "dpkg", *(str(word) for word in words)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def install(self, package: Path) -> None:
        shutil.copy(package, self.root / "root")
        self.dpkg("--install", f"/root/{package.name}")
        assert (
            run("dpkg-query", f"--root={self.root}", "--show", "--showformat=${Status}", "sekisho")
            == "install ok installed"
        )

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.etc.glob("*") if path.is_file()}


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Iterator[Copy]:
    upper, merged = tmp_path / "upper", tmp_path / "merged"
    for folder in (upper, merged):
        folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", upper)
    try:
        for name in ("changed", "work"):
            (upper / name).mkdir()
        layers = f"lowerdir={root},upperdir={upper}/changed,workdir={upper}/work"
        run("mount", "-t", "overlay", "-o", layers, "overlay", merged)
        try:
            yield Copy(merged)
        finally:
            run("umount", merged)
    finally:
        run("umount", upper)


@pytest.fixture(scope="module")
def older(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it was when its configuration was a conffile, with another template."""

    def edit(tree: Path) -> None:
        for name in OURS:
            shutil.move(tree / "usr/share/sekisho" / name, tree / "etc/sekisho" / name)
        template = tree / "etc/sekisho/sekisho.toml"
        template.write_text("# an older template\n" + template.read_text())
        (tree / "DEBIAN/conffiles").write_text("".join(f"/etc/sekisho/{name}\n" for name in OURS))
        postinst = tree / "DEBIAN/postinst"
        postinst.write_text(postinst.read_text().replace('[ -z "$2" ]', "false"))

    return repack(package, tmp_path_factory.mktemp("older"), "0.0.1", edit)


@pytest.fixture(scope="module")
def templates(root: Path) -> dict[str, str]:
    return {name: (root / "usr/share/sekisho" / name).read_text() for name in OURS}


def test_an_installation_gives_the_templates(root: Path, templates: dict[str, str]) -> None:
    given = {name: (root / "etc/sekisho" / name) for name in OURS}
    assert {name: path.read_text() for name, path in given.items()} == templates
    assert {path.stat().st_mode & 0o7777 for path in given.values()} == {0o644}
    assert "names no port" in templates["sekisho.toml"]
    assert '\ninclude = ["conf.d/*.toml"]\n' in templates["sekisho.toml"]
    assert list((root / "etc/sekisho/conf.d").iterdir()) == []


def test_an_installation_takes_what_is_there(copy: Copy, package: Path, templates: dict[str, str]) -> None:
    """From whoever prepares machines: cloud-init, Ansible."""
    copy.dpkg("--purge", "sekisho")
    assert not copy.etc.exists()
    copy.etc.mkdir()
    (copy.etc / "sekisho.toml").write_text(EDITED)
    copy.install(package)
    assert copy.files() == templates | {"sekisho.toml": EDITED}


@pytest.mark.parametrize("edited", [True, False], ids=["edited", "unedited"])
def test_an_upgrade_from_a_conffile_keeps_the_file(copy: Copy, package: Path, older: Path, edited: bool) -> None:
    copy.dpkg("--purge", "sekisho")
    copy.install(older)
    assert copy.files()["sekisho.toml"].startswith("# an older template\n")
    if edited:
        for name in OURS:
            (copy.etc / name).write_text(EDITED)
    before = copy.files()
    copy.install(package)
    assert copy.files() == before, "neither another content nor a file beside it"
    # Nor does any later upgrade.
    copy.install(package)
    assert copy.files() == before
    copy.dpkg("--purge", "sekisho")
    assert not copy.etc.exists()


def test_an_upgrade_neither_changes_nor_brings_back(copy: Copy, package: Path) -> None:
    (copy.etc / "sekisho.toml").write_text(EDITED)
    (copy.etc / "dataplane.env").unlink()
    copy.install(package)
    assert copy.files() == {"sekisho.toml": EDITED}


def test_a_removal_keeps_it_and_a_purge_does_not(copy: Copy, package: Path) -> None:
    (copy.etc / "sekisho.toml").write_text(EDITED)
    (copy.etc / "routes.txt").write_text("10.0.0.0/8 firewall\n")
    before = copy.files()
    copy.dpkg("--remove", "sekisho")
    assert copy.files() == before
    copy.install(package)
    assert copy.files() == before
    copy.dpkg("--purge", "sekisho")
    assert copy.files() == {"routes.txt": before["routes.txt"]}, "what the operator put beside it is the operator's"


def test_what_is_included_is_the_operators(copy: Copy, package: Path) -> None:
    zone = copy.etc / "conf.d/branch.toml"
    zone.write_text(EDITED)
    copy.install(package)
    assert zone.read_text() == EDITED
    copy.dpkg("--purge", "sekisho")
    assert zone.read_text() == EDITED
    assert copy.files() == {}


@pytest.mark.parametrize("proc", [False, True], ids=["bare", "mounted"])
def test_a_removal_in_a_chroot_leaves_the_machine_alone(copy: Copy, proc: bool) -> None:
    """An image is made beside an appliance that runs: rules, routes and interfaces are that one's."""
    mount = f"mount -t proc proc {copy.root}/proc; mount -t sysfs sysfs {copy.root}/sys" if proc else "true"
    script = f"""set -e
    mount --make-rprivate /
    {mount}
    ip link set lo up
    ip -4 rule add from 192.0.2.1 lookup 83 protocol 83
    ip -4 route add 192.0.2.2/32 dev lo table 83 proto 83
    ip tuntap add mode tap name sekisho0
    ip link set sekisho0 alias 'sekisho exit'
    chroot {copy.root} dpkg --remove sekisho >&2
    ip -4 rule show protocol 83
    ip -4 route show table 83
    ip -brief link show sekisho0"""
    done = execute("unshare", "--net", "--mount", "sh", "-c", script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line in done.stdout for line in ("from 192.0.2.1 lookup 83", "192.0.2.2 dev lo", "sekisho0")] == [True] * 3, done.stdout


@pytest.mark.parametrize("included", [False, True], ids=["bare", "included"])
def test_a_purge_leaves_what_is_behind_a_link(copy: Copy, included: bool) -> None:
    """The operator's disk. dpkg itself takes the link away that stands in place of a folder of the package, unless files in conf.d keep the folder."""
    for folder, name in ((copy.etc, "etc"), (copy.root / "var/lib/sekisho", "state")):
        disk = copy.root / "srv" / name
        disk.mkdir(parents=True)
        (disk / "kept").touch()
        shutil.rmtree(folder, ignore_errors=True)
        folder.symlink_to(f"/srv/{name}")
    disk = copy.root / "srv/etc"
    (disk / "sekisho.toml").write_text(EDITED)
    if included:
        (disk / "conf.d").mkdir()
        (disk / "conf.d/branch.toml").write_text(EDITED)
    before = sorted(disk.rglob("*"))
    said = copy.dpkg("--purge", "sekisho")
    assert "/var/lib/sekisho is a symbolic link and stays, with what is in /srv/state" in said
    assert ("/etc/sekisho is a symbolic link and stays, with what is in /srv/etc" in said) == included
    assert copy.etc.is_symlink() == included
    assert sorted(disk.rglob("*")) == before
    assert [path.name for path in (copy.root / "srv/state").iterdir()] == ["kept"]


def test_a_purge_ends_where_a_folder_cannot_go(copy: Copy) -> None:
    """A symbolic link and a mount point: dpkg would else keep a package that it can neither remove nor install."""
    run("mv", copy.etc, copy.etc.with_name("ours"))  # an overlay renames no folder of its lower layer
    copy.etc.symlink_to("ours")
    state = copy.root / "var/lib/sekisho"
    state.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "tmpfs", state)
    try:
        (state / "draining").touch()
        copy.dpkg("--purge", "sekisho")
        assert list(state.iterdir()) == []  # what is behind the link stays the operator's
    finally:
        run("umount", state)
