# SPDX-License-Identifier: BSD-3-Clause
"""What of git goes into the version, by common/base/revision: in repositories of the test's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lab.appliance import ROOT

SCRIPT = ROOT / "common/base/revision"


class Sources:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def git(self, *words: str) -> None:
        identity = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main")
        subprocess.run(["git", "-C", self.folder, *identity, *words], check=True, capture_output=True)

    def commit(self) -> None:
        with (self.folder / "file").open("a") as file:
            file.write("a line\n")
        self.git("add", "file")
        self.git("commit", "-m", "a commit")

    def revision(self, version: str = "0.1.0", **environment: str) -> str:
        done = subprocess.run([SCRIPT, self.folder, version], capture_output=True, text=True, check=True, env=os.environ | environment)
        assert done.stderr == "" and done.stdout.endswith("\n")
        return done.stdout.removesuffix("\n")


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    sources = Sources(tmp_path / "sources")
    sources.git("init")
    sources.commit()
    sources.commit()
    return sources


def test_commits_are_counted_from_the_versions_tag(sources: Sources) -> None:
    assert re.fullmatch(r"~2\.g[0-9a-f]{7,}", sources.revision())
    sources.git("tag", "v0.1.0")
    assert sources.revision() == ""
    assert re.fullmatch(r"~2\.g[0-9a-f]{7,}", sources.revision("0.2.0")), "the tag of another version"
    sources.commit()
    assert re.fullmatch(r"\+1\.g[0-9a-f]{7,}", sources.revision())


def test_later_is_newer_for_dpkg(sources: Sources) -> None:
    """Untagged, then tagged, then after it; from nine commits to ten; then the next version, untagged and tagged."""
    versions = ["0.1.0" + sources.revision()]
    for tagged in (False, True):
        for _ in range(10):
            sources.commit()
            versions.append("0.1.0" + sources.revision())
        if not tagged:
            sources.commit()
            sources.git("tag", "v0.1.0")
            versions.append("0.1.0" + sources.revision())
            assert versions[-1] == "0.1.0"
    versions.append("0.2.0" + sources.revision("0.2.0"))
    assert versions[-1].startswith("0.2.0~")
    versions.append("0.2.0")
    for older, newer in zip(versions, versions[1:]):
        assert subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=False).returncode == 0, (older, newer)


def test_changed_files_are_said(sources: Sources) -> None:
    sources.git("tag", "v0.1.0")
    (sources.folder / "untracked").touch()
    assert sources.revision() == ""
    (sources.folder / "file").write_text("changed\n")
    assert re.fullmatch(r"\+0\.g[0-9a-f]{7,}\.dirty", sources.revision())


def test_the_index_is_left_alone(sources: Sources) -> None:
    """As root git would replace it, and its owner's git could not write it again."""
    os.utime(sources.folder / "file", (1, 1))  # what makes git look again, and note what it saw
    index = sources.folder / ".git/index"
    before = index.stat().st_ino, index.read_bytes()
    assert "dirty" not in sources.revision()
    assert (index.stat().st_ino, index.read_bytes()) == before


def test_when_it_was_made(sources: Sources, tmp_path: Path) -> None:
    said = subprocess.run(["git", "-C", sources.folder, "log", "-1", "--format=%ct"], capture_output=True, text=True, check=True)
    assert sources.revision("--time") == said.stdout.strip()
    for place in (sources.folder / "inner", tmp_path / "plain"):
        place.mkdir()
        done = subprocess.run([SCRIPT, place, "--time"], capture_output=True, text=True, check=True)
        assert done.stdout == "", "then the package's maker takes the time of the day"


def test_without_git(sources: Sources, tmp_path: Path) -> None:
    """A tarball, and one that is unpacked within somebody's repository; a machine that has no git."""
    inner = Sources(sources.folder / "inner")
    assert inner.revision() == ""
    assert Sources(tmp_path / "plain").revision() == ""
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("sh", "realpath", "printf"):
        (bare / name).symlink_to(str(shutil.which(name)))
    assert sources.revision(PATH=str(bare)) == ""


def test_the_programs_have_it(sekisho: Any) -> None:
    said = sekisho("version").stdout
    assert re.fullmatch(r"sekisho \d+\.\d+\.\d+([+~]\d+\.g[0-9a-f]{7,}(\.dirty)?)?\n", said), said
