# SPDX-License-Identifier: BSD-3-Clause
"""As many routes as a Route Server gives, learned through FRR: half of them withdrawn, and a zebra that is restarted alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from lab import config
from lab.account import Account
from lab.appliance import Appliance
from lab.frames import Injector, frame
from lab.frr import Frr, importer
from lab.process import WaitTimeout, wait_until
from lab.stream import Stream
from lab.topology import LAN, ONPREM_GATEWAY, VNET, Lab

COUNT = 10_000  # as many as `max_prefixes` is where nothing is configured
FIRST = 10 << 24 | 50 << 16  # 10.50.0.0
TABLE = "100"
SHARE = 20  # of those with which packets are sent, one a prefix
PATIENCE = 60.0  # seconds: two FRRs, and a machine that is busy
FOLLOWING = ["internet", "vnet"]  # zones with "bgp" among their routes
# So long that nothing is given up but where a test says so.
HOLD = 'learned_hold = "1h"'


def dotted(address: int) -> str:
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


PREFIXES = [f"{dotted(FIRST + 8 * number)}/29" for number in range(COUNT)]


def host(prefix: str) -> str:
    """The first one."""
    address, _ = prefix.split("/")
    octets, last = address.rsplit(".", 1)
    return f"{octets}.{int(last) + 1}"


def networks(prefixes: Iterable[str], verb: str = "network") -> str:
    lines = "".join(f"  {verb} {prefix}\n" for prefix in prefixes)
    return f"router bgp 65515\n address-family ipv4 unicast\n{lines} exit-address-family\n"


PEER = f"""
router bgp 65515
 bgp router-id {ONPREM_GATEWAY}
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor {LAN} remote-as 65010
 neighbor {LAN} timers connect 1
"""


@pytest.fixture(scope="module")
def nva(lab: Lab) -> Iterator[Frr]:
    with Frr(lab, "nva", importer(TABLE)) as frr:
        yield frr


@pytest.fixture(scope="module")
def appliance(lab: Lab, nva: Frr) -> Appliance:
    """Nothing is learned yet."""
    file = config.learning(lab, f'frr = "{nva.name}"\n{HOLD}')
    appliance = Appliance(lab, file)
    appliance.start()
    return appliance


@pytest.fixture(scope="module")
def without(appliance: Appliance) -> dict[str, int]:
    """Routes in the dataplane's tables while nothing is learned."""
    return in_dataplane(appliance)


@pytest.fixture(scope="module")
def peer(lab: Lab, nva: Frr, appliance: Appliance, without: dict[str, int]) -> Iterator[Frr]:
    with Frr(lab, "onprem", PEER + networks(PREFIXES)) as frr:
        nva.wait_established()
        wait_whole(lab, appliance, without)
        yield frr


def shown(appliance: Appliance) -> Any:
    return appliance.json("show", "learned")


def in_dataplane(appliance: Appliance) -> dict[str, int]:
    """The sizes of the zones' tables, by the dataplane's own word."""
    return {zone["name"]: zone["table"]["routes"] for zone in appliance.json("show", "zones")}


def in_kernel(lab: Lab) -> set[str]:
    return {line.split()[0] for line in lab.execute("nva", "ip", "route", "show", "table", TABLE).stdout.splitlines()}


def kernel_count(lab: Lab) -> int:
    return len(in_kernel(lab))


def in_bgp(nva: Frr) -> Any:
    return nva.json("show bgp ipv4 unicast summary")["peers"][ONPREM_GATEWAY]["pfxRcd"]


def wait_kernel(lab: Lab, count: int) -> None:
    wait_until(f"the kernel to have {count} routes", lambda: kernel_count(lab) == count, PATIENCE)


def wait_dataplane(appliance: Appliance, without: dict[str, int], count: int) -> None:
    """So many more than without BGP in each table that follows it, and in no other."""
    wanted = {zone: size + (count if zone in FOLLOWING else 0) for zone, size in without.items()}
    wait_until(f"{count} routes to be in the dataplane", lambda: in_dataplane(appliance) == wanted, PATIENCE)


def wait_whole(lab: Lab, appliance: Appliance, without: dict[str, int]) -> None:
    """All are learned, none is held, and nothing is wrong."""
    wait_kernel(lab, COUNT)
    wait_dataplane(appliance, without, COUNT)
    wait_until("all to be learned", lambda: is_whole(shown(appliance)), PATIENCE)


def is_whole(said: Any) -> bool:
    return (said["learned"], said["held"], said["in_excess"], said["problems"]) == (COUNT, 0, 0, [])


def wait_problem(appliance: Appliance, *words: str) -> None:
    """Said by `show learned`, and by `show state` in the same sentence."""

    def is_said() -> bool:
        said = [line for line in shown(appliance)["problems"] if all(word in line for word in words)]
        state = [problem["sentence"] for problem in appliance.json("show", "state")["problems"]]
        return bool(said) and said[0] in state

    wait_until(f"it to be said: {' ... '.join(words)}", is_said, PATIENCE)


def wait_log(appliance: Appliance, words: str) -> None:
    control = appliance.control
    assert control is not None
    wait_until(f"control to log: {words}", lambda: words in control.output(), PATIENCE)


def next_hop(appliance: Appliance, destination: str) -> Any:
    """By the dataplane's own word."""
    return appliance.explain(VNET, destination)["dataplane"]["next_hop"]


