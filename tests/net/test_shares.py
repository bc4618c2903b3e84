# SPDX-License-Identifier: BSD-3-Clause
"""Which of several stateful firewalls a flow takes: by weight, and whatever belongs together takes the same."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
from lab import config
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.namespace import Namespace
from lab.process import execute, wait_until
from lab.topology import FIREWALL, FIREWALL2, GATEWAY2, MACS, WEB, Lab
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.l2 import Ether
from scapy.packet import Packet

pytestmark = pytest.mark.usefixtures("manuals_neighbour_timers")

# Each a stateful firewall of the lab.
MEMBERS = {"firewall": FIREWALL, "firewall2": FIREWALL2, "gateway2": GATEWAY2}
NAME = {MACS[name, "inside"]: name for name in MEMBERS}
BRANCH = "172.16.9.9"
DOWNLOADS = 24
DOWNLOAD_PORT = 8088
PYTHON = shutil.which("python3", path="/usr/bin") or "python3"


def edit_members(text: str) -> tuple[str, str]:
    return (f'members = ["{FIREWALL}"]', text)


EQUAL = ", ".join(f'"{address}"' for address in MEMBERS.values())
THREE = f"members = [{EQUAL}]"
BY_ADDRESSES = f'{THREE}\nhash = "addresses"'
WEIGHTED = f'members = ["{FIREWALL}", {{ address = "{FIREWALL2}", weight = 3 }}]'


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    appliance = Appliance(lab, config.adapted(lab, edit_members(THREE)))
    appliance.start()
    wait_for(appliance, *MEMBERS)
    return appliance


@pytest.fixture(scope="module")
def branch(lab: Lab) -> Iterator[Namespace]:
    """A host behind the on-premises gateway, by a link that takes 1,400 bytes of what the gateway sends to it."""
    space = Namespace(f"{lab.prefix}-branch")
    space.create()
    onprem = lab["onprem"]
    onprem.ip("link", "add", "branch", "type", "veth", "peer", "name", "eth0", "netns", space.name)
    onprem.ip("address", "add", "172.16.9.1/24", "dev", "branch")
    onprem.ip("link", "set", "branch", "mtu", "1400", "up")
    onprem.sysctl("net.ipv4.ip_forward", 1)
    space.ip("address", "add", f"{BRANCH}/24", "dev", "eth0")
    space.ip("link", "set", "eth0", "up")
    space.ip("route", "add", "default", "via", "172.16.9.1")
    for where, device in ((onprem, "branch"), (space, "eth0")):
        where.run("ethtool", "-K", device, "tx", "off", "sg", "off", "tso", "off", "gso", "off", "gro", "off")
    yield space


def next_hop(appliance: Appliance) -> Any:
    return next(hop for hop in appliance.json("show", "next-hops") if hop["name"] == "firewall")


def alive(appliance: Appliance) -> set[str]:
    """The members that take flows."""
    members = next_hop(appliance)["members"]
    names = {address: name for name, address in MEMBERS.items()}
    return {names[member["address"]] for member in members if member["alive"] and not member["drained"]}


def wait_for(appliance: Appliance, *names: str) -> None:
    """By control's word, and then by the dataplane's."""
    wait_until(f"{' and '.join(names)} to take flows", lambda: alive(appliance) == set(names))
    wait_until("the dataplane", lambda: appliance.next_hops()["firewall"] == len(names))


def configure(appliance: Appliance, members: str) -> None:
    appliance.config = config.adapted(appliance.lab, edit_members(members))
    appliance.reload()


def flow(number: int) -> Packet:
    packet = frame()
    packet[IP].dst = str(ip_address("198.51.100.100") + number % 7)
    packet[UDP].sport = 5000 + number
    return packet


def members_of(lab: Lab, onprem: Injector, packets: list[Packet]) -> list[str]:
    """Which firewall each packet was sent to; each has another IPv4 identification than the one before."""
    taken: dict[int, str] = {}
    with Capture(lab, "fabric", "nva-egress0", only=lambda seen: IP in seen and seen[IP].src == "172.16.0.10") as seen:
        for number, packet in enumerate(packets):
            packet[IP].id = number + 1
            del packet[IP].chksum
            onprem.send(packet)
            if number % 64 == 63:
                seen.read()
        for got in seen.wait(len(packets)):
            taken[got[IP].id - 1] = NAME[got[Ether].dst]
    return [taken[number] for number in range(len(packets))]


def test_a_download_over_a_path_with_a_smaller_mtu_ends(
    lab: Lab, appliance: Appliance, branch: Namespace
) -> None:
    """The router on the way says "fragmentation needed", to the server. Only the firewall that has translated the flow knows what
    this is about; sent to another one it comes to nothing, and the download hangs.
    """
    folder = lab.folder / "downloads"
    folder.mkdir()
    (folder / "file").write_bytes(bytes(60_000))
    server = lab.spawn(
        "internet", "downloads", PYTHON, "-u", "-m", "http.server", str(DOWNLOAD_PORT),
        "--bind", WEB, "--directory", folder,
    )  # fmt: skip
    wait_until("the server", lambda: "Serving" in server.output())
    ended = []
    before = {name: lab.counters(name)["inside"] for name in MEMBERS}
    for number in range(DOWNLOADS):
        lab["internet"].ip("route", "flush", "cache")  # what it has learnt of the path
        got = execute(*branch.command(
            "curl", "-sS", "--max-time", "4", "--local-port", str(40_000 + number),
            "-o", "/dev/null", "-w", "%{size_download}", f"http://{WEB}:{DOWNLOAD_PORT}/file",
        ))  # fmt: skip
        ended.append(got.stdout == "60000")
    assert ended.count(True) == DOWNLOADS, f"{ended.count(False)} of {DOWNLOADS} downloads hang"
    used = {name for name in MEMBERS if lab.counters(name)["inside"] > before[name]}
    assert used == set(MEMBERS)


def test_flows_are_spread_evenly(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    taken = Counter(members_of(lab, onprem, [flow(number) for number in range(600)]))
    assert all(150 < count < 250 for count in taken.values()), taken


def test_a_death_moves_only_the_dead_members_flows(
    lab: Lab, appliance: Appliance, onprem: Injector
) -> None:
    flows = [flow(number) for number in range(300)]
    before = members_of(lab, onprem, flows)
    lab.link_down("firewall2")
    wait_for(appliance, "firewall", "gateway2")
    during = members_of(lab, onprem, flows)
    assert all(now == was for was, now in zip(before, during, strict=True) if was != "firewall2")
    heirs = Counter(now for was, now in zip(before, during, strict=True) if was == "firewall2")
    assert set(heirs) == {"firewall", "gateway2"}, "the others share what it had"
    lab.link_up("firewall2")
    wait_for(appliance, *MEMBERS)
    assert members_of(lab, onprem, flows) == before


def test_a_drained_member_takes_no_flow_until_it_is_undrained(
    lab: Lab, appliance: Appliance, onprem: Injector
) -> None:
    """Also over a restart of control that was killed, and of the dataplane."""
    flows = [flow(number) for number in range(200)]
    before = members_of(lab, onprem, flows)
    told = appliance.execute("next-hop", "drain", "firewall", FIREWALL2)
    assert told.returncode == 0, told.stderr
    assert f"The flows of {FIREWALL2} move to the other members of firewall at once" in told.stdout
    assert "0 packets were sent to it in the second after" in told.stdout
    drained = members_of(lab, onprem, flows)
    assert set(drained) == {"firewall", "gateway2"}
    assert all(now == was for was, now in zip(before, drained, strict=True) if was != "firewall2")
    assert "drained; reachable" in appliance.execute("show", "next-hops").stdout
    assert appliance.execute("show", "state").returncode == 0, "what somebody has drained is no fault"

    appliance.kill_control()
    assert members_of(lab, onprem, flows) == drained
    appliance.start_control()
    appliance.wait_ready()
    assert members_of(lab, onprem, flows) == drained
    appliance.kill_dataplane()
    appliance.start_dataplane()
    appliance.wait_ready()
    wait_for(appliance, "firewall", "gateway2")
    assert members_of(lab, onprem, flows) == drained

    assert appliance.json("next-hop", "drain", "firewall", GATEWAY2)["packets_in_the_second_after"] == 0
    refused = appliance.execute("next-hop", "drain", "firewall", FIREWALL)
    assert refused.returncode == 1
    assert "is the last living member of next hop firewall" in refused.stderr
    assert appliance.execute("next-hop", "drain", "firewall", "10.0.2.99").returncode == 1
    for address in (FIREWALL2, GATEWAY2):
        assert appliance.json("next-hop", "undrain", "firewall", address)["changed"]
    assert not appliance.json("next-hop", "undrain", "firewall", GATEWAY2)["changed"]
    assert members_of(lab, onprem, flows) == before


def test_weights(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    configure(appliance, WEIGHTED)
    taken = Counter(members_of(lab, onprem, [flow(number) for number in range(800)]))
    assert set(taken) == {"firewall", "firewall2"}
    assert 150 < taken["firewall"] < 250, "a quarter"
    weights = {member["address"]: member["weight"] for member in next_hop(appliance)["members"]}
    assert weights == {FIREWALL: 1, FIREWALL2: 3}


def test_by_addresses_all_fragments_go_where_the_flow_goes(
    lab: Lab, appliance: Appliance, onprem: Injector
) -> None:
    """By 5-tuple they do so by chance only."""

    def pieces(number: int) -> list[Packet]:
        whole = flow(number)
        large = flow(number)
        large = large / bytes(3000)
        ether = Ether(src=large[Ether].src, dst=large[Ether].dst)
        return [whole, *(ether / piece for piece in fragment(large[IP], fragsize=1200))]

    def together() -> int:
        count = 0
        for number in range(40):
            count += len(set(members_of(lab, onprem, pieces(number)))) == 1
        return count

    configure(appliance, THREE)
    assert together() < 40
    configure(appliance, BY_ADDRESSES)
    assert together() == 40
    spread = members_of(lab, onprem, [flow(number) for number in range(7)])
    assert len(set(spread)) > 1, "pairs of addresses are spread"
    assert next_hop(appliance)["hash"] == "addresses"
