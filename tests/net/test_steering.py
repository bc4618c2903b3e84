# SPDX-License-Identifier: BSD-3-Clause
"""What the steering program leaves to the kernel, and what happens to its ports."""

from __future__ import annotations

import json
import os
import shutil
import socket
from typing import Any

from lab.account import Account, Audit
from lab.appliance import Appliance
from lab.frames import Injector, frame
from lab.process import run, wait_until
from lab.topology import FIREWALL, LAN, MACS, ONPREM, Lab
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether


def steered(account: Account) -> dict[str, int]:
    now, before = Account(account.appliance).before.counts, account.before.counts
    return {name: now[name] - before[name] for name in now if ".steer." in name and now[name] != before[name]}


def port_stats(appliance: Appliance, name: str) -> dict[str, Any]:
    return next(port for port in appliance.stats()["ports"] if port["name"] == name)


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


def attached_program(lab: Lab, device: str) -> int:
    """Its id; 0 if there is none."""
    link = json.loads(lab["nva"].ip("-j", "link", "show", "dev", device))[0]
    return int(link.get("xdp", {}).get("prog", {}).get("id", 0))


def test_a_removed_program_is_put_back(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """`ip link set lan0 xdp off` on a running port: the same program again, said and counted, and packets go on."""
    audit, program = Audit(lab, appliance), attached_program(lab, "lan0")
    before = port_stats(appliance, "lan")["steering_restored"]
    for times in (1, 2, 3):
        lab["nva"].ip("link", "set", "dev", "lan0", "xdp", "off")
        wait_until("the program again", lambda: attached_program(lab, "lan0") == program)
        wait_until(
            "it to be counted",
            lambda n=before + times: port_stats(appliance, "lan")["steering_restored"] == n,
        )
    assert "somebody removed the steering program of af_xdp:lan0" in appliance.dataplane.output()
    assert appliance.ports()["lan"]["running"]
    account = Account(appliance)
    onprem.send(frame(), 100)
    account.forwarded("lan", "egress", 100)
    assert all("redirected" not in line.what or line.holds for line in audit.lines())


def test_a_foreign_program_is_said_and_left_alone(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    program = lab.folder / "foreign.o"
    source = '#include <linux/bpf.h>\n__attribute__((section("xdp"), used)) int foreign(struct xdp_md *c) { return 2; }\n'
    clang = next(path for name in ("clang-16", "clang") if (path := shutil.which(name)))
    include = f"-I/usr/include/{os.uname().machine}-linux-gnu"
    run(clang, "-target", "bpf", "-O2", "-g", include, "-x", "c", "-c", "-o", program, "-", stdin=source)
    lab["nva"].ip("-force", "link", "set", "dev", "lan0", "xdp", "obj", program, "sec", "xdp")
    wait_until("the port to say so", lambda: not appliance.ports()["lan"]["running"])
    assert "'foreign'" in appliance.ports()["lan"]["error"]
    assert "xdp off" in appliance.ports()["lan"]["error"]
    lab["nva"].ip("link", "set", "dev", "lan0", "xdp", "off")
    appliance.wait_ready()
    account = Account(appliance)
    onprem.send(frame(), 100)
    account.forwarded("lan", "egress", 100)


def test_a_port_with_another_mac_keeps_its_books(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """It is opened again; what came meanwhile is in its account, and the program is never off."""
    audit, other = Audit(lab, appliance), "02:00:00:00:01:05"
    lab["nva"].ip("link", "set", "dev", "lan0", "address", other)
    try:
        wait_until("the port with its new MAC", lambda: appliance.ports()["lan"].get("mac") == other)
        appliance.wait_ready()
        packet = frame()
        packet[Ether].dst = other
        onprem.send(packet, 100)
    finally:
        lab["nva"].ip("link", "set", "dev", "lan0", "address", MACS["nva", "lan0"])
    wait_until("its own MAC", lambda: appliance.ports()["lan"].get("mac") == MACS["nva", "lan0"])
    appliance.wait_ready()
    account = Account(appliance)
    onprem.send(frame(), 100)
    account.forwarded("lan", "egress", 100)
    wait_until("the books to add up", lambda: all(line.holds for line in audit.lines()))


def test_what_is_dropped_while_nobody_is_there_is_booked(
    lab: Lab, appliance: Appliance, onprem: Injector
) -> None:
    """After a crash and after a clean stop: the program stays, drops transit, and its counters go on."""
    audit = Audit(lab, appliance)
    assert appliance.dataplane is not None
    for how, verdict in (("kill", "dropped_no_socket"), ("stop", "dropped_not_ready")):
        before = port_stats(appliance, "lan")["steer"][verdict]
        getattr(appliance.dataplane, how)()
        lab.forget(appliance.dataplane)
        program, arrived = attached_program(lab, "lan0"), lab.counters()["arrived"]
        assert program != 0
        ping = lab["onprem"].run("ping", "-n", "-c", "1", "-W", "5", "-I", ONPREM, LAN)
        assert " 1 received" in ping, "the appliance itself answers"
        onprem.send(frame(), 500)
        lab.settle()
        assert lab.counters()["arrived"] == arrived
        appliance.start_dataplane()
        appliance.wait_ready()
        assert attached_program(lab, "lan0") not in (0, program), "another one has taken its place"
        assert port_stats(appliance, "lan")["steer"][verdict] >= before + 500
    wait_until("the books to add up", lambda: all(line.holds for line in audit.lines()))


def test_frames_and_books_agree(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    """The kernel's own count of frames that arrived is what steering says, to the frame."""
    lab.execute("nva", "ip", "neigh", "flush", "all")  # it gives up while control has them asked for again

    def totals() -> tuple[int, int]:
        kernel = lab.interface("nva", "lan0")["rx_packets"]
        port = next(port for port in appliance.stats()["ports"] if port["name"] == "lan")
        return kernel, sum(port["steer"].values())

    def still() -> tuple[int, int] | None:
        """An ARP answer between the two readings would be in one of them only."""
        before = totals()
        return before if before == totals() else None

    kernel, steering = wait_until("books that stand still", still)
    onprem.send(frame(), 500)
    onprem.send(frame(ttl=1), 500)
    wait_until("the books to agree", lambda: (now := totals())[0] - kernel == now[1] - steering >= 1000)
