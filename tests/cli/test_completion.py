# SPDX-License-Identifier: BSD-3-Clause
"""`sekisho complete`, abbreviated commands, and what bash offers, which asks it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from control_socket import ControlSocket

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "zones": ["onprem", "spoke"], "ports": ["lan", "egress"],
    "next_hops": [{"name": "firewall", "members": ["10.0.2.10", "10.0.2.11"]}, {"name": "gateway", "members": ["10.0.1.1"]}],
}  # fmt: skip


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Path]:
    control = ControlSocket(tmp_path / "control.sock", lambda request: [NAMES] if request.get("what") == "names" else "no")
    yield tmp_path / "control.sock"
    control.close()


@pytest.fixture
def complete(sekisho: Any, socket: Path) -> Callable[..., list[str]]:
    def run(*words: str) -> list[str]:
        done = sekisho("complete", "--", "--socket", socket, *words)
        assert done.returncode in (0, 10) and not done.stderr, done
        return [str(line) for line in done.stdout.splitlines()]

    return run


@pytest.mark.parametrize(("words", "offered"), [
    (["rel"], ["reload"]),
    (["sh", "po"], ["ports"]),
    (["show", "routes", "--zone", ""], ["onprem", "spoke"]),
    (["sh", "routes", "--zone", "s"], ["spoke"]),
    (["route", "add", "--zone", "onprem", "10.0.0.0/8", ""], ["firewall", "gateway", "None", "Internet"]),
    (["next-hop", "drain", ""], ["firewall", "gateway"]),
    (["next-hop", "drain", "firewall", ""], ["10.0.2.10", "10.0.2.11"]),
    (["explain", "--port", ""], ["lan", "egress"]),
    (["explain", "--source-port", ""], []),
    (["show", "drops", "--last", "--reason", "bad_ch"], ["bad_checksum"]),
    (["trace", "--drop", "martian_s"], ["martian_source"]),
    (["presets", "k"], ["kms"]),
    (["map", "--format", ""], ["text", "svg", "dot"]),
    (["show", "drops", "--al"], ["--all"]),
    (["show", "drops", "--js"], ["--json"]),
    (["nonsense", ""], None),
])  # fmt: skip
def test_candidates(complete: Callable[..., list[str]], words: list[str], offered: list[str] | None) -> None:
    given = complete(*words)
    if offered is not None:
        assert sorted(given) == sorted(offered)


def test_an_option_is_offered_once(complete: Callable[..., list[str]]) -> None:
    for words in (["-"], ["next-hop", "drain", "firewall", "-"], ["next-hop", "drain", "firewall", "10.0.2.10", ""], ["show", "ports", "-"], ["prove", "-"]):
        given = complete(*words)
        assert "--help" in given and len(given) == len(set(given)), words


def test_a_file_is_wanted(sekisho: Any) -> None:
    for words in (["reload", "--dry-run", "--config", ""], ["bgp", "apply", "--file", ""], ["bgp", "apply", "--config", ""], ["check", ""], ["diff", "--service-tags", ""], ["route", "save", ""]):
        assert sekisho("complete", "--", *words).returncode == 10, words


def test_descriptions(sekisho: Any) -> None:
    line = next(each for each in sekisho("complete", "--describe", "--", "rel").stdout.splitlines())
    assert line.startswith("reload\tRead the configuration")


def test_silence_where_control_is_not(sekisho: Any, tmp_path: Path) -> None:
    done = sekisho("complete", "--", "--socket", tmp_path / "none", "show", "routes", "--zone", "")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("answer", [
    {"zones": 7, "ports": None, "next_hops": ["firewall"]}, {"zones": [1, None], "next_hops": [{"name": 3, "members": 4}]}, ["zones"], "zones",
])  # fmt: skip
def test_silence_where_the_answer_is_odd(sekisho: Any, tmp_path: Path, answer: Any) -> None:
    control = ControlSocket(tmp_path / "control.sock", lambda _: [answer])
    for words in (["show", "routes", "--zone", ""], ["next-hop", "drain", ""], ["next-hop", "drain", "firewall", ""], ["explain", "--port", ""]):
        done = sekisho("complete", "--", "--socket", tmp_path / "control.sock", *words)
        assert (done.returncode, done.stderr) == (0, ""), done
        assert all(line.startswith("--") for line in done.stdout.splitlines()), done  # options, where no name is known
    control.close()


def test_a_socket_in_one_word(sekisho: Any, socket: Path) -> None:
    assert sekisho("complete", "--", f"--socket={socket}", "show", "routes", "--zone", "").stdout.split() == ["onprem", "spoke"]


# --- abbreviations ----------------------------------------------------------------------------------------------


def test_abbreviated_commands_are_the_commands(sekisho: Any) -> None:
    for short, whole in ((["vers"], ["version"]), (["form"], ["formats"]), (["ro", "co", "--help"], ["routes", "convert", "--help"]),
                         (["sh", "po", "--help"], ["show", "ports", "--help"]), (["ro", "li", "--help"], ["route", "list", "--help"]),
                         (["route", "--help"], ["route", "--help"])):  # fmt: skip
        ours, theirs = sekisho(*short), sekisho(*whole)
        assert ours.returncode == theirs.returncode == 0 and ours.stdout == theirs.stdout, short


@pytest.mark.parametrize(("words", "said"), [
    (["ro"], '"ro" may be route, routes, rollback'), (["ro", "12"], '"ro" may be'), (["show", "ne"], '"ne" may be next-hops, neighbours'),
])  # fmt: skip
def test_an_ambiguous_one_is_refused(sekisho: Any, words: list[str], said: str) -> None:
    done = sekisho(*words)
    assert (done.returncode, done.stdout) == (2, "")
    for word in said.split():
        assert word.strip(",") in done.stderr, done


WHOLE = ["reload", "rollback", "confirm", "drain", "undrain", "guard on", "guard off", "bgp apply", "bgp watch", "route add", "route replace",
         "route del", "route batch", "route save", "next-hop drain", "next-hop undrain", "stats --clear"]  # fmt: skip


@pytest.mark.parametrize("command", WHOLE)
def test_what_changes_something_is_written_whole(sekisho: Any, command: str) -> None:
    """Each of its words cut short."""
    words = command.split()
    for i, word in enumerate(words):
        for length in range(1, 1 if word.startswith("-") else len(word)):
            done = sekisho(*words[:i], word[:length], *words[i + 1 :], "--help")
            assert (done.returncode, done.stdout) == (2, ""), (word[:length], done)
            assert '" may be ' in done.stderr or "has to be written whole" in done.stderr, (word[:length], done)
    assert sekisho(*words, "--help").returncode == 0


def test_a_whole_command_is_named(sekisho: Any) -> None:
    for begun, whole in ((["re"], "reload"), (["u"], "undrain"), (["dr"], "drain"), (["con"], "confirm"), (["rol"], "rollback"),
                         (["guard", "of"], "guard off"), (["gua", "off"], "guard off"), (["sta", "--clear"], "stats")):  # fmt: skip
        done = sekisho("--socket", "/nowhere", *begun)
        assert done.returncode == 2 and f"`sekisho {whole}`, which has to be written whole" in done.stderr, done


def test_an_options_value_decides_no_command(sekisho: Any) -> None:
    for words in (["s", "--color", "always", "state"], ["--color", "always", "s", "--color", "always", "state"]):
        ours, theirs = sekisho("--socket", "/nowhere", *words), sekisho("--socket", "/nowhere", "show", "state")
        assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr), ours
    assert '"ro" may be' in sekisho("ro", "--socket", "list").stderr


def test_options_and_their_values_are_not_touched(sekisho: Any, tmp_path: Path) -> None:
    done = sekisho("--socket", tmp_path / "sh", "sh", "po")
    assert done.returncode == 1 and f"at {tmp_path / 'sh'}: is it running?" in done.stderr, done
    assert sekisho("--jso", "version").returncode == 2
    assert sekisho("nonsense").returncode == 2


# --- shells -----------------------------------------------------------------------------------------------------


def script(shell: str, binary: Path) -> str:
    done = subprocess.run([sys.executable, ROOT / "doc" / "completion.py", binary, shell], capture_output=True, text=True, check=True)
    return done.stdout


def in_bash(sekisho: Any, tmp_path: Path, *words: str) -> list[str]:
    (tmp_path / "sekisho.bash").write_text(script("bash", sekisho.binary))
    asks = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sekisho; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", asks, "bash", tmp_path / "sekisho.bash", "sekisho", *words], capture_output=True, text=True,
                          check=True, env=os.environ | {"PATH": f"{sekisho.binary.parent}:{os.environ['PATH']}"})  # fmt: skip
    return done.stdout.split()


def test_bash(sekisho: Any, socket: Path, tmp_path: Path) -> None:
    def offered(*words: str) -> list[str]:
        return in_bash(sekisho, tmp_path, "--socket", str(socket), *words)

    assert offered("show", "routes", "--zone", "on") == ["onprem"]
    assert offered("next-hop", "drain", "firewall", "") == ["10.0.2.10", "10.0.2.11"]
    assert offered("sh", "por") == ["ports"]
    assert offered("rel") == ["reload"]
    (tmp_path / "here.toml").touch()
    assert offered("check", f"{tmp_path}/here") == [f"{tmp_path}/here.toml"]
    assert in_bash(sekisho, tmp_path, "--socket", str(tmp_path / "none"), "show", "routes", "--zone", "") == []


ZSH = """\
fpath=($1 $fpath)
autoload -U compinit && compinit -D -u
tell() { print -r -- "$BUFFER" >$TOLD.part; mv $TOLD.part $TOLD; BUFFER= }
zle -N tell
bindkey '^X' tell
"""


class Zsh:
    """An interactive shell, and what a line is after a TAB at its prompt."""

    def __init__(self, binary: Path, folder: Path) -> None:
        (folder / "functions").mkdir()
        (folder / "functions/_sekisho").write_text(script("zsh", binary))
        (folder / ".zshrc").write_text(ZSH.replace("$1", str(folder / "functions")))
        self.told = folder / "told"
        self.screen, shell = pty.openpty()
        path = f"{binary.parent}:{os.environ['PATH']}"
        environment = os.environ | {"ZDOTDIR": str(folder), "TOLD": str(self.told), "TERM": "vt100", "PATH": path}
        self.shell = subprocess.Popen(["zsh", "-d", "-i"], stdin=shell, stdout=shell, stderr=shell, env=environment, start_new_session=True)
        os.close(shell)

    def completed(self, line: str) -> str:
        self.told.unlink(missing_ok=True)
        os.write(self.screen, f"{line}\t\x18".encode())
        screen, deadline = b"", time.monotonic() + 300
        while not self.told.exists():
            assert time.monotonic() < deadline, screen.decode(errors="replace")
            if select.select([self.screen], [], [], 0.05)[0]:
                screen += os.read(self.screen, 4096)
        return self.told.read_text().removesuffix("\n")

    def close(self) -> None:
        self.shell.kill()
        self.shell.wait()
        os.close(self.screen)


@pytest.fixture
def zsh(sekisho: Any, tmp_path: Path) -> Iterator[Zsh]:
    zsh = Zsh(sekisho.binary, tmp_path)
    yield zsh
    zsh.close()


def test_zsh(zsh: Zsh, socket: Path, tmp_path: Path) -> None:
    def completed(line: str) -> str:
        before = f"sekisho --socket {socket} "
        return zsh.completed(before + line).removeprefix(before)

    assert completed("show routes --zone on") == "show routes --zone onprem "
    assert completed("next-hop drain firewall ") == "next-hop drain firewall 10.0.2.1", "as far as both members go"
    assert completed("rel") == "reload "
    (tmp_path / "here.toml").touch()
    assert completed(f"check {tmp_path}/here") == f"check {tmp_path}/here.toml "


def test_fish(sekisho: Any, socket: Path, tmp_path: Path) -> None:
    (tmp_path / "sekisho.fish").write_text(script("fish", sekisho.binary))

    def offered(line: str) -> list[str]:
        asks = 'source $argv[1]; complete --do-complete "$argv[2]"'
        done = subprocess.run(
            ["fish", "--no-config", "-c", asks, tmp_path / "sekisho.fish", f"sekisho --socket {socket} {line}"],
            capture_output=True, text=True, check=True, env=os.environ | {"PATH": f"{sekisho.binary.parent}:{os.environ['PATH']}"},
        )  # fmt: skip
        return [each.split("\t")[0] for each in done.stdout.splitlines()]

    assert offered("show routes --zone on") == ["onprem"]
    assert offered("next-hop drain firewall ") == ["10.0.2.10", "10.0.2.11"]
    assert offered("rel") == ["reload"]
    (tmp_path / "here.toml").touch()
    assert offered(f"check {tmp_path}/here") == [f"{tmp_path}/here.toml"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_of_all_programs_are_sound(shell: str, build: Path, sekisho: Any, tmp_path: Path) -> None:
    for program in (sekisho.binary, build / "control" / "sekisho-control"):
        text = script(shell, program)
        assert f"completion of {program.name}" in text
        (tmp_path / "script").write_text(text)
        subprocess.run([shell, "-n", tmp_path / "script"], check=True)
