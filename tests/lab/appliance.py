# SPDX-License-Identifier: BSD-3-Clause
"""Sekisho's processes in the lab's `nva` namespace, and its command line."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.process import Process, wait_until
from lab.topology import Lab

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SEKISHO_BUILD", ROOT / "build"))
MAIN_CPU = min(os.sched_getaffinity(0))
WORKER_CPU = max(os.sched_getaffinity(0))
READY_SECONDS = 40


class Refused(AssertionError):
    """The command line answered with an error."""


class Appliance:
    """One configuration, one dataplane, one control; each may die and come back."""

    def __init__(
        self, lab: Lab, config: Path, workers: list[int] | None = None, main: int = MAIN_CPU, space: str = "nva"
    ) -> None:
        self.lab = lab
        self.space = space
        self.config = config
        self.workers = workers or [WORKER_CPU]
        self.main = main
        another = "" if space == "nva" else f"{space}-"
        self.dataplane_socket = lab.folder / f"{another}dataplane.sock"
        self.socket = lab.folder / f"{another}control.sock"
        self.state = lab.folder / f"{another}state"
        self.another = another
        self.dataplane_options: list[str] = []
        self.control_options: list[str] = []
        # What becomes the program by exec: `sh -c 'exec "$@" 2>pipe' sh`, say.
        self.dataplane_wrapper: list[str | Path] = []
        self.control_wrapper: list[str | Path] = []
        self.dataplane: Process | None = None
        self.control: Process | None = None
        self._started = 0
        lab.no_room.append(self.no_room)

    # --- processes ------------------------------------------------------------------------------------------

    def start(self, timeout: float = READY_SECONDS) -> None:
        self.start_dataplane()
        self.start_control()
        self.wait_ready(timeout)

    def start_dataplane(self) -> None:
        self._started += 1
        self.dataplane = self.lab.spawn(
            self.space,
            f"{self.another}dataplane-{self._started}",
            # A worker is meant to own its CPU. Where others compute on it too, 2048 frames in the socket's ring are 80 ms of
            # the stream; what does not fit is lost (and counted as missed), whatever the appliance does.
            "nice", "-n", "-20",
            *self.dataplane_wrapper,
            BUILD / "dataplane" / "sekisho-dataplane",
            "--socket", self.dataplane_socket,
            "--main", str(self.main),
            "--workers", ",".join(str(cpu) for cpu in self.workers),
            *self.dataplane_options,
            cpus=sorted({self.main, *self.workers}),
        )  # fmt: skip

    def start_control(self) -> None:
        self._started += 1
        self.control = self.lab.spawn(
            self.space,
            f"{self.another}control-{self._started}",
            *self.control_wrapper,
            BUILD / "control" / "sekisho-control",
            "--config", self.config,
            "--dataplane-socket", self.dataplane_socket,
            "--socket", self.socket,
            "--state-directory", self.state,
            *self.control_options,
            cpus=[self.main],
        )  # fmt: skip

    def kill_dataplane(self) -> None:
        assert self.dataplane is not None
        self.dataplane.kill()
        self.lab.forget(self.dataplane)

    def kill_control(self) -> None:
        assert self.control is not None
        self.control.kill()
        self.lab.forget(self.control)

    def stop(self) -> None:
        for process in (self.control, self.dataplane):
            if process is not None and process in self.lab.processes:
                process.stop()
                self.lab.forget(process)

    def signal_control(self, number: signal.Signals) -> None:
        """To control itself: `ip netns exec` and `taskset` became it by exec."""
        assert self.control is not None
        self.control.send(number)

    # --- the command line -----------------------------------------------------------------------------------

    def execute(self, *words: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        command = BUILD / "control" / "sekisho"
        return self.lab.execute(self.space, command, "--socket", self.socket, *words, timeout=timeout)

    def json(self, *words: str | Path) -> Any:
        done = self.execute(*words, "--json")
        if done.returncode != 0 and not done.stdout:  # what answers and finds a fault says both
            raise Refused(f"sekisho {' '.join(str(word) for word in words)}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def reload(self, force: bool = False) -> Any:
        return self.json("reload", *(["--force"] if force else []))

    @contextlib.contextmanager
    def put_back(self) -> Iterator[None]:
        """Afterwards the firewalls' links and the configuration are again as they were."""
        text = self.config.read_text()
        yield
        for space in ("firewall", "firewall2"):
            self.lab.link_up(space)
        if self.config.read_text() != text:
            self.config.write_text(text)
            self.reload()

    def answers(self) -> bool:
        """Control does, whatever it says."""
        return bool(self.execute("show", "state").stdout)

    def ready(self) -> bool:
        """Both processes serve, every port runs, every next hop has a living member, the exit is ready."""
        try:
            ports, next_hops, exit = self.ports(), self.next_hops(), self.exit()
        except (Refused, json.JSONDecodeError):
            return False
        if exit is not None and not (exit["exit"]["ready"] and exit.get("action_in_dataplane") == "exit"):
            return False
        running = bool(ports) and all(port["running"] for port in ports.values())
        return running and bool(next_hops) and all(next_hops.values())

    def wait_ready(self, timeout: float = READY_SECONDS) -> None:
        try:
            wait_until("the appliance to forward", self.ready, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.diagnosis()}") from error

    def ports(self) -> dict[str, Any]:
        return {port["name"]: port for port in self.json("show", "ports")}

    def next_hops(self) -> dict[str, int]:
        """How many members of each forwarding next hop are alive, as the dataplane knows it."""
        hops = self.json("show", "next-hops")
        return {hop["name"]: hop.get("alive_in_dataplane", 0) for hop in hops if hop["action"] == "forward"}

    def exit(self) -> Any:
        """Next hop `Internet`, if the configuration has one."""
        hops = self.json("show", "next-hops")
        return next((hop for hop in hops if hop["name"] == "Internet"), None)

    def stats(self) -> Any:
        return self.json("show", "stats")

    def no_room(self) -> int:
        """Frames that a port's device or socket had no room for; 0 while nobody answers."""
        try:
            return int(self.stats()["total"]["missed"])
        except (Refused, json.JSONDecodeError):
            return 0

    def explain(self, source: str, destination: str, port: str = "lan") -> Any:
        return self.json("explain", source, destination, "--port", port)

    def diagnosis(self) -> str:
        """What an engineer would look at first."""
        said = [f"--- {process.name}\n{process.output()[-4000:]}" for process in self.lab.processes]
        for words in (("show", "ports"), ("show", "next-hops"), ("show", "drops"), ("show", "stats")):
            done = self.execute(*words)
            said.append(f"--- sekisho {' '.join(words)}\n{done.stdout}{done.stderr}")
        return "\n".join(said)
