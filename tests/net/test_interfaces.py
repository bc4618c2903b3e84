# SPDX-License-Identifier: BSD-3-Clause
"""What the kernel does to an interface while a port runs on it."""

from __future__ import annotations

from lab.appliance import Appliance
from lab.frames import Capture, Injector, frame
from lab.process import wait_until
from lab.topology import EGRESS, MACS, Lab


def test_another_mac(lab: Lab, appliance: Appliance) -> None:
    """The port is opened again: it would refuse frames for the new address, and send with the old."""
    for mac in ("02:00:00:00:01:99", MACS["nva", "lan0"]):
        lab["nva"].ip("link", "set", "lan0", "address", mac)
        wait_until(f"port lan with {mac}", lambda mac=mac: appliance.ports()["lan"].get("mac") == mac)
        lab["onprem"].ip("neighbour", "flush", "dev", "eth0")
        wait_until("all is well", appliance.ready)
        assert "Hello" in lab.fetch()


def test_an_interface_goes_and_another_of_its_name_comes(lab: Lab, appliance: Appliance) -> None:
    lab["nva"].ip("link", "delete", "egress0")
    wait_until("port egress has failed", lambda: not appliance.ports()["egress"]["running"])
    assert appliance.ports()["lan"]["running"], "other ports go on"
    assert "egress0" in appliance.ports()["egress"]["error"]
    lab.connect("nva", "egress0", "egress-br", f"{EGRESS}/24")
    appliance.wait_ready()
    assert "Hello" in lab.fetch()


def test_what_comes_while_an_interface_is_down_is_not_sent_later(lab: Lab, appliance: Appliance) -> None:
    """With nobody there to say that the neighbours are dead: a socket keeps what it is given until its interface is up."""
    assert appliance.dataplane is not None
    injector = Injector(lab)
    appliance.kill_control()
    lab["nva"].ip("link", "set", "egress0", "down")
    try:
        wait_until("a look at it", lambda: "nothing is sent by it until it is up" in appliance.dataplane.output())
        injector.send(frame(), 50)
        with Capture(lab, "firewall", "inside") as late:
            lab["nva"].ip("link", "set", "egress0", "up")
            lab["nva"].ip("address", "replace", f"{EGRESS}/24", "dev", "egress0")

            def passes() -> bool:
                injector.send(frame(ttl=9))
                return any(packet.ttl == 8 for packet in late.read())

            wait_until("new ones", passes)
        assert all(packet.ttl == 8 for packet in late.frames), "what was sent while the interface was down"
    finally:
        lab["nva"].ip("link", "set", "egress0", "up")
        injector.close()
        appliance.start_control()
        appliance.wait_ready()
    assert "Hello" in lab.fetch()
