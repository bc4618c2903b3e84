# SPDX-License-Identifier: BSD-3-Clause
"""What the package is, without running its services."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lab.appliance import BUILD
from lab.process import execute, run

PROGRAMS = {"sekisho": "usr/bin", "sekisho-control": "usr/sbin", "sekisho-dataplane": "usr/sbin"}
# systemd's measure, 0.0 (nothing allowed) to 10.0. The dataplane is root and reaches hardware.
EXPOSURE = {"guard": 1.9, "control": 2.1, "dataplane": 4.5, "bgp-watch": 1.5}


def test_lintian_has_nothing_to_say(package: Path) -> None:
    done = execute("lintian", "--fail-on", "error,warning", "--tag-display-limit", "0", package)
    assert done.returncode == 0, done.stdout + done.stderr


def test_version_is_the_programs(package: Path, root: Path) -> None:
    built = json.loads(run(BUILD / "control/sekisho", "version", "--json"))["version"]
    assert run("dpkg-deb", "--field", package, "Version").strip() == built
    assert json.loads(run("chroot", root, "sekisho", "version", "--json"))["version"] == built


def test_every_program_with_its_page_and_completion(root: Path) -> None:
    for program, folder in PROGRAMS.items():
        section = 8 if folder == "usr/sbin" else 1
        assert run("chroot", root, f"/{folder}/{program}", "--version").strip()
        assert (root / f"usr/share/man/man{section}/{program}.{section}.gz").is_file()
        assert (root / f"usr/share/bash-completion/completions/{program}").is_file()
        assert (root / f"usr/share/zsh/vendor-completions/_{program}").is_file()
        assert (root / f"usr/share/fish/vendor_completions.d/{program}.fish").is_file()
    assert (root / "usr/share/man/man7/sekisho-check.7.gz").is_file()
    assert (root / "usr/share/man/man5/sekisho.toml.5.gz").is_file()


def test_every_command_has_its_page(root: Path) -> None:
    listed = re.search(r"^Subcommands:\n((?:  .*\n?)+)", run(BUILD / "control/sekisho", "--help"), re.M)
    assert listed is not None
    names = {f"sekisho-{name}.1.gz" for name in re.findall(r"^  (\S+)", listed.group(1), re.M)}
    assert {file.name for file in (root / "usr/share/man/man1").glob("sekisho*")} == names | {"sekisho.1.gz"}


def test_what_lies_beside_the_programs(package: Path, root: Path) -> None:
    dashboard = json.loads((root / "usr/share/sekisho/grafana/sekisho.json").read_text())
    assert dashboard["panels"]
    assert (
        list((root / "usr/share/doc/sekisho").glob("try.md*"))
        and (root / "usr/share/doc/sekisho/examples/halves.toml").exists()
    )
    assert "nftables" in [word.split()[0] for word in run("dpkg-deb", "--field", package, "Depends").split(", ")]
    assert run("chroot", root, "nft", "--version")


def test_bind_nic_with_its_page_and_completion(root: Path) -> None:
    assert "--unbind" in run("chroot", root, "/usr/sbin/sekisho-bind-nic", "--help")
    assert (root / "usr/share/man/man8/sekisho-bind-nic.8.gz").is_file()
    assert complete(root, "sekisho-bind-nic", "--un") == ["--unbind"]


def test_nothing_is_a_conffile(package: Path) -> None:
    """dpkg would ask before it replaces what was edited, and a noninteractive upgrade would end there."""
    assert "conffiles" not in [
        line.split()[-1] for line in run("dpkg-deb", "--info", package).splitlines() if line.startswith(" ")
    ]


def complete(root: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words."""
    program = words[0]
    function = "_" + program.replace("-", "_")
    script = (
        f'source {root}/usr/share/bash-completion/completions/{program}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        f'{function}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    return run("bash", "-c", script, "bash", *words).split()


def test_completion_offers_the_commands(root: Path) -> None:
    listed = re.search(r"^Subcommands:\n((?:  .*\n?)+)", run(BUILD / "control/sekisho", "show", "--help"), re.M)
    assert listed is not None
    names = re.findall(r"^  (\S+)", listed.group(1), re.M)
    assert [word for word in complete(root, "sekisho", "show", "") if not word.startswith("-")] == names


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("sekisho", "rel"), ["reload"]),
        (("sekisho", "show", "drops", "--a"), ["--all"]),
        (("sekisho", "show", "drops", "--js"), ["--json"]),
        (("sekisho", "guard", "on", "--config", "/etc/debian_v"), ["/etc/debian_version"]),
        (("sekisho", "lookup", "--zone", ""), []),
        (("sekisho-control", "--log-level", "w"), ["warning"]),
        (("sekisho-dataplane", "--wor"), ["--workers"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_completion(root: Path, words: tuple[str, ...], offered: list[str]) -> None:
    assert sorted(complete(root, *words)) == offered


def test_units_are_sound(root: Path) -> None:
    units = [f"/lib/systemd/system/sekisho-{name}.service" for name in EXPOSURE] + [
        "/lib/systemd/system/sekisho.target"
    ]
    done = execute("chroot", root, "systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", EXPOSURE)
def test_unit_allows_little(root: Path, name: str) -> None:
    done = execute(
        "chroot", root, "systemd-analyze", "security", "--no-pager", "--offline=true",
        f"--threshold={EXPOSURE[name] * 10:.0f}", f"/lib/systemd/system/sekisho-{name}.service",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
