# SPDX-License-Identifier: BSD-3-Clause
"""How a stage runs its commands: where their output goes, and how urgent they are."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]


# The kernel shares CPUs between sessions first (sched(7), "The autogroup feature"): within one, SCHED_IDLE yields to nobody of another.
IDLE = ("sh", "-c", 'echo 19 >/proc/self/autogroup 2>/dev/null; exec chrt --idle 0 "$@"', "sh")


@dataclass(frozen=True)
class Shell:
    log: IO[str] | None = None  # the terminal without one
    idle: bool = False  # only what nobody else wants of the CPUs

    def say(self, *words: str | Path) -> None:
        print(*words, file=self.log or sys.stdout, flush=True)

    def __call__(
        self, *command: str | Path, folder: Path = ROOT, quiet: bool = False, **environment: str
    ) -> bool:
        """Whether it ended with exit code 0. `quiet`: only a command that fails is named."""
        words = [str(word) for word in command]
        if not quiet:
            self.say("+", *words)
        ended = subprocess.run(
            [*(IDLE if self.idle else ()), *words], cwd=folder, env=os.environ | environment, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT if self.log else None, check=False, start_new_session=self.idle,
        )  # fmt: skip
        if quiet and ended.returncode != 0:
            self.say("+", *words)
        return ended.returncode == 0
