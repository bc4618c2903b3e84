# SPDX-License-Identifier: BSD-3-Clause
"""Running commands, waiting for what they cause, and ending only what was started here."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class CommandError(RuntimeError):
    """A command that had to succeed did not; the message carries what it said."""


def run(
    *command: str | os.PathLike[str], check: bool = True, stdin: str | None = None, timeout: float = 120
) -> str:
    """Standard output of a command; an error that quotes standard error when it fails."""
    done = execute(*command, stdin=stdin, timeout=timeout)
    if check and done.returncode != 0:
        words = " ".join(str(word) for word in command)
        raise CommandError(
            f"{words}: exit code {done.returncode}: {done.stderr.strip() or done.stdout.strip()}"
        )
    return done.stdout


def execute(
    *command: str | os.PathLike[str], stdin: str | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


class WaitTimeout(AssertionError):
    """What was waited for did not come."""


def wait_until(what: str, probe: Callable[[], T | None], timeout: float = 20.0, interval: float = 0.02) -> T:
    """Polls until `probe` gives something true and returns it; raises with `what` and the last answer otherwise."""
    deadline = time.monotonic() + timeout
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise WaitTimeout(f"waited {timeout:g} s in vain for {what}; last: {answer!r}")
        time.sleep(interval)


class Process:
    """A long-running child with its output in a file."""

    def __init__(
        self, name: str, command: Sequence[str | os.PathLike[str]], log: Path, pipe: bool = False
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self.child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.child.pid

    def running(self) -> bool:
        return self.child.poll() is None

    def send(self, number: signal.Signals) -> None:
        self.child.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.running():
            self.child.kill()
        self.child.wait(timeout=20)

    def stop(self, timeout: float = 15) -> int:
        """SIGTERM; SIGKILL when that is not heard in time. The exit code."""
        if self.running():
            self.child.terminate()
            try:
                self.child.wait(timeout=timeout)
            except subprocess.TimeoutExpired:
                self.child.kill()
        return self.child.wait(timeout=20)

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""
