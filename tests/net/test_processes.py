# SPDX-License-Identifier: BSD-3-Clause
"""Nobody takes the two processes down: not who reads their logs, not who holds connections, not a lack of files or memory, and not
the other one when it hangs."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab import config
from lab.appliance import BUILD, ROOT, Appliance, Refused
from lab.frames import Capture, Injector, frame
from lab.metrics import LISTEN, Scrape
from lab.process import Process, execute, wait_until
from lab.stream import Stream
from lab.topology import MACS, STREAM, Lab
from scapy.layers.l2 import Ether

sys.path.insert(0, str(ROOT / "doc"))
from program_help import help_of, subcommands  # noqa: E402

pytestmark = pytest.mark.usefixtures("manuals_neighbour_timers")

DATAPLANE = BUILD / "dataplane" / "sekisho-dataplane"
FLOWS = 100
# Of `sekisho show`: what the kernel and FRR say, who are asked themselves.
OF_OTHERS = {"neighbours", "bgp"}


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    appliance = Appliance(lab, config.adapted(lab))
    text = appliance.config.read_text()
    appliance.config.write_text(f'{text}\n[metrics]\nlisten = "{LISTEN}"\n')
    appliance.start()
    return appliance


@pytest.fixture(autouse=True)
def as_it_was(lab: Lab, appliance: Appliance) -> Iterator[None]:
    config_before = appliance.config.read_text()
    yield
    appliance.config.write_text(config_before)
    config.overrides(appliance.config, [])
    for process in (appliance.dataplane, appliance.control):
        assert process is not None and process.running(), f"{process} has ended"
    wait_until("the appliance to forward", appliance.ready)
    appliance.reload()


def pid_of(process: Process | None) -> int:
    assert process is not None
    return process.pid


@contextmanager
def stopped(process: Process | None) -> Iterator[None]:
    assert process is not None
    process.send(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send(signal.SIGCONT)


def flush_neighbours(lab: Lab) -> None:
    """Again and again, until none is there: what control has asked for meanwhile as well."""
    lab.execute("nva", "ip", "neigh", "flush", "dev", "egress0")


def forwards(lab: Lab, onprem: Injector, to: str = MACS["firewall", "inside"]) -> None:
    """Every one of some packets arrives, at that station."""
    with Capture(lab, "fabric", "nva-egress0") as seen:
        for _ in range(FLOWS):
            onprem.send(frame())
        assert {packet[Ether].dst for packet in seen.wait(FLOWS)} == {to}


# --- Logs -----------------------------------------------------------------------------------------------------


@pytest.fixture
def stalled(lab: Lab, appliance: Appliance) -> Iterator[None]:
    """Both write their logs into pipes that are full and that nobody reads."""
    held = []
    for name in ("dataplane", "control"):
        pipe = lab.folder / f"{name}.pipe"
        os.mkfifo(pipe)
        end = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        try:
            while True:
                os.write(end, b"." * 4096)
        except BlockingIOError:
            held.append(end)
    with restarted(lab, appliance, lambda name: ("sh", "-c", f'exec "$@" 2>{lab.folder / name}.pipe', "sh")):
        yield
    for end in held:
        os.close(end)


@contextmanager
def restarted(lab: Lab, appliance: Appliance, wrapper) -> Iterator[None]:  # type: ignore[no-untyped-def]
    appliance.stop()
    appliance.dataplane_wrapper = list(wrapper("dataplane"))
    appliance.control_wrapper = list(wrapper("control"))
    appliance.start()
    try:
        yield
    finally:
        appliance.stop()
        appliance.dataplane_wrapper = appliance.control_wrapper = []
        appliance.start()


def test_a_log_that_nobody_reads_holds_up_nothing(
    lab: Lab, appliance: Appliance, onprem: Injector, stalled: None
) -> None:
    """A firewall that comes back with another MAC is forwarded to at once, however much is to be said about it."""
    new = "02:00:00:00:02:77"
    inside = lab["firewall"]
    try:
        for _ in range(5):
            appliance.reload()
        inside.ip("link", "set", "inside", "address", new)
        flush_neighbours(lab)
        wait_until("the new MAC", lambda: new in str(appliance.json("show", "neighbours")))
        forwards(lab, onprem, new)
    finally:
        inside.ip("link", "set", "inside", "address", MACS["firewall", "inside"])
        flush_neighbours(lab)
        wait_until("the old MAC", lambda: new not in str(appliance.json("show", "neighbours")))


def test_a_log_whose_reader_has_died_kills_nobody(lab: Lab, appliance: Appliance) -> None:
    """As a shell starts them: with SIGPIPE's default."""

    def wrapper(name: str) -> tuple[str, ...]:
        return ("bash", "-c", 'exec "$@" 2> >(exec true)', "bash")  # the reader is gone at once

    with restarted(lab, appliance, wrapper):
        for _ in range(3):
            appliance.reload()
        assert appliance.ready()


