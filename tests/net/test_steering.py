"""What the steering program leaves to the kernel, and what happens to its ports."""

from __future__ import annotations

import json
import socket

from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Injector, frame
from lab.process import run, wait_until
from lab.topology import FIREWALL, LAN, MACS, ONPREM, Lab
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether


def steered(account: Account) -> dict[str, int]:
    now, before = Account(account.appliance).before.counts, account.before.counts
    return {name: now[name] - before[name] for name in now if ".steer." in name and now[name] != before[name]}


def test_arp_is_the_kernels(lab: Lab, account: Account, onprem: Injector) -> None:
    request = ARP(op="who-has", hwsrc=MACS["onprem", "eth0"], psrc="10.0.1.1", pdst=LAN)
    onprem.send(Ether(src=MACS["onprem", "eth0"], dst="ff:ff:ff:ff:ff:ff") / request, 5)
    wait_until("the requests", lambda: steered(account).get("lan.steer.passed_arp", 0) >= 5)
    account.expect({})


def test_an_address_added_later(lab: Lab, appliance: Appliance) -> None:
    lab["nva"].ip("address", "add", "10.0.1.9/24", "dev", "lan0")
    try:

        def answers() -> bool:
            command = lab["onprem"].command("ping", "-n", "-c", "1", "-W", "1", "-I", "10.0.1.1", "10.0.1.9")
            return " 1 received" in run(*command, check=False)

        wait_until("an answer from the new address", answers)
    finally:
        lab["nva"].ip("address", "delete", "10.0.1.9/24", "dev", "lan0")
    wait_until(
        "the address to be gone",
        lambda: not any(a.startswith("10.0.1.9/") for a in appliance.ports()["lan"]["addresses"]),
    )


def test_a_server_on_the_appliance(lab: Lab, account: Account, onprem: Injector) -> None:
    """UDP to the appliance's own address is delivered by its kernel, byte for byte."""
    with lab["nva"].socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((LAN, 7000))
        server.settimeout(5)
        onprem.send(Ether(src=MACS["onprem", "eth0"], dst=MACS["nva", "lan0"])
                    / IP(src=ONPREM, dst=LAN) / UDP(sport=1, dport=7000) / b"to the host")  # fmt: skip
        assert server.recv(100) == b"to the host"
    account.expect({})


def test_what_the_appliance_sends_itself(lab: Lab, account: Account) -> None:
    assert " 3 received" in lab["nva"].run("ping", "-n", "-c", "3", "-i", "0.05", "-W", "2", FIREWALL)
    account.expect({})


def test_the_program_is_attached(lab: Lab, appliance: Appliance) -> None:
    for device in ("lan0", "egress0"):
        link = json.loads(lab["nva"].ip("-j", "link", "show", "dev", device))[0]
        assert "xdp" in link, link


def test_frames_and_books_agree(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """The kernel's own count of frames that arrived is what steering says, to the frame."""
    lab["nva"].ip("neigh", "flush", "all")

    def totals() -> tuple[int, int]:
        kernel = lab.interface("nva", "lan0")["rx_packets"]
        port = next(port for port in appliance.stats()["ports"] if port["name"] == "lan")
        return kernel, sum(port["steer"].values())

    kernel, steering = totals()
    onprem.send(frame(), 500)
    onprem.send(frame(ttl=1), 500)
    wait_until("the books to agree", lambda: (now := totals())[0] - kernel == now[1] - steering >= 1000)
