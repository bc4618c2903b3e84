# SPDX-License-Identifier: BSD-3-Clause
"""Files that do not answer, or are none, hold nothing up and change nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Injector, frame
from lab.hanging import HangingMount
from lab.process import wait_until
from lab.topology import Lab

# What sekisho-control gives a file (PolicyReader::patience).
SENTENCE = "did not answer for 10 s: is its file system there?"


@pytest.fixture(scope="module")
def mount(lab: Lab) -> Iterator[HangingMount]:
    """There before control is, which has a mount namespace of its own."""
    with HangingMount(lab.folder / "mount", "routes.txt", b"198.51.100.91/32 second-gateway\n") as mount:
        yield mount


@pytest.fixture(scope="module")
def appliance(lab: Lab, mount: HangingMount) -> Appliance:
    appliance = Appliance(lab, config.adapted(lab))
    appliance.start()
    return appliance


@pytest.fixture(autouse=True)
def restored(appliance: Appliance) -> Iterator[None]:
    text = appliance.config.read_text()
    yield
    appliance.config.write_text(text)


def name_file(appliance: Appliance, file: os.PathLike[str]) -> None:
    appliance.config.write_text(appliance.config.read_text().replace("overrides.txt", str(file)))


def test_a_file_that_does_not_answer_is_named_and_holds_nothing_up(
    lab: Lab, appliance: Appliance, mount: HangingMount, onprem: Injector
) -> None:
    before = appliance.json("show", "state")["dataplane"]["transaction"]
    text = appliance.config.read_text()
    name_file(appliance, mount.file)
    with ThreadPoolExecutor() as pool:
        reloading = pool.submit(appliance.execute, "reload")
        planning = pool.submit(appliance.execute, "reload", "--dry-run")
        mount.wait_for_a_reader()
        # A link fails meanwhile, and operators are answered.
        lab["nva"].ip("link", "set", "egress0", "down")
        wait_until("no firewall", lambda: appliance.next_hops()["firewall"] == 0, timeout=8)
        assert not reloading.done()
        lab["nva"].ip("link", "set", "egress0", "up")
        done = reloading.result()
        assert (done.returncode, done.stdout) == (1, "") and f"{mount.file}: {SENTENCE}" in done.stderr, done
        # The next reload does not wait for the thread that hangs.
        appliance.config.write_text(text)
        assert appliance.reload()["routes_added"] == 0
        assert planning.result().returncode in (0, 1)
    appliance.wait_ready()
    assert appliance.json("show", "state")["dataplane"]["transaction"] > before
    account = Account(appliance)
    onprem.send(frame(), 10)
    account.forwarded("lan", "egress", 10)


def test_no_command_waits_for_ever(lab: Lab, appliance: Appliance, mount: HangingMount) -> None:
    """Whatever reads the file, and whether the configuration names it or the command line does."""
    named, hanging = str(appliance.config), str(mount.file)
    good = lab.folder / "good.txt"
    good.write_text("10.0.0.0/8 firewall\n")
    name_file(appliance, mount.file)
    commands = (
        ("check", "--config", named),
        ("check", "--config", hanging),
        ("check", "--routes", hanging),
        ("check", "--routes", f"{good},{hanging}", "--json"),
        ("lookup", "--routes", f"{good},{hanging}", "10.0.0.1"),
        ("routes", "convert", "--to", "text", hanging),
        ("explain", "--config", named, "172.16.0.10", "1.1.1.1"),
        ("effective-routes", "--config", named, "--zone", "onprem"),
        ("effective-routes", "--vnet", "10.0.0.0/16", "--routes", hanging),
        ("effective-routes", "--vnet", "10.0.0.0/16", "--gateway-routes", hanging),
        ("diff", str(good), hanging),
        ("diff", "--service-tags", hanging, str(good), named + ":onprem"),
    )
    with ThreadPoolExecutor(len(commands)) as pool:
        for words, done in zip(commands, pool.map(lambda words: appliance.execute(*words, timeout=60), commands), strict=True):
            assert done.returncode == 1 and done.stderr == f"sekisho: {hanging}: {SENTENCE}\n", (words, done)
    doctor = appliance.execute("doctor", "--config", named)
    assert doctor.returncode == 1 and f"{hanging}: did not answer for 5 s" in doctor.stdout, doctor
    assert "rp_filter" in doctor.stdout, "what the configuration has no say in is examined all the same"


def test_a_pipe_is_refused_at_once(appliance: Appliance, lab: Lab) -> None:
    pipe = lab.folder / "config" / "pipe"
    os.mkfifo(pipe)
    text = appliance.config.read_text()
    name_file(appliance, pipe)
    for words in (("reload",), ("reload", "--dry-run"), ("check", "--config", str(appliance.config))):
        done = appliance.execute(*words)
        assert done.returncode == 1 and f"{pipe}: is a pipe (FIFO)" in done.stderr, done
    assert "is a pipe (FIFO)" in appliance.json("show", "config")["reload"]["refused"]
    done = appliance.execute("guard", "on", "--config", pipe)
    assert done.returncode == 1 and f"{pipe}: is a pipe (FIFO)" in done.stderr, done
    appliance.config.write_text(text)
    assert appliance.reload()["routes_added"] == 0
    pipe.unlink()


def test_a_file_without_routes_keeps_the_routes(appliance: Appliance) -> None:
    config.overrides(appliance.config, ["198.51.100.91/32 second-gateway"])
    assert appliance.reload()["routes_added"] == 1
    text = appliance.config.read_text()
    appliance.config.write_text(text.replace(", allow_empty = true", ""))
    config.overrides(appliance.config, [])
    done = appliance.execute("reload")
    assert done.returncode == 1 and "overrides.txt: holds no route" in done.stderr
    assert appliance.explain("172.16.0.10", "198.51.100.91")["dataplane"]["next_hop"] == "second-gateway"
    appliance.config.write_text(text)
    assert appliance.reload()["routes_removed"] == 1


def test_control_ends_while_a_file_hangs_and_does_not_start_with_it(
    lab: Lab, appliance: Appliance, mount: HangingMount
) -> None:
    assert appliance.control is not None
    text = appliance.config.read_text()
    name_file(appliance, mount.file)
    with ThreadPoolExecutor() as pool:
        reloading = pool.submit(appliance.execute, "reload")
        mount.wait_for_a_reader()
        control = appliance.control
        assert control.stop() == 0, control.output()
        assert reloading.result().returncode == 1
    lab.forget(control)
    appliance.start_control()
    control = appliance.control
    wait_until("control to give up", lambda: not control.running())
    assert f"{mount.file}: {SENTENCE}" in control.output()
    assert control.stop() == 1
    lab.forget(control)
    appliance.config.write_text(text)
    appliance.start_control()
    appliance.wait_ready()


def test_a_file_that_answers_late_is_read(appliance: Appliance, mount: HangingMount) -> None:
    """The last: the mount answers from here on."""
    name_file(appliance, mount.file)
    with ThreadPoolExecutor() as pool:
        reloading = pool.submit(appliance.reload)
        mount.wait_for_a_reader()
        mount.answer()
        assert reloading.result()["routes_added"] == 1
    assert appliance.explain("172.16.0.10", "198.51.100.91")["dataplane"]["next_hop"] == "second-gateway"
