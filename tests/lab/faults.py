# SPDX-License-Identifier: BSD-3-Clause
"""Faults of the soak: what each does to the bench. Which of them at once, in which order and for how long is the soak's choice.

Of one room only one at a time: then at least one of the independent locks is whole, whatever the others did to theirs.
"""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from lab import config
from lab.matrix import Bench

MANY = 100_000

Act = Callable[[Bench, random.Random], None]


@dataclass(frozen=True)
class Fault:
    """`sees_all`: meanwhile every frame still meets the steering program, so that the kernel's count and its books agree."""

    name: str
    room: str
    act: Act
    sees_all: bool = True


def _process(which: str, state: str) -> Act:
    def act(bench: Bench, _: random.Random) -> None:
        process = getattr(bench.appliance, which)
        bench.put(process, state)

    return act


def _both(state: str) -> Act:
    def act(bench: Bench, rng: random.Random) -> None:
        for which in rng.sample(("dataplane", "control"), 2):
            _process(which, state)(bench, rng)

    return act


def _role(rng: random.Random) -> str:
    return rng.choice(("lan", "egress"))


def _rename(bench: Bench, rng: random.Random) -> None:
    bench.interfaces.rename(_role(rng), rng.choice(("ens5", "eth7", "enp0s4")))


def _flap(bench: Bench, rng: random.Random) -> None:
    """From the wire's side, or by the appliance's own administrator, who puts back what went with it."""
    role = _role(rng)
    name = bench.interfaces.names[role]
    if rng.random() < 0.5:
        for way in ("down", "up"):
            bench.lab["fabric"].ip("link", "set", f"nva-{'lan0' if role == 'lan' else 'egress0'}", way)
    else:
        bench.lab["nva"].ip("link", "set", "dev", name, "down")
        bench.interfaces.dress(role)


def _mtu(bench: Bench, rng: random.Random) -> None:
    name = bench.interfaces.names[_role(rng)]
    bench.lab["nva"].ip("link", "set", "dev", name, "mtu", str(rng.choice((1280, 1400, 1500))))


def _flush(bench: Bench, _: random.Random) -> None:
    bench.lab["nva"].run("nft", "flush", "ruleset")


def _neighbours(bench: Bench, _: random.Random) -> None:
    bench.lab.execute("nva", "ip", "neigh", "flush", "all")  # gives up where traffic asks for them again at once


def _reload_good(bench: Bench, rng: random.Random) -> None:
    config.overrides(bench.appliance.config, [f"192.0.2.{n}/32 second-gateway" for n in range(rng.randrange(200))])
    _reload(bench)


def _reload_huge(bench: Bench, rng: random.Random) -> None:
    gateway = rng.choice(("firewall", "second-gateway"))
    config.overrides(bench.appliance.config, config.many_routes(gateway, rng.choice((10_000, 50_000, MANY))))
    _reload(bench)


def empty_tables(bench: Bench, full_before: bool) -> None:
    """No overrides; before that, if asked, as many as any reload here brings, beside as many that they replace."""
    for gateway in ("firewall", "second-gateway") if full_before else ():
        config.overrides(bench.appliance.config, config.many_routes(gateway, MANY))
        bench.appliance.reload(force=True)
    config.overrides(bench.appliance.config, [])
    bench.appliance.reload(force=True)