def test_half_of_them_are_withdrawn(
    lab: Lab, appliance: Appliance, without: dict[str, int], peer: Frr, onprem: Injector
) -> None:
    stays, goes = PREFIXES[::2], PREFIXES[1::2]
    file = lab.folder / "half.conf"
    file.write_text(networks(goes, "no network"))
    peer.read(file)
    wait_kernel(lab, len(stays))
    wait_dataplane(appliance, without, len(stays))
    said = shown(appliance)
    assert (said["learned"], said["sources"], said["held"], said["refused"]) == (len(stays), len(stays), 0, 0)
    routes = {route["prefix"]: route for route in said["routes"]}
    assert routes.keys() == set(stays)
    assert all((route["zones"], route["source_of"]) == (FOLLOWING, ["onprem"]) for route in routes.values())
    some = [host(prefix) for prefix in stays[:: len(stays) // SHARE]]
    others = [host(prefix) for prefix in goes[:: len(goes) // SHARE]]
    assert {next_hop(appliance, address) for address in some} == {"onprem-gateway"}
    assert {next_hop(appliance, address) for address in others} == {"None"}
    account = Account(appliance)
    for address in some:
        onprem.send(frame(source=address))
    account.forwarded("lan", "egress", len(some))
    account = Account(appliance)
    for address in others:
        onprem.send(frame(source=address))
    account.dropped("lan", "spoofed_source", len(others))
    file.write_text(networks(goes))
    peer.read(file)
    wait_whole(lab, appliance, without)


def test_control_is_killed_and_nothing_is_lost(
    lab: Lab, appliance: Appliance, without: dict[str, int], peer: Frr
) -> None:
    """All routes are learned anew, beside those that run."""
    lab["onprem"].ip("address", "replace", f"{host(PREFIXES[-1])}/32", "dev", "lo")
    with Stream(lab, host(PREFIXES[-1]), rate=20_000, source="vnet", sink="onprem") as stream:
        stream.wait_received(10_000)
        missed = appliance.stats()["total"]["missed"]
        appliance.kill_control()
        stream.wait_more(10_000)
        appliance.start_control()
        appliance.wait_ready()
        wait_whole(lab, appliance, without)
        stream.wait_more(10_000)
        stream.stop()
        result = stream.finish()
    missed = appliance.stats()["total"]["missed"] - missed
    assert (result.lost, result.duplicated) == (0, 0), f"{result}; {missed} found no room in a port's socket"


def restart_bgpd(nva: Frr) -> None:
    """What an operator does who reads what is said."""
    nva.stop_daemon("bgpd")
    nva.start_daemon("bgpd")


def restart_zebra_alone(lab: Lab, nva: Frr) -> None:
    """A zebra that starts removes what it finds of the last one's until bgpd connects, and what it has removed bgpd does not tell
    again. It is a race how many those are; the first goes first."""
    for _ in range(10):
        nva.kill_daemon("zebra")
        nva.start_daemon("zebra")
        with contextlib.suppress(WaitTimeout):
            wait_until("the kernel to lose routes", lambda: kernel_count(lab) < COUNT, timeout=5)
            return
    raise AssertionError("the kernel keeps all routes whenever zebra is restarted")


def test_zebra_is_restarted_alone_and_nothing_is_lost(
    lab: Lab, appliance: Appliance, without: dict[str, int], peer: Frr, nva: Frr
) -> None:
    lab["onprem"].ip("address", "add", f"{host(PREFIXES[0])}/32", "dev", "lo")
    with Stream(lab, host(PREFIXES[0]), rate=2000, source="vnet", sink="onprem") as stream:
        stream.wait_received(1000)
        restart_zebra_alone(lab, nva)
        wait_until("routes to be held", lambda: shown(appliance)["held"], PATIENCE)
        stream.wait_more(2000)
        stream.stop()
        result = stream.finish()
    assert (result.lost, result.duplicated) == (0, 0), result
    wait_problem(appliance, "zebra was started after bgpd", "restart bgpd")
    # Which is said when neither number has moved for a while: it is for good.
    wait_problem(appliance, f"BGP has {COUNT} routes of a peer", "not all of them arrive there")
    left = in_kernel(lab)
    wait_problem(appliance, f"BGP has {COUNT} routes of a peer, and the kernel's table {TABLE} has {len(left)}:")
    said = shown(appliance)
    held = {route["prefix"] for route in said["routes"] if route["held"]}
    assert held == set(PREFIXES) - left
    assert PREFIXES[0] in held
    assert (said["learned"], said["held"], in_bgp(nva)) == (COUNT, len(held), COUNT)
    wait_dataplane(appliance, without, COUNT)
    restart_bgpd(nva)
    wait_whole(lab, appliance, without)


@pytest.fixture
def short_hold(appliance: Appliance) -> Iterator[None]:
    text = appliance.config.read_text()
    appliance.config.write_text(text.replace(HOLD, 'learned_hold = "5s"'))
    appliance.reload()
    yield
    appliance.config.write_text(text)
    appliance.reload()


@pytest.mark.usefixtures("short_hold")
def test_zebra_is_stopped_and_what_does_not_come_back_is_given_up(
    lab: Lab, appliance: Appliance, without: dict[str, int], peer: Frr, nva: Frr
) -> None:
    """One that is stopped takes all routes along; what was held is held no longer than is configured."""
    wait_whole(lab, appliance, without)
    nva.stop_daemon("zebra")
    wait_log(appliance, "learned routes went from the kernel with their daemon, and are held for 5 s at most")
    nva.start_daemon("zebra")
    wait_log(appliance, "learned routes that were held are not back, and are given up")
    wait_dataplane(appliance, without, 0)
    assert next_hop(appliance, host(PREFIXES[0])) == "None"
    wait_problem(appliance, "zebra was started after bgpd", "restart bgpd")
    wait_problem(appliance, f"BGP has {COUNT} routes of a peer, and the kernel's table {TABLE} has none")
    assert (kernel_count(lab), in_bgp(nva)) == (0, COUNT)
    restart_bgpd(nva)
    wait_whole(lab, appliance, without)
