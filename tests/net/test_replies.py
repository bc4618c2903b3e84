# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's replies leave by the port that was asked, whoever asked."""

from __future__ import annotations

import pytest
from lab import config
from lab.appliance import Appliance
from lab.topology import EGRESS, LAN, Lab

PROBE = "168.63.129.16"  # Azure's load balancer, on every port the same


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    device = 'device = "af_xdp:lan0"'
    appliance = Appliance(lab, config.adapted(lab, (device, f'{device}\ngateway = "10.0.1.1"')))
    appliance.start()
    return appliance


@pytest.mark.parametrize(("space", "address"), [("onprem", LAN), ("router", EGRESS)])
def test_a_probe_from_one_address_on_both_ports(lab: Lab, appliance: Appliance, space: str, address: str) -> None:
    """By the main table all replies would leave by `egress`, to the firewall."""
    lab[space].ip("address", "add", f"{PROBE}/32", "dev", "lo")
    assert " 3 received" in lab[space].run("ping", "-n", "-c", "3", "-i", "0.05", "-W", "2", "-I", PROBE, address)
    assert "via 10.0.2.10" in lab["nva"].ip("route", "get", PROBE)
