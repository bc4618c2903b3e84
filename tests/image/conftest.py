# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures: the image as scripts/packaging/image makes it, and one machine that has booted it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

pytest.register_assert_rewrite("lab.account", "lab.frames")

from image.machine import ImageLab  # noqa: E402
from lab.appliance import ROOT  # noqa: E402
from lab.process import run  # noqa: E402


@pytest.fixture(scope="session")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Its package without debug symbols and hardly compressed: that takes minutes and is debhelper's, not ours to test."""
    quick = {"DEB_BUILD_OPTIONS": "noautodbgsym", "DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"}
    output = tmp_path_factory.mktemp("image") / "sekisho.qcow2"
    done = subprocess.run(
        [ROOT / "scripts/packaging/image", "--output", output], env=os.environ | quick, stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout == f"{output}\n"
    yield output
    output.unlink()  # a GB, which pytest would keep for three runs


@pytest.fixture(scope="session")
def lab(disk: Path) -> Iterator[ImageLab]:
    """On a larger disk than the image's, as clouds give."""
    larger = disk.with_name("larger.qcow2")
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", disk, larger, "6G")
    with ImageLab(larger) as lab:
        yield lab
    larger.unlink()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.failed and isinstance(lab, ImageLab) and lab.guest.process.running():
        said = lab.guest.shell("systemctl --failed --no-pager; journalctl --no-pager -b -n 200; ip address; ip route").stdout
        report.sections.append(("the machine", said))
