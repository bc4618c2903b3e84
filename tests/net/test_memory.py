# SPDX-License-Identifier: BSD-3-Clause
"""Where packets lie is what the kernel says, and AF_XDP forwards from there: without reserved hugepages in transparent ones, and
where the kernel makes none in 4 KB pages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import config
from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.topology import MACS, Lab
from scapy.layers.l2 import Ether

FRAMES = 3000  # more than the socket's rings hold: buffers come back and are used again
AT_ONCE = 500
# As the kernel does for all where transparent_hugepage/enabled is "never": prctl(PR_SET_THP_DISABLE, 1), which exec keeps.
NEVER = (
    sys.executable,
    "-c",
    "import ctypes, os, sys; assert ctypes.CDLL(None).prctl(41, 1, 0, 0, 0) == 0; os.execvp(sys.argv[1], sys.argv[1:])",
)
MODES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


@pytest.fixture(scope="module", params=["transparent", "4k"])
def pages(request: pytest.FixtureRequest) -> Iterator[Any]:
    never = request.param == "transparent" and "[never]" in MODES.read_text()
    if never:
        MODES.write_text("madvise")
    yield request.param
    if never:
        MODES.write_text("never")


@pytest.fixture(scope="module")
def appliance(lab: Lab, pages: str) -> Iterator[Appliance]:
    appliance = Appliance(lab, config.adapted(lab))
    appliance.dataplane_options = ["--no-huge"]
    appliance.dataplane_wrapper = list(NEVER) if pages == "4k" else []
    appliance.start()
    yield appliance
    appliance.stop()


def test_af_xdp_forwards_from_there(lab: Lab, appliance: Appliance, onprem: Injector) -> None:
    with Capture(lab, "fabric", "nva-egress0") as seen:
        for count in range(AT_ONCE, FRAMES + 1, AT_ONCE):
            for _ in range(AT_ONCE):
                onprem.send(frame())
            assert {packet[Ether].dst for packet in seen.wait(count)} == {MACS["firewall", "inside"]}


def test_the_kernels_word_is_given(appliance: Appliance, pages: str) -> None:
    memory = appliance.json("show", "state")["dataplane"]["packet_memory"]
    assert memory["bytes"] > 150 << 20  # three quarters of --memory
    assert memory["reserved_hugepage_bytes"] == 0
    assert (memory["transparent_hugepage_bytes"] > 0) == (pages == "transparent")
    assert appliance.dataplane is not None
    if pages == "4k":
        said = "MB of packets lie in 4 KB pages"
        assert memory["transparent_hugepage_bytes"] == 0
        assert appliance.dataplane.output().count(said) == 1
        assert said in appliance.execute("doctor").stdout
    row = next(line for line in appliance.execute("show", "state").stdout.splitlines() if "packet memory" in line)
    assert ("in 4 KB pages" if pages == "4k" else "in transparent hugepages") in row
