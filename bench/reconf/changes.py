# SPDX-License-Identifier: BSD-3-Clause
"""What changes under a stream. Each change says what it did, so that one that did nothing shows."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from socket import inet_ntoa

from lab import config
from lab.appliance import Appliance
from lab.process import wait_until
from lab.stream import Stream
from lab.topology import FIREWALL, FIREWALL2, Lab
from throughput import tables

NEXT_HOPS = ("firewall", "second-gateway")
CHURN_SECONDS = 3.0
CHURN_RATE = 10_000  # changes a second
CHURN_BATCH = 500
PAUSE_SECONDS = 1.0  # for which control stays dead


def full_table(next_hop: str) -> list[str]:
    return [
        f"{inet_ntoa(address.to_bytes(4, 'big'))}/{length} {next_hop}" for address, length in tables.full()
    ]


class Requests:
    """To control, as `sekisho` asks, without a process for each."""

    def __init__(self, path: Path) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(path))
        self._stream = self._connection.makefile("rb")

    def __enter__(self) -> Requests:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, request: dict[str, object]) -> None:
        body = json.dumps(request).encode()
        self._connection.sendall(struct.pack("!I", len(body)) + body)
        (length,) = struct.unpack("!I", self._stream.read(4))
        reply = json.loads(self._stream.read(length))
        if not reply["ok"]:
            raise AssertionError(f"{request}: {reply['error']}")


def replace_table(appliance: Appliance, stream: Stream) -> str:
    """Every route gets the other next hop, and its old one again."""
    changed = 0
    started = time.monotonic()
    for next_hop in reversed(NEXT_HOPS):
        config.overrides(appliance.config, full_table(next_hop))
        changed += appliance.reload()["routes_changed"]
    return f"{changed} routes changed in {time.monotonic() - started:.1f} s"


def churn_overrides(appliance: Appliance, stream: Stream) -> str:
    """Each batch is in force before the next is asked for; none begins before its time."""
    done = 0
    slowest = 0.0
    started = time.monotonic()
    with Requests(appliance.socket) as requests:
        while time.monotonic() - started < CHURN_SECONDS:
            asked = time.monotonic()
            requests.send(
                {"command": "route", "changes": [_override(done + i) for i in range(CHURN_BATCH)]}
            )
            slowest = max(slowest, time.monotonic() - asked)
            done += CHURN_BATCH
            time.sleep(max(0.0, started + done / CHURN_RATE - time.monotonic()))
    rate = done / (time.monotonic() - started)
    appliance.reload(force=True)
    return f"{done} changes, {rate:.0f} a second, {CHURN_BATCH} a batch, the slowest answered in {slowest * 1000:.0f} ms"


def _override(number: int) -> dict[str, str]:
    """Of 4,096 prefixes one after the other, which then get another next hop."""
    prefix = f"99.{number // 256 % 16}.{number % 256}.0/24"
    next_hop = NEXT_HOPS[number // 4096 % 2]
    return {"verb": "replace", "zone": "onprem", "prefix": prefix, "next_hop": next_hop}


def kill_control(appliance: Appliance, stream: Stream) -> str:
    appliance.kill_control()
    time.sleep(PAUSE_SECONDS)
    started = time.monotonic()
    appliance.start_control()
    appliance.wait_ready()
    return f"in charge {time.monotonic() - started:.1f} s after its start"


@contextlib.contextmanager
def spare_interface(lab: Lab) -> Iterator[str]:
    nva = lab["nva"]
    nva.ip("link", "add", "spare0", "type", "veth", "peer", "name", "spare1")
    for name in ("spare0", "spare1"):
        nva.ip("link", "set", name, "up")
    nva.ip("address", "add", "10.9.9.4/24", "dev", "spare0")
    try:
        yield "spare0"
    finally:
        nva.ip("link", "delete", "spare0")


def change_ports(appliance: Appliance, stream: Stream) -> str:
    """One more, and gone again."""
    text = appliance.config.read_text()
    with spare_interface(appliance.lab) as name:
        appliance.config.write_text(f'{text}\n[port.spare]\ndevice = "af_xdp:{name}"\n')
        appliance.reload()
        wait_until("the port to run", lambda: appliance.ports()["spare"]["running"])
        stream.wait_more(stream.rate // 2)
        appliance.config.write_text(text)
        appliance.reload(force=True)
        wait_until("the port to be gone", lambda: "spare" not in appliance.ports())
    return "port spare added and removed"


def flip_firewall(appliance: Appliance, stream: Stream) -> str:
    """The one that the stream does not take: its flows move, others must not notice."""
    taken = _member_of(appliance, stream)
    other = "firewall2" if taken == FIREWALL else "firewall"
    lab = appliance.lab
    for act, alive in ((lab.link_down, 1), (lab.link_up, 2)):
        act(other)
        wait_until(
            f"{alive} firewalls", lambda: appliance.next_hops()["firewall"] == alive, timeout=30
        )  # fmt: skip
        stream.wait_more(stream.rate)
    assert _member_of(appliance, stream) == taken
    return f"{other} died and came back, the stream by {taken}"


def _member_of(appliance: Appliance, stream: Stream) -> str:
    """By what the dataplane counts: the member that carried most of half a second's packets."""

    def carried() -> dict[str, int]:
        hops = {hop["name"]: hop for hop in appliance.json("show", "next-hops")}
        return {
            member["address"]: member.get("traffic", {}).get("packets", 0)
            for member in hops["firewall"]["members"]
        }

    before = carried()
    stream.wait_more(stream.rate // 2)
    after = carried()
    most = max(after, key=lambda address: after[address] - before[address])
    assert most in (FIREWALL, FIREWALL2)
    return most


CHANGES = {
    "table": replace_table,
    "overrides": churn_overrides,
    "overrides-full": churn_overrides,
    "control": kill_control,
    "ports": change_ports,
    "firewall": flip_firewall,
}
