# SPDX-License-Identifier: BSD-3-Clause
"""Transit with which the appliance has more to do than to forward it: it answers by an ICMP error, divides, or fills options.

Like all transit it goes to UDP port 4001, which the watchers count, save what leaves by the exit: that goes past the firewall because it is
meant to. Later fragments have no port.
"""

from __future__ import annotations

from scapy.layers.inet import IP, UDP, IPOption, IPOption_LSRR, IPOption_RR, IPOption_Timestamp
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from lab.topology import KMS, ONPREM, STREAM

# Of the egress port's interface: a full packet of the LAN's does not fit.
EGRESS_MTU = 1400
LAN_MTU = 1500
DPORT, EXIT_DPORT = 4001, 4003
NOWHERE = "10.77.0.1"  # private space that no route names: of type None
MALFORMED = b"\x07\x02"  # a record route that has no room for its own pointer
STREAM_ID = b"\x88\x04\x00\x01"  # obsolete (RFC 6814)

MORE, DONT = 1, 2  # fragments follow; and none are to be made

# What the appliance says of this and of what else comes, by the names of `show stats`; and what it counts.
ERRORS = ("time_exceeded", "fragmentation_needed", "prohibited", "net_unreachable", "parameter_problem")
COUNTED = ("fragmented", "fragments")


def packet(destination: str = STREAM, size: int = 60, options: list[object] | None = None, **fields: object) -> IP:
    """So many bytes of IPv4, a UDP header and data."""
    header = IP(src=ONPREM, dst=destination, options=options or [], **fields)
    udp = UDP(sport=4000, dport=EXIT_DPORT if destination == KMS else DPORT)
    return header / udp / Raw(bytes(size - len(header / udp)))


def pieces(identification: int, first: int, second: int, last: int) -> list[IP]:
    """One datagram in three fragments of so many bytes of data."""
    data = bytes(packet(size=20 + first + second + last)[UDP])
    at = (0, first, first + second, len(data))
    return [
        IP(src=ONPREM, dst=STREAM, id=identification, proto=17, flags=MORE if end < len(data) else 0, frag=begin // 8)
        / Raw(data[begin:end])
        for begin, end in zip(at, at[1:])
    ]


def packets() -> list[IP]:
    return [
        packet(ttl=1),
        packet(ttl=1, destination=KMS, size=LAN_MTU),
        packet(destination=NOWHERE),
        packet(destination=NOWHERE, size=LAN_MTU),
        packet(size=LAN_MTU, flags=DONT),
        packet(size=LAN_MTU, flags=DONT, destination=KMS),
        packet(size=LAN_MTU, id=1),
        packet(size=LAN_MTU, id=2, destination=KMS),
        *pieces(3, 800, 600, 100),
        *pieces(4, LAN_MTU - 20, 800, 16),  # the first is divided again
        packet(options=[IPOption_RR(routers=["0.0.0.0"] * 4)]),
        packet(options=[IPOption_Timestamp(length=20, pointer=5, flg=1, internet_address="0.0.0.0", timestamp=0)]),
        packet(size=LAN_MTU, id=5, options=[IPOption_RR(routers=["0.0.0.0"] * 9)]),
        packet(options=[IPOption_LSRR(routers=[STREAM])]),
        packet(options=[IPOption(STREAM_ID)]),
        packet(options=[IPOption(MALFORMED)]),
    ]


def frames(source_mac: str, mac: str) -> tuple[bytes, ...]:
    return tuple(bytes(Ether(src=source_mac, dst=mac) / one) for one in packets())
