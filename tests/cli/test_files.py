# SPDX-License-Identifier: BSD-3-Clause
"""Files that are none, and files without routes, given to every command that reads any."""

import json
import os
import subprocess

import pytest

EMPTY = "holds no route and nothing else: a command that fails leaves such a file"
PIPE = "is a pipe (FIFO), and only a regular file is read"
CONFIG = """\
[port.lan]
device = "af_xdp:sekisho-none"
[next_hop.firewall]
members = ["10.0.2.10"]
[azure]
{azure}
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
routes = [{{ prefix = "10.1.0.0/16", next_hop = "firewall" }}, {routes}]
"""


@pytest.fixture
def config(tmp_path):
    def write(routes="", azure=""):
        file = tmp_path / "sekisho.toml"
        file.write_text(CONFIG.format(routes=routes, azure=azure))
        return file

    return write


@pytest.fixture
def pipe(tmp_path):
    """A FIFO that nobody writes to: who opens it waits for ever."""
    file = tmp_path / "pipe"
    os.mkfifo(file)
    return file


@pytest.fixture
def empty(tmp_path):
    file = tmp_path / "empty.json"
    file.touch()
    return file


def commands(file):
    """Every command that reads route files without a configuration."""
    return [
        ["lookup", "--routes", file, "1.1.1.1"],
        ["routes", "convert", file],
        ["diff", file, file],
        ["check", "--routes", file],
        ["effective-routes", "--vnet", "10.1.0.0/16", "--routes", file],
        ["effective-routes", "--vnet", "10.1.0.0/16", "--gateway-routes", file],
    ]


def of_zone(file):
    """Every command that reads a configuration, and its route files with it."""
    return [
        ["check", "--config", file],
        ["explain", "--config", file, "172.16.0.1", "10.1.0.1"],
        ["effective-routes", "--config", file, "--zone", "onprem"],
        ["diff", f"{file}:onprem", f"{file}:onprem"],
    ]


def test_no_command_waits_for_a_pipe(sekisho, config, pipe):
    for command in [*commands(pipe), *of_zone(pipe)[:3], *of_zone(config(routes='"pipe"'))]:
        done = sekisho(*command)
        assert done.returncode == 1 and f"{pipe}: {PIPE}" in done.stderr, (command, done)


def test_no_command_waits_for_service_tags(sekisho, config, pipe, tmp_path):
    routes = tmp_path / "udr.json"
    routes.write_text('{"routes": [{"addressPrefix": "AzureCloud", "nextHopType": "None"}]}')
    reads = of_zone(config(azure='service_tags = "pipe"'))
    reads += [["routes", "convert", "--tags", pipe, routes], ["diff", "--service-tags", pipe, routes, routes],
              ["check", "--routes", routes, "--service-tags", pipe]]
    for command in reads:
        done = sekisho(*command)
        assert done.returncode == 1 and f"{pipe}: {PIPE}" in done.stderr, (command, done)


def test_a_file_without_routes_is_an_error_unless_it_is_meant(sekisho, empty):
    for command in commands(empty):
        done = sekisho(*command)
        assert done.returncode == 1 and f"{empty}: {EMPTY}" in done.stderr, (command, done)
        done = sekisho(command[0], *(["convert"] if command[0] == "routes" else []), "--allow-empty",
                       *command[2 if command[0] == "routes" else 1:])
        assert (done.returncode, done.stderr) == (0, ""), (command, done)


def test_a_file_of_a_zone_without_routes_is_an_error_unless_it_is_meant(sekisho, config, empty):
    for command in of_zone(config(routes='"empty.json"')):
        done = sekisho(*command)
        assert done.returncode == 1 and f"{empty}: {EMPTY}" in done.stderr, (command, done)
    for command in of_zone(config(routes='{ file = "empty.json", allow_empty = true }')):
        assert sekisho(*command).returncode == 0, command


def test_check_names_the_rule(sekisho, config, empty):
    done = sekisho("--json", "check", "--config", config(routes='"empty.json"'))
    assert [finding["rule"] for finding in json.loads(done.stdout)["findings"]] == ["refused"]


def test_a_directory_as_standard_input_is_an_error(sekisho, tmp_path):
    routes = tmp_path / "routes.txt"
    routes.write_text("10.0.0.0/8 a\n")
    folder = os.open(tmp_path, os.O_RDONLY)
    done = subprocess.run([sekisho.binary, "lookup", "--routes", routes, "-"], stdin=folder, capture_output=True, text=True,
                          timeout=60)
    os.close(folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "sekisho: standard input: cannot be read: Is a directory\n"
