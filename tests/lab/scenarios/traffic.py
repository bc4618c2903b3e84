# SPDX-License-Identifier: BSD-3-Clause
"""Traffic of the scenarios, and where it was seen."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from lab.azure.site import FIREWALL_PUBLIC, AzureLab
from lab.azure.speaker import Speaker
from lab.process import wait_until
from lab.report import Report
from lab.scenarios.appliance import Nva
from lab.topology import STREAM, WEB

# Nobody listens there; the Internet counts what comes for it as `marked`, firewalls and appliances' watchers count it on the way.
MARKED_PORT = 4001
MARKED = 100
LARGE = 4 << 20


def page(lab: AzureLab, report: Report, space: str, seen_as: Sequence[str]) -> None:
    """A web page comes, and whoever the web server saw is one of `seen_as`."""
    text = " ".join(lab.fetch(space).split())
    report.check(f"a web page fetched from {space}", "a greeting", text, "Hello from behind the checkpoint" in text)
    last = lab.last_client("page")
    report.check("who the web server saw", " or ".join(seen_as), last, last in seen_as)


def wait_open(lab: AzureLab, space: str = "onprem") -> None:
    """Until a namespace reaches the web server: what BGP says has come to every kernel on the way."""
    curl = ("curl", "-sS", "--fail", "--max-time", "0.3", f"http://{WEB}/")
    wait_until("the web server", lambda: lab.execute(space, *curl).returncode == 0)


def reopen(lab: AzureLab, nva: Nva, peer: Speaker, prefixes: Sequence[str]) -> None:
    """After a trap: the appliance forwards, what it advertises is there, and a page comes."""
    nva.wait_verdict("forwarding")
    for prefix in prefixes:
        peer.wait_for(prefix)
    wait_open(lab)


def send_marked(lab: AzureLab, space: str, count: int = MARKED, destination: str = STREAM) -> None:
    with lab[space].socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(count):
            sender.sendto(number.to_bytes(4, "big"), (destination, MARKED_PORT))


def arrived(lab: AzureLab, count: int, before: int) -> int:
    """Marked packets at the Internet since `before`: waits for `count`, or gives what had come when nothing more did."""
    try:
        wait_until("marked packets", lambda: lab.counters()["marked"] - before >= count, timeout=3)
    except AssertionError:
        pass
    return lab.counters()["marked"] - before


def marked(lab: AzureLab, space: str = "onprem") -> int:
    """Sends the marked packets; how many of them came to the Internet."""
    before = lab.counters()["marked"]
    send_marked(lab, space)
    return arrived(lab, MARKED, before)


def past_firewalls(lab: AzureLab) -> int:
    """Packets at the Internet that no firewall sent, and nobody who may: an appliance's own exceptions, on-premises, a VM."""
    counters = lab.counters()
    known = sum(counters[name] for name in (*FIREWALL_PUBLIC, "appliance", "onprem", "vm"))
    return counters["arrived"] - known


def large(lab: AzureLab, space: str) -> int:
    """Bytes of a large page that came within a few seconds."""
    quiet = ("-sS", "--max-time", "12", "-o", "/dev/null", "-w", "%{size_download}")
    done = lab.execute(space, "curl", *quiet, f"http://{WEB}/large")
    return int(done.stdout or 0)
