# SPDX-License-Identifier: BSD-3-Clause
"""Network namespaces under one run's prefix, and their removal, also after a run that was killed.

A run holds a lock on /run/sekisho-lab/PREFIX.lock. Whoever can take the lock of another prefix knows that its run
is dead and removes what it left, unless the run wrote `keep` into it (scripts/demo --keep).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from lab.process import execute, run

STATE = Path("/run/sekisho-lab")
FRR = (Path("/etc/frr"), Path("/run/frr"))  # have a folder for each namespace that it runs in
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _setns(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")


class Namespace:
    def __init__(self, name: str) -> None:
        self.name = name

    def create(self) -> None:
        run("ip", "netns", "add", self.name)
        # Solicitations and listener reports would disturb exact counts; IPv6 transit is tested with crafted frames.
        self.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
        self.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words: str) -> str:
        return run("ip", "-n", self.name, *words)

    def run(self, *words: str | os.PathLike[str], stdin: str | None = None) -> str:
        return run(*self.command(*words), stdin=stdin)

    def command(self, *words: str | os.PathLike[str]) -> list[str]:
        return ["ip", "netns", "exec", self.name, *[str(word) for word in words]]

    def sysctl(self, key: str, value: int) -> None:
        self.run("sysctl", "-q", "-w", f"{key}={value}")

    def nft(self, rules: str) -> None:
        self.run("nft", "-f", "-", stdin=rules)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """This thread's sockets are opened in the namespace; they stay there afterwards."""
        with open("/proc/thread-self/ns/net", "rb") as before, open(
            f"/run/netns/{self.name}", "rb"
        ) as wanted:
            _setns(wanted.fileno())
            try:
                yield
            finally:
                _setns(before.fileno())

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        with self.entered():
            return socket.socket(family, kind, protocol)


def existing(prefix: str) -> list[str]:
    names = [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.strip()]
    return [name for name in names if name.startswith(prefix + "-")]


def pids(namespace: str) -> list[int]:
    return [int(word) for word in execute("ip", "netns", "pids", namespace).stdout.split()]


def remove(prefix: str) -> None:
    """Ends the processes of the prefix's namespaces, then removes the namespaces."""
    names = existing(prefix)
    deadline = time.monotonic() + 10
    while alive := [pid for name in names for pid in pids(name)]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"processes {alive} in the namespaces of {prefix} do not end")
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    for name in names:
        execute("ip", "netns", "delete", name)


@contextlib.contextmanager
def _registry() -> Iterator[None]:
    """Runs start beside each other: a lock that one has made and does not hold yet is not a dead run's."""
    STATE.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(STATE, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def lock(prefix: str) -> IO[str] | None:
    """The lock of a run, held until closed; None when the run lives."""
    with _registry():
        return _lock(prefix)


def _lock(prefix: str) -> IO[str] | None:
    file = (STATE / f"{prefix}.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def kept() -> list[str]:
    return [path.stem for path in sorted(STATE.glob("*.lock")) if path.read_text().strip() == "keep"]


def remove_dead_runs() -> None:
    with _registry():
        for path in sorted(STATE.glob("*.lock")):
            held = _lock(path.stem)
            if held is None:
                continue
            with held:
                held.seek(0)
                if held.read().strip() != "keep":
                    remove_run(path.stem)


def remove_run(prefix: str) -> None:
    remove(prefix)
    folder = STATE / prefix
    if folder.is_dir():
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        folder.rmdir()
    for folder in (found for place in FRR for found in place.glob(f"{prefix}-*")):
        shutil.rmtree(folder, ignore_errors=True)
    (STATE / f"{prefix}.lock").unlink(missing_ok=True)