# --- A dataplane that hangs -----------------------------------------------------------------------------------

HANGS = "has not answered for"


def test_a_hung_dataplane_is_said_by_every_command(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    assert appliance.control is not None
    with stopped(appliance.dataplane):
        wait_until("control to notice", lambda: HANGS in appliance.control.output())  # type: ignore[union-attr]
        for what in ("stats", "drops", "ports", "zones", "next-hops", "routes", "config"):
            for json in ((), ("--json",)):
                done = appliance.execute("show", what, *json)
                assert done.returncode == 1 and HANGS in done.stderr, (what, done)
        for words in (("show", "state"), ("explain", "172.16.0.10", "1.1.1.1", "--port", "lan")):
            done = appliance.execute(*words)
            assert HANGS in done.stdout + done.stderr, (words, done)
        # Nothing is declared done.
        done = appliance.execute("route", "add", "--zone", "onprem", "9.9.9.9/32", "second-gateway")
        assert "the dataplane gets it when it is" in done.stdout or done.returncode == 1, done
        assert Scrape.take(lab)("sekisho_dataplane_connected") == 0
    appliance.wait_ready()
    forwards(lab, onprem)
    assert appliance.json("reload")["applied"] is True


def test_what_is_not_known_of_a_hung_dataplane_is_not_shown_as_known(appliance: Appliance) -> None:
    assert appliance.control is not None
    before = appliance.control.output().count(HANGS)
    with stopped(appliance.dataplane):
        wait_until("control to notice", lambda: appliance.control.output().count(HANGS) > before)  # type: ignore[union-attr]
        for what in sorted(set(subcommands(help_of([BUILD / "control/sekisho", "show"]))) - OF_OTHERS - {"state"}):
            done = appliance.execute("show", what)
            assert done.returncode == 1 and HANGS in done.stderr, (what, done)
        assert all(port["running"] is None and HANGS in port["error"] for port in appliance.json("show", "ports"))
        assert all(hop["alive"] is None for hop in appliance.json("show", "next-hops"))
        for words, lie in (
            (("show", "ports"), " down "), (("show", "ports", "-br"), " down "), (("show", "next-hops", "-br"), ":up"), (("map",), "[ok]"),
            (("top", "--once"), "not running"),
        ):  # fmt: skip
            done = appliance.execute(*words)
            assert done.returncode == 1 and lie not in done.stdout, done


def test_a_control_that_is_started_beside_a_hung_dataplane_does_not_call_it_down(appliance: Appliance) -> None:
    """From its first answer on, not only when the dataplane has been silent for long."""
    appliance.kill_control()
    with stopped(appliance.dataplane):
        appliance.start_control()
        wait_until("control to answer", appliance.answers)
        for _ in range(10):
            assert {port["running"] for port in appliance.json("show", "ports")} == {None}
        done = appliance.execute("show", "ports")
        assert done.returncode == 1 and "has not answered" in done.stderr, done
        assert " down " not in done.stdout and "no answer" in done.stdout, done
    appliance.wait_ready()


def test_a_transaction_that_a_hang_swallowed_is_made_good(
    lab: Lab, appliance: Appliance, onprem: Injector
) -> None:
    with stopped(appliance.dataplane):
        with pytest.raises(Refused, match=HANGS):
            config.overrides(appliance.config, ["198.51.100.0/24 second-gateway"])
            appliance.reload()
    appliance.wait_ready()
    config.overrides(appliance.config, [])
    appliance.reload()
    forwards(lab, onprem)


# --- Neighbours -----------------------------------------------------------------------------------------------


def test_a_flush_of_the_neighbours_loses_nothing(lab: Lab, appliance: Appliance) -> None:
    with Stream(lab, STREAM, rate=5_000, seconds=6) as stream:
        stream.wait_received(1_000)
        while stream.running():
            flush_neighbours(lab)
        result = stream.finish()
    assert result.lost == 0, result


def test_a_firewall_that_is_gone_is_dead_after_a_flush_too(lab: Lab, appliance: Appliance) -> None:
    """The last MAC serves until the kernel says FAILED, and no longer."""
    try:
        lab.link_down("firewall")
        flush_neighbours(lab)
        wait_until("the firewall to be dead", lambda: appliance.next_hops()["firewall"] == 0)
    finally:
        lab.link_up("firewall")


# --- Clients, files and memory ---------------------------------------------------------------------------------


def test_at_its_limit_of_files_control_goes_on(lab: Lab, appliance: Appliance) -> None:
    pid = pid_of(appliance.control)
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (files + 24, before[1]))
    clients = []
    try:
        for _ in range(100):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            client.settimeout(5)
            client.connect(str(appliance.socket))
            clients.append(client)
        assert appliance.json("show", "state")["dataplane"]["connected"] is True
        appliance.reload()
        lab["nva"].nft("flush ruleset")
        wait_until("the guard", lambda: "sekisho" in lab["nva"].run("nft", "list", "tables"))
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        for client in clients:
            client.close()
    assert appliance.ready()


