# SPDX-License-Identifier: BSD-3-Clause
"""The programs as a user runs them, without a dataplane. SEKISHO_BUILD is the build folder (default: build)."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

# They lie beside the project. Where they do not, there is no test to be skipped.
CASES = pathlib.Path(os.environ.get("SEKISHO_DATA", ROOT.parent / "shared" / "data")) / "cases"
collect_ignore = [] if CASES.is_dir() else ["test_cases.py"]


@pytest.fixture(scope="session")
def build():
    return (ROOT / os.environ.get("SEKISHO_BUILD", "build")).resolve()


@pytest.fixture(scope="session")
def sekisho(build):
    binary = build / "control" / "sekisho"
    assert binary.exists(), f"{binary} is not built"

    def run(*arguments, stdin=""):
        return subprocess.run([binary, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=300)

    run.binary = binary
    return run


@pytest.fixture
def refused(sekisho):
    """Runs, expects exit status 1 and one sentence, and gives the sentence."""

    def run(*arguments, stdin=""):
        done = sekisho(*arguments, stdin=stdin)
        assert done.returncode == 1, done
        assert done.stderr.startswith("sekisho: ") and done.stderr.count("\n") == 1, done.stderr
        return done.stderr

    return run
