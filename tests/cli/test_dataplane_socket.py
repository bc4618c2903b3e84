# SPDX-License-Identifier: BSD-3-Clause
"""Which dataplane `capture` and `trace` ask when nobody names its socket: the package's service, or one started by hand."""

import subprocess

import pytest

SERVICE, BY_HAND = "/run/sekisho-dataplane/dataplane.sock", "/run/sekisho/dataplane.sock"


def answer(sekisho, command, before=""):
    """What it says in a /run of its own, in which nobody listens."""
    script = f'mount -t tmpfs none /run && {before or "true"} && exec "$@"'
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", sekisho.binary, *command],
        capture_output=True, text=True, check=False, timeout=60,
    )


@pytest.mark.parametrize("command", [["capture", "-n", "1"], ["trace", "-n", "1"]])
def test_the_socket_of_the_package_is_asked_when_it_is_there(sekisho, command):
    done = answer(sekisho, command, "mkdir /run/sekisho-dataplane && touch /run/sekisho-dataplane/dataplane.sock")
    assert done.returncode == 1 and SERVICE in done.stderr


@pytest.mark.parametrize("command", [["capture", "-n", "1"], ["trace", "-n", "1"]])
def test_otherwise_one_that_was_started_by_hand_is(sekisho, command):
    done = answer(sekisho, command)
    assert done.returncode == 1 and BY_HAND in done.stderr


def test_a_socket_that_is_named_is_asked(sekisho):
    done = answer(sekisho, ["capture", "-n", "1", "--dataplane-socket", "/nowhere/x.sock"])
    assert done.returncode == 1 and "/nowhere/x.sock" in done.stderr
