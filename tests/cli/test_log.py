# SPDX-License-Identifier: BSD-3-Clause
"""What the daemons write on standard error: for people, for the journal, for programs. They end at once here: there is no
configuration."""

import json
import os
import re
import subprocess

import pytest


@pytest.fixture
def log(build, tmp_path):
    def run(*arguments, journal=None):
        file = tmp_path / "log"
        environment = {key: value for key, value in os.environ.items() if key != "JOURNAL_STREAM"}
        with file.open("wb") as stderr:
            status = os.fstat(stderr.fileno())
            if journal is not None:
                environment["JOURNAL_STREAM"] = journal.format(device=status.st_dev, inode=status.st_ino)
            command = [build / "control" / "sekisho-control", "--config", tmp_path / "none.toml", *arguments]
            done = subprocess.run(command, stderr=stderr, stdout=subprocess.PIPE, env=environment, timeout=60)
        assert done.returncode == 1 and done.stdout == b""
        return file.read_text()

    return run


REASON = "none.toml: cannot be opened: No such file or directory\n"


def test_text(log):
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} error: /.*/" + re.escape(REASON), log())


def test_the_journal_gets_a_priority_and_no_time(log):
    assert re.fullmatch(r"<3>/.*/" + re.escape(REASON), log(journal="{device}:{inode}"))


def test_an_inherited_journal_is_not_standard_error(log):
    assert log(journal="{device}:1").endswith("error: " + log().split(" error: ")[1])


def test_json(log):
    record = json.loads(log("--log-format", "json"))
    assert record["level"] == "error" and record["program"] == "sekisho-control"
    assert (record["message"] + "\n").endswith(REASON)


def test_json_in_the_journal(log):
    line = log("--log-format", "json", journal="{device}:{inode}")
    assert line.startswith("<3>") and json.loads(line[3:])["level"] == "error"


@pytest.mark.parametrize("program", ["control/sekisho-control", "dataplane/sekisho-dataplane"])
@pytest.mark.parametrize("option", [("--log-format", "xml"), ("--log-level", "loud")])
def test_words_that_are_none(build, program, option):
    assert subprocess.run([build / program, *option], capture_output=True, timeout=60).returncode == 2