def _reload_bad(bench: Bench, rng: random.Random) -> None:
    """It has to be refused."""
    file, text = bench.appliance.config, bench.appliance.config.read_text()
    wrong = rng.choice(
        (text[: rng.randrange(200, len(text) // 2)] + "\n[[[\n", text.replace("af_xdp:lan0", "af_xdp:lna0"), "\0" * 64)
    )
    file.write_text(wrong)
    try:
        done = _reload(bench)
        if done is not None and done.returncode == 0:
            raise AssertionError(f"a configuration that is wrong was accepted: {done.stdout}")
    finally:
        file.write_text(text)


def _reload(bench: Bench) -> subprocess.CompletedProcess[str] | None:
    """As an operator would who does not know that somebody hangs, and does not wait for it."""
    try:
        return bench.appliance.execute("reload", timeout=8)
    except subprocess.TimeoutExpired:
        return None


def _garbage(bench: Bench, rng: random.Random) -> None:
    """To both sockets: noise, half a message, a length that is too large, silence."""
    for path in (bench.appliance.socket, bench.appliance.dataplane_socket):
        for data in (rng.randbytes(rng.randrange(1, 5000)), b"\xff\xff\xff\x7f", b'{"command": "sho', b"\0" * 9, b""):
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(0.2)
                client.connect(str(path))
                client.sendall(data)
                if rng.random() < 0.5:
                    client.recv(4096)


def _hang_up(bench: Bench, _: random.Random) -> None:
    process = bench.appliance.control
    assert process is not None
    for _unused in range(5):
        if process.running():
            process.send(signal.SIGHUP)


FAULTS = (
    Fault("dataplane killed", "process", _process("dataplane", "killed")),
    Fault("dataplane stopped", "process", _process("dataplane", "stopped")),
    Fault("dataplane hung", "process", _process("dataplane", "hung")),
    Fault("control killed", "process", _process("control", "killed")),
    Fault("control stopped", "process", _process("control", "stopped")),
    Fault("control hung", "process", _process("control", "hung")),
    Fault("both killed", "process", _both("killed")),
    Fault("both stopped", "process", _both("stopped")),
    Fault("both hung", "process", _both("hung")),
    Fault("renamed", "interface", _rename),
    Fault("both renamed", "interface", lambda bench, _: bench.interfaces.rename_both()),
    Fault("names swapped", "interface", lambda bench, _: bench.interfaces.swap()),
    Fault(
        "detached and attached", "interface", lambda bench, rng: bench.interfaces.recreate(_role(rng), "ens8"), False
    ),
    Fault("moved away and back", "interface", lambda bench, rng: bench.interfaces.move_and_return(_role(rng)), False),
    Fault("new MAC", "interface", lambda bench, rng: bench.interfaces.new_mac(_role(rng))),
    Fault("another MTU", "interface", _mtu),
    Fault("link flapped", "interface", _flap),
    Fault("nftables flushed", "lock", _flush),
    Fault("guard's chain emptied", "lock", lambda bench, _: bench.interfaces.empty_guard()),
    Fault("steering removed", "lock", lambda bench, _: bench.interfaces.xdp_off(), False),
    Fault("tc filter removed", "lock", lambda bench, _: bench.interfaces.tc_off()),
    Fault("forwarding switched on", "lock", lambda bench, _: bench.interfaces.forwarding_on()),
    Fault("ip_forward toggled", "lock", lambda bench, _: bench.interfaces.toggle_ip_forward()),
    Fault("neighbours flushed", "world", _neighbours),
    Fault("reload", "input", _reload_good),
    Fault("reload of many routes", "input", _reload_huge),
    Fault("bad reload", "input", _reload_bad),
    Fault("garbage on both sockets", "input", _garbage),
    Fault("SIGHUPs", "input", _hang_up),
)
ROOMS = tuple(dict.fromkeys(fault.room for fault in FAULTS))


def choose(rng: random.Random, spare_processes: bool = False) -> list[Fault]:
    """One to three at once, of different rooms, in any order."""
    while True:
        rooms = rng.sample(
            [room for room in ROOMS if not spare_processes or room != "process"], rng.choice((1, 1, 2, 3))
        )
        faults = [rng.choice([fault for fault in FAULTS if fault.room == room]) for room in rooms]
        if _is_survived({fault.name for fault in faults}):
            return faults


def _is_survived(names: set[str]) -> bool:
    """Not what doc/limits.md says is not: a NIC that comes and goes while control, which alone would notice, does not live."""
    if not any(name.startswith(("control ", "both ")) and name != "both renamed" for name in names):
        return True
    opened = {"nftables flushed", "guard's chain emptied"} & names
    return not ("detached and attached" in names and opened)
