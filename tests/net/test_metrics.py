# SPDX-License-Identifier: BSD-3-Clause
"""What Prometheus gets: real traffic is counted exactly, states follow what happens, reloads move the server."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import config
from lab.account import Account
from lab.appliance import ROOT, Appliance, Refused
from lab.frames import Injector, frame
from lab.metrics import LISTEN, Scrape, fetch
from lab.process import CommandError, wait_until
from lab.topology import FIREWALL, STREAM, Lab

pytestmark = pytest.mark.usefixtures("manuals_neighbour_timers")

PREFIX = "sekisho-metrics-test"
TELEMETRY = Path("/run/dpdk") / PREFIX / "dpdk_telemetry.v2"
# Of an FRR that does not run: what is to be said of its sessions is known all the same.
BGP = '\n[bgp]\nasn = 65010\nfrr = "sk-nobody"\npeer = [{ address = "10.0.3.4", asn = 65515 }]\n'
METRICS = f'\n[metrics]\nlisten = "{LISTEN}"\n'


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Iterator[Appliance]:
    probed = f'members = ["{FIREWALL}"]\nprobe = {{ type = "icmp", hold = "0s" }}'
    file = config.adapted(lab, (f'members = ["{FIREWALL}"]', probed))
    file.write_text(file.read_text() + METRICS)
    appliance = Appliance(lab, file)
    appliance.dataplane_options = ["--log-format", "json", "--telemetry", "--file-prefix", PREFIX]
    appliance.control_options = ["--log-format", "json"]
    appliance.start()
    yield appliance
    appliance.stop()
    shutil.rmtree(TELEMETRY.parent)


@pytest.fixture(autouse=True)
def restored(appliance: Appliance) -> Iterator[None]:
    text = appliance.config.read_text()
    yield
    appliance.config.write_text(text)
    appliance.reload()


def eventually(lab: Lab, value: float | None, name: str, **labels: str) -> None:
    wait_until(f"{name}{labels} to be {value}", lambda: Scrape.take(lab)(name, **labels) == value)


def test_both_formats_say_the_same(lab: Lab, appliance: Appliance) -> None:
    changing = re.compile("sekisho_worker_|sekisho_port_steering_packets|sekisho_member_probe_round_trip_seconds")
    new, old = (Scrape.take(lab, plain=plain) for plain in (False, True))
    assert new.names() == old.names()
    same = [
        {key: value for key, value in scrape.samples().items() if not changing.match(key[0])}
        for scrape in (new, old)
    ]
    assert same[0] == same[1]
    for name, family in new.families.items():
        assert family.documentation.endswith("."), name
        if name.endswith(("_bytes", "_seconds", "_packets")):
            assert family.unit == name.rsplit("_", 1)[1], name


def test_counters_are_what_was_sent(
    lab: Lab, appliance: Appliance, account: Account, onprem: Injector
) -> None:
    before = Scrape.take(lab)
    passes, refused = frame(size=200), frame(destination="192.168.7.7", size=100)
    onprem.send(passes, 100)
    onprem.send(refused, 7)
    account.expect({"lan.steer.redirected": 107, "lan.rx": 107, "lan.drop.null_route": 7, "egress.tx": 100})
    after = Scrape.take(lab)

    def grown(name: str, **labels: str) -> float:
        now, then = after(name, **labels), before(name, **labels)
        assert now is not None and then is not None, (name, labels)
        return now - then

    size, refused_size = len(bytes(passes)), len(bytes(refused))
    assert grown("sekisho_port_rx_packets_total", port="lan") == 107
    assert grown("sekisho_port_rx_bytes_total", port="lan") == 100 * size + 7 * refused_size
    assert grown("sekisho_port_tx_packets_total", port="egress") == 100
    assert grown("sekisho_port_tx_bytes_total", port="egress") == 100 * size
    assert grown("sekisho_port_steering_packets_total", port="lan", verdict="redirected") == 107
    assert grown("sekisho_drops_total", port="lan", by="dataplane", reason="null_route") == 7
    assert grown("sekisho_drops_total", port="lan", by="dataplane", reason="no_route") == 0
    assert grown("sekisho_zone_packets_total", zone="onprem") == 107
    assert grown("sekisho_next_hop_packets_total", next_hop="firewall") == 100
    assert grown("sekisho_next_hop_packets_total", next_hop="None") == 7
    assert grown("sekisho_adjacency_packets_total", port="egress", address=FIREWALL) == 100
    assert grown("sekisho_port_rx_packets_total", port="egress") == 0


def test_the_books_of_the_command_line_agree(lab: Lab, appliance: Appliance) -> None:
    scrape, stats = Scrape.take(lab), appliance.stats()
    for port in stats["ports"]:
        assert scrape("sekisho_port_rx_packets_total", port=port["name"]) == port["rx"]
        assert scrape("sekisho_port_tx_bytes_total", port=port["name"]) == port["tx_bytes"]
        assert scrape("sekisho_port_missed_packets_total", port=port["name"]) == port["missed"]
    for zone in appliance.json("show", "zones"):
        assert scrape("sekisho_table_routes", table=zone["name"]) == zone["table"]["routes"]
        assert scrape("sekisho_table_memory_bytes", table=zone["name"]) == zone["table"]["memory_bytes"]
    state = appliance.json("show", "state")
    assert scrape("sekisho_dataplane_transactions_total") == state["dataplane"]["transaction"]
    assert scrape("sekisho_build_info", version=state["control"]["version"]) == 1


def test_a_dead_firewall(lab: Lab, appliance: Appliance) -> None:
    eventually(lab, 1, "sekisho_next_hop_up", next_hop="firewall")
    lab.link_down("firewall")
    try:
        eventually(lab, 0, "sekisho_next_hop_up", next_hop="firewall")
        scrape = Scrape.take(lab)
        assert scrape("sekisho_next_hop_members", next_hop="firewall", state="alive") == 0
        assert scrape("sekisho_next_hop_members", next_hop="firewall", state="down") == 1
        assert scrape("sekisho_adjacency_up", port="egress", address=FIREWALL) == 0
    finally:
        lab.link_up("firewall")
    eventually(lab, 1, "sekisho_next_hop_up", next_hop="firewall")


def test_a_link_that_is_down(lab: Lab, appliance: Appliance) -> None:
    assert Scrape.take(lab)("sekisho_port_up", port="lan") == 1
    lab["fabric"].ip("link", "set", "nva-lan0", "down")
    try:
        eventually(lab, 0, "sekisho_port_up", port="lan")
        assert Scrape.take(lab)("sekisho_port_up", port="egress") == 1
    finally:
        lab["fabric"].ip("link", "set", "nva-lan0", "up")
    eventually(lab, 1, "sekisho_port_up", port="lan")


def test_reloads_are_counted(lab: Lab, appliance: Appliance) -> None:
    before = Scrape.take(lab)
    good = appliance.config.read_text()
    appliance.config.write_text(good + "[zone.x]\n")
    with pytest.raises(Refused):
        appliance.reload()
    failed = Scrape.take(lab)
    count, when = "sekisho_config_reloads_total", "sekisho_config_last_reload_success_timestamp_seconds"
    assert failed(count, result="failure") == (before(count, result="failure") or 0) + 1
    assert failed("sekisho_config_last_reload_successful") == 0
    assert failed(when) == before(when)
    appliance.config.write_text(good)
    appliance.reload()
    after = Scrape.take(lab)
    assert after(count, result="success") == (before(count, result="success") or 0) + 1
    assert after("sekisho_config_last_reload_successful") == 1
    assert (after(when) or 0) > (before(when) or 0)


def test_a_reload_moves_the_server(lab: Lab, appliance: Appliance) -> None:
    good = appliance.config.read_text()
    appliance.config.write_text(good.replace(LISTEN, "127.0.0.2:9274"))
    appliance.reload()
    assert Scrape.take(lab, "127.0.0.2:9274")("sekisho_dataplane_connected") == 1
    with pytest.raises(CommandError, match="onnect"):
        fetch(lab, LISTEN)
    appliance.config.write_text(good.replace(METRICS, ""))
    appliance.reload()
    with pytest.raises(CommandError, match="onnect"):
        fetch(lab, "127.0.0.2:9274")
    appliance.config.write_text(good)
    appliance.reload()
    assert Scrape.take(lab)("sekisho_dataplane_connected") == 1


def test_an_address_that_is_taken(lab: Lab, appliance: Appliance) -> None:
    """At a reload all stays as it was. At the start it keeps nothing down, and is tried until it is free."""
    good = appliance.config.read_text()
    line = good[: good.index("\nlisten =")].count("\n") + 2
    taken = "127.0.0.3:9275"
    with lab["nva"].socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.3", 9275))
        other.listen()
        appliance.config.write_text(good.replace(LISTEN, taken))
        reason = f"{appliance.config}:{line}: metrics cannot be served on {taken}: Address already in use"
        with pytest.raises(Refused, match=re.escape(reason)):
            appliance.reload()
        assert Scrape.take(lab)("sekisho_config_last_reload_successful") == 0
        appliance.kill_dataplane()
        appliance.kill_control()
        appliance.start()
        assert appliance.control is not None and reason in appliance.control.output()
        assert lab.fetch()
        appliance.reload()  # that it still has no metrics refuses no other change
    wait_until("metrics to be served", lambda: served(lab, taken), timeout=70)
    assert Scrape.take(lab, taken)("sekisho_dataplane_connected") == 1


def test_an_address_that_is_not_there_yet(lab: Lab, appliance: Appliance) -> None:
    """DHCP brings it later, say."""
    good = appliance.config.read_text()
    late = "192.0.2.1:9273"
    appliance.config.write_text(good.replace(LISTEN, late))
    appliance.reload()
    lab["nva"].ip("address", "add", "192.0.2.1/32", "dev", "lo")
    try:
        assert Scrape.take(lab, late)("sekisho_dataplane_connected") == 1
    finally:
        lab["nva"].ip("address", "delete", "192.0.2.1/32", "dev", "lo")


def served(lab: Lab, listen: str) -> bool:
    try:
        return bool(fetch(lab, listen))
    except CommandError:
        return False


def test_without_a_dataplane(lab: Lab, appliance: Appliance) -> None:
    started = Scrape.take(lab)("sekisho_dataplane_start_time_seconds")
    appliance.kill_dataplane()
    eventually(lab, 0, "sekisho_dataplane_connected")
    assert Scrape.take(lab)("sekisho_port_up", port="lan") is None
    assert Scrape.take(lab)("sekisho_start_time_seconds") is not None
    appliance.start_dataplane()
    appliance.wait_ready()
    after = Scrape.take(lab)
    assert after("sekisho_dataplane_connected") == 1
    assert (after("sekisho_dataplane_start_time_seconds") or 0) > (started or 0)


def test_a_dataplane_that_hangs(lab: Lab, appliance: Appliance) -> None:
    """The scraper is told, and control goes on."""
    assert appliance.dataplane is not None
    appliance.dataplane.send(signal.SIGSTOP)
    try:
        with pytest.raises(CommandError, match="503"):
            fetch(lab)
        assert appliance.execute("show", "neighbours").returncode == 0
    finally:
        appliance.dataplane.send(signal.SIGCONT)
    eventually(lab, 1, "sekisho_dataplane_connected")


def test_every_metric_of_the_dashboard_is_there(lab: Lab, appliance: Appliance) -> None:
    dashboard = json.loads((ROOT / "scripts/packaging/grafana/sekisho.json").read_text())
    assert dashboard["schemaVersion"] >= 36 and dashboard["uid"] and dashboard["title"]
    identities = [panel["id"] for panel in dashboard["panels"]]
    assert len(identities) == len(set(identities))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    expressions += [
        variable["definition"] for variable in dashboard["templating"]["list"] if "definition" in variable
    ]
    assert len(expressions) > 10
    text = appliance.config.read_text().replace("routes   = [\n", 'routes   = [\n  "bgp",\n', 1)
    appliance.config.write_text(text + BGP)
    appliance.reload()
    eventually(lab, 0, "sekisho_learned_routes")
    scrape = Scrape.take(lab)
    labels = {(name, label) for name, pairs in scrape.samples() for label, _ in pairs}
    for expression in expressions:
        used = re.findall(r"sekisho_\w+", expression)
        assert used and set(used) <= scrape.names(), expression
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            name = re.findall(r"sekisho_\w+", target["expr"])[0]
            for label in set(re.findall(r"{{(\w+)}}", target["legendFormat"])) - {"instance"}:
                assert (name, label) in labels, (panel["title"], label)


def telemetry(command: str) -> Any:
    """As dpdk-telemetry.py asks: a greeting, then a question and its answer, each a packet."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(5)
        client.connect(str(TELEMETRY))
        assert json.loads(client.recv(1024))["version"].startswith("DPDK ")
        client.send(command.encode())
        return json.loads(client.recv(16384))


def test_the_telemetry_of_dpdk(lab: Lab, appliance: Appliance, account: Account, onprem: Injector) -> None:
    before = {
        port: telemetry(f"/ethdev/stats,{port}")["/ethdev/stats"]
        for port in telemetry("/ethdev/list")["/ethdev/list"]
    }
    assert len(before) == 2
    onprem.send(frame(destination=STREAM), 50)
    account.forwarded("lan", "egress", 50)
    after = {port: telemetry(f"/ethdev/stats,{port}")["/ethdev/stats"] for port in before}
    grown = {
        (way, after[port][way] - before[port][way]) for port in before for way in ("ipackets", "opackets")
    }
    assert grown == {("ipackets", 50), ("ipackets", 0), ("opackets", 50), ("opackets", 0)}


def test_logs_are_lines_of_json(lab: Lab, appliance: Appliance) -> None:
    for process, program in (
        (appliance.control, "sekisho-control"),
        (appliance.dataplane, "sekisho-dataplane"),
    ):
        assert process is not None
        records = [json.loads(line) for line in process.output().splitlines()]
        assert records
        for record in records:
            assert list(record) == ["time", "level", "program", "message"]
            assert record["program"] == program and record["level"] in ("debug", "info", "warning", "error")
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])
