# SPDX-License-Identifier: BSD-3-Clause
"""A page of doc/ that is executed: its commands, in order, in one shell as root, and what the page says that they print.

Two kinds of blocks are commands. Of ```console, a line that begins with `# ` is one, with all lines of its here-document, and what stands
below it is what it prints. A block ```sh is pasted whole, and prints nothing.

The shell has a machine of its own but for the kernel: network, processes, /run and the home folder. Whatever the page starts ends
with it.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

# What no two runs share: it counts as the same, whatever it is.
VARIABLE = [
    (re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b"), "MAC"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "TIME"),
    (re.compile(r"\b\d\d/[A-Z][a-z]{2}/\d{4} \d\d:\d\d:\d\d\b"), "TIME"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:\.\d+)?\b"), "TIME"),
    (re.compile(r"= [\d./]+/[\d./]+ ms\b"), "= DURATION"),
    (re.compile(r"\b\d+(?:\.\d+)?(?: ?(?:milliseconds|days|min|us|ms|s|h|m))\b(?: \d+ (?:min|s|h)\b)?"), "DURATION"),
]
BLOCK = re.compile(r"^```(console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HERE = re.compile(r"<<'(\w+)'")


@dataclass(frozen=True)
class Step:
    line: int  # of the page
    command: str
    expected: list[str]


def steps(text: str) -> Iterator[Step]:
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(2)) + 1
        if block[1] == "sh":
            yield Step(line, block[2], [])
        else:
            yield from console(line, block[2].splitlines())


def console(line: int, lines: list[str]) -> Iterator[Step]:
    at = 0
    while at != len(lines):
        assert lines[at].startswith("# "), f"line {line + at}: nobody typed {lines[at]!r}"
        begin = at
        command = [lines[at][2:]]
        at += 1
        if here := HERE.search(command[0]):
            while command[-1] != here[1]:
                command.append(lines[at])
                at += 1
        output = at
        while at != len(lines) and not lines[at].startswith("# "):
            at += 1
        yield Step(line + begin, "\n".join(command) + "\n", lines[output:at])


def plain(line: str) -> str:
    """Without what differs from run to run, and however wide that makes a column."""
    for pattern, name in VARIABLE:
        line = pattern.sub(name, line)
    return " ".join(line.split())


def agrees(expected: list[str], printed: list[str]) -> bool:
    """A line of the page that is `...` stands for any number of lines, `...` within a line for anything."""
    if not expected:
        return not printed
    if expected[0].strip() == "...":
        return any(agrees(expected[1:], printed[skipped:]) for skipped in range(len(printed) + 1))
    if not printed:
        return False
    pattern = ".*".join(re.escape(part) for part in plain(expected[0]).split("..."))
    return re.fullmatch(pattern, plain(printed[0])) is not None and agrees(expected[1:], printed[1:])


# /run is where network namespaces and sockets are, and /etc/frr where FRR's instances are.
ENTER = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "--norc")
PREPARE = (
    "mount -t tmpfs tmpfs /run && mkdir /run/netns /run/lock && mount -t tmpfs tmpfs /etc/frr && ip link set lo up"
)


class Shell:
    """Use as a context manager."""

    def __init__(self, folder: Path, programs: list[Path]) -> None:
        self.folder = folder
        home = folder / "home"
        home.mkdir()
        path = ":".join([*map(str, programs), "/usr/sbin:/usr/bin:/sbin:/bin"])
        self._process = subprocess.Popen(
            ENTER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=home,
            env={"HOME": str(home), "PATH": path, "LC_ALL": "C.UTF-8", "TERM": "dumb", "TZ": "UTC"},
        )  # fmt: skip
        self._number = 0
        said = self.run(PREPARE)
        assert not said, said

    def __enter__(self) -> Shell:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def run(self, command: str, seconds: float = 60) -> list[str]:
        """What it prints until it ends; what it leaves running prints elsewhere."""
        self._number += 1
        script = self.folder / f"step-{self._number}"
        script.write_text(command)
        mark = f"--- {self._number} of {os.getpid()}"
        assert self._process.stdin is not None and self._process.stdout is not None
        # A program that reads its standard input must not read the next command.
        self._process.stdin.write(f". {script} </dev/null\necho '{mark}'\n".encode())
        self._process.stdin.flush()
        printed = b""
        deadline = time.monotonic() + seconds
        while not printed.endswith(f"{mark}\n".encode()):
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self._process.stdout], [], [], left)[0]
            more = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            if not more:
                raise AssertionError(f"{command!r} does not end; so far:\n{printed.decode()}{self.logs()}")
            printed += more
        return printed.decode()[: -len(mark) - 1].splitlines()

    def logs(self) -> str:
        """What the page's programs said, for whoever asks why."""
        files = sorted((self.folder / "home").rglob("*.log"))
        return "".join(f"\n--- {file.name}\n{file.read_text()[-2000:]}" for file in files)


def follow(shell: Shell, page: Path, text: str) -> None:
    """Every command of `text`, which is of the page, prints what the page says."""
    for step in steps(text):
        printed = shell.run(step.command)
        if not agrees(step.expected, printed):
            said, says = "\n".join(printed), "\n".join(step.expected)
            where = f"{page.name}:{step.line}: {step.command}"
            raise AssertionError(f"{where}prints\n{said}\nand the page says\n{says}{shell.logs()}")
