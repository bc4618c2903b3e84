# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures: the package as scripts/packaging/deb makes it, and a machine that has installed it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.appliance import ROOT  # noqa: E402
from lab.topology import Lab  # noqa: E402
from package.machine import Machine, install  # noqa: E402


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without debug symbols and hardly compressed: that takes minutes and is debhelper's, not ours to test."""
    quick = {
        "DEB_BUILD_OPTIONS": "noautodbgsym",
        "DPKG_DEB_COMPRESSOR_TYPE": "gzip",
        "DPKG_DEB_COMPRESSOR_LEVEL": "1",
    }
    done = subprocess.run(
        [ROOT / "scripts/packaging/deb", "--output", tmp_path_factory.mktemp("deb")],
        env=os.environ | quick, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def root(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("root") / "root"
    install(root, package)
    yield root
    shutil.rmtree(root)  # half a GB, which pytest would keep for three runs


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture(scope="session")
def machine(lab: Lab, root: Path) -> Iterator[Machine]:
    with Machine(lab, root).powered() as machine:
        yield machine