@contextmanager
def little_memory(process: Process | None, spare: int) -> Iterator[None]:
    """No more memory to write to than what it has now and `spare` bytes. A limit of addresses would not bind: the C library reserves
    64 MB of them for a thread and makes them memory as it goes."""
    pid = pid_of(process)
    status = Path(f"/proc/{pid}/status").read_text()
    size = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData:"))
    before = resource.prlimit(pid, resource.RLIMIT_DATA)
    resource.prlimit(pid, resource.RLIMIT_DATA, (size + spare, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_DATA, before)


def many_prefixes() -> Iterator[str]:
    """917,504 of them."""
    return (f"{a}.{b}.{c}" for a in range(96, 110) for b in range(256) for c in range(256))


@pytest.mark.parametrize("who", ["dataplane", "control"])
def test_without_memory_a_change_is_refused_and_packets_go_on(lab: Lab, appliance: Appliance, who: str) -> None:
    # What an earlier table left in its heap would do for the next one.
    appliance.kill_control()
    appliance.start_control()
    appliance.wait_ready()
    process = getattr(appliance, who)
    with Stream(lab, STREAM, rate=2_000, seconds=8) as stream:
        stream.wait_received(100)
        config.overrides(appliance.config, (f"{prefix}.0/24 second-gateway" for prefix in many_prefixes()))
        # Control reads in a thread, whose stack is what it has no memory for first.
        with little_memory(process, 4 << 20), pytest.raises(Refused, match="memory|connection|no thread"):
            appliance.reload()
        result = stream.finish()
    assert result.lost == 0, result
    assert process.running()
    appliance.wait_ready()
    assert appliance.reload()["applied"] is True
    config.overrides(appliance.config, [])
    assert appliance.reload()["applied"] is True
    appliance.wait_ready()


def test_metrics_move_to_all_addresses_and_back(lab: Lab, appliance: Appliance) -> None:
    one = appliance.config.read_text()
    port = LISTEN.split(":")[1]
    every = one.replace(LISTEN, f"0.0.0.0:{port}")
    assert every != one
    for text, address in ((every, "10.0.1.4"), (one, "127.0.0.1")):
        appliance.config.write_text(text)
        appliance.reload()
        assert Scrape.take(lab, f"{address}:{port}")("sekisho_dataplane_connected") == 1


def test_signals_to_reload_merge(lab: Lab, appliance: Appliance) -> None:
    assert appliance.control is not None
    before = appliance.control.output().count("reload done")
    with stopped(appliance.dataplane):
        for _ in range(50):
            appliance.signal_control(signal.SIGHUP)
    wait_until("a reload", lambda: appliance.control.output().count("reload done") > before)  # type: ignore[union-attr]
    appliance.reload()
    assert appliance.control.output().count("reload done") - before < 10


# --- Start ----------------------------------------------------------------------------------------------------


def test_a_cpu_that_is_not_there_is_said_once(lab: Lab) -> None:
    done = execute(DATAPLANE, "--socket", lab.folder / "other.sock", "--workers", "0,127")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "there is no CPU 127 for --workers: this process may use" in done.stderr


def test_hugepages_that_somebody_has_locked_keep_nobody_from_starting(lab: Lab) -> None:
    folder = Path("/dev/hugepages")
    assert folder.is_dir(), "scripts/bootstrap makes it"
    with subprocess.Popen(["flock", folder, "cat"], stdin=subprocess.PIPE) as holder:
        other = lab.spawn("fabric", "other", DATAPLANE, "--socket", lab.folder / "other.sock", "--memory", "64")
        try:
            wait_until("the other dataplane", lambda: "serves" in other.output())
        finally:
            other.stop()
            lab.forget(other)
            assert holder.stdin is not None
            holder.stdin.close()
