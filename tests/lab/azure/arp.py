# SPDX-License-Identifier: BSD-3-Clause
"""Answers every ARP request in the fabric's namespace, for whomever, dead or alive, with the fabric's one MAC address."""

from __future__ import annotations

import socket

ETH_P_ARP = 0x0806
MAC = "12:34:56:78:9a:bc"
_OWN = bytes.fromhex(MAC.replace(":", ""))


class Answerer:
    def __init__(self) -> None:
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP))

    def fileno(self) -> int:
        return self.wire.fileno()

    def answer(self) -> None:
        """One frame that has come."""
        frame, (interface, _, kind, _, _) = self.wire.recvfrom(64)
        if kind == socket.PACKET_OUTGOING or frame[20:22] != b"\0\1":
            return
        asker, asks, wanted = frame[22:28], frame[28:32], frame[38:42]
        if asks == wanted:
            return  # it announces itself, which nobody in Azure hears
        reply = asker + _OWN + b"\x08\x06" + frame[14:20] + b"\0\2" + _OWN + wanted + asker + asks
        try:
            self.wire.sendto(reply, (interface, ETH_P_ARP))
        except OSError:
            pass  # the interface went down meanwhile
