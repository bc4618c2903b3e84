# SPDX-License-Identifier: BSD-3-Clause
"""Looking at packets: the newest drops, which are always kept, and captures, of the real dataplane."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab import config, pcapng
from lab.appliance import BUILD, Appliance, Refused
from lab.frames import Injector, frame
from lab.process import Process, run, wait_until
from lab.topology import MACS, ONPREM, STREAM, WEB, Lab
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

STRANGER = "203.0.113.77"  # of the Internet, whose packets come by another port


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    appliance = Appliance(lab, config.adapted(lab))
    appliance.start()
    return appliance


@pytest.fixture
def injector(lab: Lab) -> Iterator[Injector]:
    injector = Injector(lab)
    yield injector
    injector.close()


def capture(appliance: Appliance, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return appliance.execute("capture", "--dataplane-socket", appliance.dataplane_socket, *words)


@contextmanager
def capturing(lab: Lab, appliance: Appliance, *words: str | Path) -> Iterator[Process]:
    """From when packets are copied; ended by SIGTERM."""
    command = BUILD / "control" / "sekisho"
    name = f"capture-{time.monotonic_ns()}"
    process = lab.spawn("nva", name, command, "capture", "--dataplane-socket", appliance.dataplane_socket, *words)
    wait_until("the capture", lambda: "capturing" in process.output() or not process.running())
    try:
        yield process
    finally:
        if process.running():
            assert process.stop() == 0
        lab.forget(process)


def captured(output: str) -> int:
    """Packets, by the last line of standard error."""
    words = output.strip().splitlines()[-1].split()
    assert words[2:4] == ["packets", "captured,"], output
    return int(words[1])


# --- the newest drops -------------------------------------------------------------------------------------------


def test_a_dropped_packet_is_shown_with_its_reason(appliance: Appliance, injector: Injector) -> None:
    injector.send(frame(source=STRANGER))
    last = wait_until("the drop", lambda: appliance.json("show", "drops", "--last", "--reason", "spoofed_source"))
    newest = last[0]
    assert newest["port"] == "lan" and newest["reason"] == "spoofed_source" and newest["generated"] is False
    assert newest["ip"]["source"] == STRANGER and newest["ip"]["destination"] == STREAM
    assert (newest["ip"]["protocol"], newest["ip"]["source_port"], newest["ip"]["destination_port"]) == ("udp", 4000, 4001)
    assert newest["from"] == MACS["onprem", "eth0"] and newest["to"] == MACS["nva", "lan0"]
    assert 0 <= newest["age_seconds"] < 60
    assert bytes.fromhex(newest["frame"]) == bytes(frame(source=STRANGER))[:64]
    text = appliance.execute("show", "drops", "--last").stdout
    assert f"{STRANGER}:4000 > {STREAM}:4001 udp, TTL 64" in text


def test_a_forwarded_packet_is_no_drop(lab: Lab, appliance: Appliance) -> None:
    before = appliance.json("show", "drops", "--last")
    lab.fetch("onprem")
    after = appliance.json("show", "drops", "--last")
    assert [drop["frame"] for drop in before] == [drop["frame"] for drop in after]


def test_an_unknown_reason_is_wrong_usage(appliance: Appliance) -> None:
    done = appliance.execute("show", "drops", "--last", "--reason", "nonsense")
    assert done.returncode == 2 and "no reason is called nonsense" in done.stderr
    assert appliance.execute("show", "drops", "--reason", "no_route").returncode == 2, "only with --last"


# --- captures ---------------------------------------------------------------------------------------------------


def test_a_file_has_each_packet_as_it_came_and_as_it_went(lab: Lab, appliance: Appliance) -> None:
    file = lab.folder / "page.pcapng"
    with capturing(lab, appliance, "-w", file, "--filter", f"host {WEB} and tcp port 80") as process:
        lab.fetch("onprem")
        wait_until("the end of the connection", lambda: b"" if not file.exists() else ends(file.read_bytes()))
    packets = pcapng.packets(file.read_bytes())
    assert captured(process.output()) == len(packets)
    assert pcapng.lost(file.read_bytes()) == 0
    assert {packet.port for packet in packets} == {"lan", "egress"}
    for out in (True, False):
        ways = [(packet.port, Ether(packet.data)) for packet in packets if packet.outbound is out]
        assert any(port == "egress" and sent[IP].dst == WEB for port, sent in ways) is out
        assert any(port == "lan" and sent[IP].dst == WEB for port, sent in ways) is not out
    came = [packet for packet in packets if not packet.outbound]
    went = [packet for packet in packets if packet.outbound]
    assert len(came) == len(went)
    for before, after in zip(came, went):
        assert Ether(before.data)[IP].ttl == Ether(after.data)[IP].ttl + 1
        assert before.at <= after.at and abs(before.at - time.time()) < 120
    # A tool of the field's reads it, too.
    lines = run("tcpdump", "-n", "-r", str(file)).splitlines()
    assert len(lines) == len(packets) and all(WEB in line for line in lines)
    assert file.stat().st_mode & 0o777 == 0o600


def ends(content: bytes) -> bool:
    """Both FINs have left."""
    try:
        flags = [str(Ether(packet.data)[TCP].flags) for packet in pcapng.packets(content) if packet.outbound]
    except AssertionError:
        return False  # a block is being written
    return sum("F" in flag for flag in flags) >= 2


def test_a_drop_has_its_reason_as_comment(lab: Lab, appliance: Appliance, injector: Injector) -> None:
    file = lab.folder / "drops.pcapng"
    with capturing(lab, appliance, "-w", file, "--direction", "drop", "-n", "1") as process:
        injector.send(frame())  # forwarded
        injector.send(frame(source=STRANGER))
        wait_until("its end", lambda: not process.running())
    (packet,) = pcapng.packets(file.read_bytes())
    assert packet.comment == "dropped: spoofed_source: the source belongs to a zone that this port may not carry"
    assert packet.port == "lan" and not packet.outbound
    assert packet.data == bytes(frame(source=STRANGER))


def test_lines_and_objects(lab: Lab, appliance: Appliance, injector: Injector) -> None:
    with capturing(lab, appliance, "--direction", "rx", "-n", "1", "--filter", f"src {STRANGER}") as process:
        injector.send(frame(source=STRANGER))
        wait_until("its end", lambda: not process.running())
    assert f"lan      rx   {STRANGER}:4000 > {STREAM}:4001 udp, TTL 64" in process.output()
    words = ("--json", "--direction", "drop", "-n", "1")
    with capturing(lab, appliance, *words) as process:
        injector.send(frame(source=STRANGER))
        wait_until("its end", lambda: not process.running())
    line = next(json.loads(line) for line in process.output().splitlines() if line.startswith("{"))
    assert (line["port"], line["direction"], line["reason"]) == ("lan", "drop", "spoofed_source")


def test_a_frame_is_cut_where_it_is_asked_to(lab: Lab, appliance: Appliance, injector: Injector) -> None:
    file = lab.folder / "short.pcapng"
    words = ("-w", file, "--direction", "rx", "--snap-length", "40", "-n", "1", "--port", "lan")
    with capturing(lab, appliance, *words) as process:
        injector.send(frame(size=1000))
        wait_until("its end", lambda: not process.running())
    (packet,) = pcapng.packets(file.read_bytes())
    assert packet.data == bytes(frame(size=1000))[:40] and packet.size == len(bytes(frame(size=1000)))


def test_it_ends_with_who_reads(lab: Lab, appliance: Appliance) -> None:
    """Also when no packet comes."""
    command = BUILD / "control" / "sekisho"
    reader = f"{command} capture --dataplane-socket {appliance.dataplane_socket} -w - --filter 'port 9' | true; echo ended"
    done = lab.execute("nva", "sh", "-c", reader, timeout=30)
    assert "ended" in done.stdout
    wait_until("room for another", lambda: capture(appliance, "--seconds", "0.01").returncode == 0)


def test_a_file_that_takes_no_more_is_an_error(appliance: Appliance) -> None:
    done = capture(appliance, "-w", "/dev/full", "--seconds", "1")
    assert done.returncode == 1 and "/dev/full cannot be written: No space left on device" in done.stderr


def test_it_ends_when_the_time_is_over(appliance: Appliance) -> None:
    done = capture(appliance, "--seconds", "0.2", "--filter", "port 9")
    assert done.returncode == 0 and captured(done.stderr) == 0


def test_what_cannot_be_is_refused_and_no_file_is_touched(lab: Lab, appliance: Appliance) -> None:
    file = lab.folder / "kept.pcapng"
    file.write_text("kept")
    for words, why in (
        (("--port", "nowhere"), "port nowhere is not among the ports"),
        (("--filter", "hots 10.0.0.1"), 'the filter "hots 10.0.0.1" is not understood'),
    ):
        done = capture(appliance, "-w", file, *words)
        assert done.returncode == 1 and why in done.stderr, done.stderr
    assert capture(appliance, "--snap-length", "0").returncode == 2
    assert capture(appliance, "--direction", "up").returncode == 2
    with capturing(lab, appliance):
        done = capture(appliance, "-w", file)
        assert done.returncode == 1 and "captures already" in done.stderr
    assert file.read_text() == "kept"


def test_it_outlives_control_and_a_reload(lab: Lab, appliance: Appliance, injector: Injector) -> None:
    with capturing(lab, appliance, "--direction", "drop", "-n", "2", "--filter", f"src {STRANGER}") as process:
        appliance.reload()
        injector.send(frame(source=STRANGER))
        appliance.kill_control()
        injector.send(frame(source=STRANGER))
        wait_until("both packets", lambda: not process.running())
    assert captured(process.output()) == 2
    appliance.start_control()
    appliance.wait_ready()


def test_a_flood_is_forwarded_whoever_looks_on(lab: Lab, appliance: Appliance, injector: Injector) -> None:
    """The reader is stopped: what it does not take is lost to it, counted, and forwarded all the same."""
    count = 20_000
    file = lab.folder / "flood.pcapng"

    def passed(what: str, port: str) -> int:
        return next(int(entry[what]) for entry in appliance.stats()["ports"] if entry["name"] == port)

    with capturing(lab, appliance, "-w", file, "--direction", "rx", "--port", "lan") as process:
        process.send(signal.SIGSTOP)
        sent, received = passed("tx", "egress"), passed("rx", "lan")
        injector.send(frame(size=1400), count)
        wait_until("the flood", lambda: passed("rx", "lan") - received + passed("missed", "lan") >= count)
        arrived = passed("rx", "lan") - received
        assert passed("tx", "egress") - sent >= arrived
        process.send(signal.SIGCONT)
        wait_until("all that was kept", lambda: settled(file))
    content = file.read_bytes()
    assert pcapng.lost(content) > 0
    assert len(pcapng.packets(content)) + pcapng.lost(content) >= arrived


def settled(file: Path) -> bool:
    """It has not grown for a second, in which the dataplane looks a hundred times."""
    before = file.stat().st_size
    time.sleep(1)
    return 0 < before == file.stat().st_size


# --- what a new user meets first --------------------------------------------------------------------------------


def test_checksums_that_nobody_finishes_are_told_of(lab: Lab, appliance: Appliance) -> None:
    """A veth whose kernel counts on a NIC to finish them: ping works, TCP never does."""

    def findings() -> str:
        return "\n".join(finding for port in appliance.json("show", "ports") for finding in port["findings"])

    assert "checksum" not in findings()
    offload(lab, "on")
    try:
        lab["onprem"].run("ping", "-c", "1", "-W", "2", WEB)
        curl = ("curl", "-sS", "--max-time", "1.5", f"http://{WEB}/")
        wait_until("the finding", lambda: lab.execute("onprem", *curl).returncode != 0 and "checksum" in findings())
        assert "port lan: packets come whose TCP or UDP checksum nobody has finished" in findings()
        assert "ethtool -K INTERFACE tx off" in findings()
        lan = next(port for port in appliance.stats()["ports"] if port["name"] == "lan")
        assert lan["unfinished_checksums"] > 0
        assert appliance.dataplane is not None
        assert appliance.dataplane.output().count("checksum nobody has finished") == 1
    finally:
        offload(lab, "off")
    lab.fetch("onprem")


def offload(lab: Lab, state: str) -> None:
    """Of the sender, and of the bridge's side of the appliance's port, which would finish them."""
    for space, netdev in (("onprem", "eth0"), ("fabric", "nva-lan0")):
        lab[space].run("ethtool", "-K", netdev, "tx", state)


def test_the_dataplanes_end_is_an_error(lab: Lab, appliance: Appliance) -> None:
    with capturing(lab, appliance) as process:
        appliance.kill_dataplane()
        wait_until("its end", lambda: not process.running())
    assert process.child.returncode == 1 and "the dataplane has gone" in process.output()
    with pytest.raises(Refused, match="dataplane is not connected"):
        appliance.json("show", "drops", "--last")
    done = capture(appliance)
    assert done.returncode == 1 and "is sekisho-dataplane running?" in done.stderr


def test_what_is_dropped_without_a_dataplane_is_counted(appliance: Appliance, injector: Injector) -> None:
    """By the steering program, which is asked itself: also when control has gone, too."""

    def dropped() -> int:
        done = appliance.execute("show", "drops", "--json")
        assert done.returncode == 1
        drops = json.loads(done.stdout)
        return sum(drop["packets"] for drop in drops if (drop["interface"], drop["reason"]) == ("lan0", "dropped_no_socket"))

    before = dropped()
    injector.send(frame(), 5)
    wait_until("the drops", lambda: dropped() >= before + 5)
    done = appliance.execute("show", "drops")
    assert done.returncode == 1
    assert "dropped_no_socket" in done.stdout and "the dataplane is not connected" in done.stderr
    appliance.kill_control()
    assert dropped() >= before + 5
