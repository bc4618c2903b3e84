# SPDX-License-Identifier: BSD-3-Clause
"""A cloud's fabric, as Azure's: answers every ARP request that comes by an interface, for whomever, dead or alive.

usage: fabric.py INTERFACE [ADDRESS=MAC ...]    whose MAC is not named gets the fabric's own
"""

from __future__ import annotations

import socket
import sys

ETH_P_ARP = 0x0806
OWN = bytes.fromhex("123456789abc")


def main(interface: str, known: dict[bytes, bytes]) -> None:
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP))
    wire.bind((interface, ETH_P_ARP))
    print("ready", flush=True)
    while True:
        frame, (_, _, kind, _, _) = wire.recvfrom(64)
        is_request = frame[20:22] == b"\0\1"
        if kind == socket.PACKET_OUTGOING or not is_request:
            continue
        asker, asks, wanted = frame[22:28], frame[28:32], frame[38:42]
        if asks == wanted:
            continue  # it announces itself
        mac = known.get(wanted, OWN)
        wire.send(asker + mac + b"\x08\x06" + frame[14:20] + b"\0\2" + mac + wanted + asker + asks)


if __name__ == "__main__":
    pairs = (word.split("=") for word in sys.argv[2:])
    main(
        sys.argv[1],
        {socket.inet_aton(address): bytes.fromhex(mac.replace(":", "")) for address, mac in pairs},
    )
