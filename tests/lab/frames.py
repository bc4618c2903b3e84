# SPDX-License-Identifier: BSD-3-Clause
"""Crafted frames: sent by AF_PACKET inside a namespace, and captured there."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from types import TracebackType

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from lab.process import wait_until
from lab.topology import MACS, ONPREM, STREAM, Lab

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
MARK = b"sekisho"


def frame(
    source: str = ONPREM,
    destination: str = STREAM,
    ttl: int = 64,
    size: int = 0,
    to: str = "lan0",
    **fields: object,
) -> Packet:
    """A UDP packet from the on-premises host to the appliance; `fields` go into the IPv4 header as they are."""
    came_from = MACS["onprem", "eth0"] if to == "lan0" else MACS["firewall", "inside"]
    payload = MARK + bytes(max(0, size - len(MARK)))
    ethernet = Ether(src=came_from, dst=MACS["nva", to])
    return (
        ethernet
        / IP(src=source, dst=destination, ttl=ttl, **fields)
        / UDP(sport=4000, dport=4001)
        / Raw(payload)
    )


class Injector:
    """Sends frames out of an interface, as they are."""

    def __init__(self, lab: Lab, space: str = "onprem", device: str = "eth0") -> None:
        self.socket = lab[space].socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((device, 0))

    def send(self, packet: Packet | bytes, count: int = 1) -> None:
        data = bytes(packet)
        for _ in range(count):
            self.socket.send(data)

    def close(self) -> None:
        self.socket.close()


class Capture:
    """The frames that arrive at an interface while the `with` block runs; nothing is lost to a slow reader."""

    def __init__(
        self, lab: Lab, space: str, device: str = "eth0", only: Callable[[Packet], bool] | None = None
    ) -> None:
        self.lab = lab
        self.space = space
        self.device = device
        self.only = only or (lambda packet: MARK in bytes(packet))
        self.frames: list[Packet] = []

    def __enter__(self) -> Capture:
        self.socket = self.lab[self.space].socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, struct.pack("i", 1))
        self.socket.bind((self.device, ETH_P_ALL))
        self.socket.setblocking(False)
        self.read()
        self.frames.clear()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def read(self) -> list[Packet]:
        while True:
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                return self.frames
            packet = Ether(data)
            if self.only(packet):
                self.frames.append(packet)

    def wait(self, count: int, timeout: float = 20) -> list[Packet]:
        """Exactly `count` frames: more than that is as wrong as less."""
        wait_until(f"{count} frames at {self.space}", lambda: len(self.read()) >= count, timeout)
        assert len(self.frames) == count, f"{len(self.frames)} frames arrived instead of {count}"
        return self.frames


def fence(lab: Lab, timeout: float = 20) -> None:
    """Returns when a packet sent now, after all others, has come through the appliance and the firewall.

    What has not arrived by then never will: the paths keep the order of one sender.
    """
    mark = f"fence {time.monotonic_ns()}".encode()
    injector = Injector(lab)
    try:
        with Capture(lab, "internet", only=lambda packet: mark in bytes(packet)) as seen:
            packet = frame()
            packet[Raw].load = mark
            del packet[IP].len
            injector.send(packet)
            seen.wait(1, timeout)
    finally:
        injector.close()
