# SPDX-License-Identifier: BSD-3-Clause
"""Manual pages, made as the build makes them: man has nothing to say about any, and none lacks what is looked for in it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOC = Path(__file__).resolve().parents[2] / "doc"
PROGRAMS = {
    "control/sekisho": "1",
    "control/sekisho-control": "8",
    "dataplane/sekisho-dataplane": "8",
    "scripts/sekisho-bind-nic": "8",
}
# What sekisho(1), and each program's page, has to have.
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO"]


@pytest.fixture(scope="module")
def pages(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for program, section in PROGRAMS.items():
        commands = ["--commands"] if program == "control/sekisho" else []
        subprocess.run([DOC / "manual.py", build / program, section, "1", "does what it does", folder, *commands], check=True)
    for name, words in (("sekisho-check.7", ["rules.py"]), ("sekisho.toml.5", ["keys_page.py"])):
        done = subprocess.run([DOC / words[0], build / "control/sekisho", "1"], check=True, capture_output=True)
        (folder / name).write_bytes(done.stdout)
    return folder


def headings(page):
    return re.findall(r"^\.SH (.+)$", page.read_text(), re.MULTILINE)


def shown(page):
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", page], capture_output=True, text=True, env={"MANWIDTH": "80", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    )  # fmt: skip
    assert done.returncode == 0
    return done


def test_man_warns_of_none(pages):
    said = {page.name: shown(page).stderr for page in pages.glob("*.[1578]")}
    assert len(said) > 25
    assert {name: text for name, text in said.items() if text} == {}


def test_programs_have_every_section(pages):
    for program, section in PROGRAMS.items():
        found = headings(pages / f"{Path(program).name}.{section}")
        assert [each for each in SECTIONS if each not in found] == [], program
    assert {"COMMANDS", "ENVIRONMENT"} <= set(headings(pages / "sekisho.1"))


def test_each_command_has_a_page_with_its_options(pages, sekisho):
    sys.path.insert(0, str(DOC))
    import program_help

    listed = program_help.subcommands(sekisho("--help").stdout)
    assert sorted(f"sekisho-{name}.1" for name in listed) == (pages / "commands.list").read_text().split()
    overview = shown(pages / "sekisho.1").stdout
    for name in listed:
        assert f"sekisho-{name}(1)" in overview
        page = pages / f"sekisho-{name}.1"
        assert {"NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "SEE ALSO"} <= set(headings(page)), name
        text = shown(page).stdout
        for option in program_help.options(sekisho(name, "--help").stdout):
            assert option in text, (name, option)


def test_a_page_of_a_command_that_is_gone_goes(pages, build):
    (pages / "sekisho-gone.1").write_text("")
    subprocess.run([DOC / "manual.py", build / "control/sekisho", "1", "1", "does what it does", pages, "--commands"], check=True)
    assert not (pages / "sekisho-gone.1").exists()


def test_the_configuration_has_each_key_with_its_facts(pages):
    text = re.sub(r"\s+", " ", shown(pages / "sekisho.toml.5").stdout)
    assert "[next_hop.NAME.probe]" in text
    assert 'interval time; default "500ms"; 50ms to 1h. From one probe to the next. interval = "1s"' in text
    assert 'device string; required.' in text
