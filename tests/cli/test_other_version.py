# SPDX-License-Identifier: BSD-3-Clause
"""Answers of a sekisho-control of another version: one that lacks something is refused with one sentence, where it is needed;
it is never a crash, and never taken for good news."""

import copy

import pytest
from control_socket import ControlSocket

ROUTE = {"zone": "onprem", "prefix": "0.0.0.0/0", "next_hop": "firewall", "next_hop_type": "VirtualAppliance", "origin": "User",
         "source": "routes.txt", "name": None, "file": "routes.txt", "line": 3}  # fmt: skip
MEMBER = {"address": "10.0.2.10", "port": "egress", "mac": "02:00:00:00:00:01", "alive": True, "why": "REACHABLE",
          "traffic": {"packets": 1, "bytes": 60}}  # fmt: skip
EXIT = {"port": "egress", "interface": "eth1", "address": "10.0.2.4", "gateway": "10.0.2.1", "ready": True, "why": "ready"}
COUNTED = {"packets": 1, "bytes": 60}
ACCOUNT = dict.fromkeys(("arrived", "rx", "generated", "steer_passed", "steer_dropped", "steer_before", "tx", "host", "held",
                         "waiting", "drops", "missed"), 1)  # fmt: skip
CHANGES = {"added": ["a"], "removed": [], "changed": []}
PLAN = {"ports": CHANGES, "next_hops": CHANGES, "zones": CHANGES, "routes": {"added": 1, "changed": 0, "removed": 0},
        "exit": {"before": None, "after": "egress"}, "metrics": {"before": None, "after": None},
        "health": {"before": None, "after": "10.0.1.4:8080"}, "web": {"before": None, "after": None},
        "hook": {"before": None, "after": None}, "overrides_dropped": 1,
        "warnings": ["w"], "refusals": []}  # fmt: skip
STATE = {
    "verdict": "forwarding", "reasons": [], "severity": "ok", "draining": None, "problems": [],
    "dataplane": {"connected": True, "version": "1", "uptime_seconds": 1, "transaction": 1, "commanded_by": 7, "lcores": [1],
                  "packet_memory": {"bytes": 4096, "reserved_hugepage_bytes": 0, "transparent_hugepage_bytes": 0},
                  "table_memory_bytes": 1},
    "control": {"version": "1", "uptime_seconds": 1, "configuration": "x.toml", "ports": 1, "zones": 1, "candidate_routes": 1},
    "warnings": [],
}  # fmt: skip
PROBLEM = {"kind": "files_changed", "severity": "warning", "subject": None, "sentence": "s", "remedy": "r"}
PORTS = [{"name": "lan", "device": "af_xdp:eth0", "interface": "eth0", "findings": [], "companion": None, "gateway": None,
          "link": "up", "running": True, "error": None, "driver": "net_af_xdp", "mac": "02:00:00:00:00:02", "mtu": 1500,
          "rx_queues": 1, "tx_queues": 1, "lcores": [1], "rx": COUNTED, "tx": COUNTED, "addresses": ["10.0.1.4/24"],
          "zones": ["onprem"]}]  # fmt: skip
ZONES = [{"name": "onprem", "ports": ["lan"], "sources": ["172.16.0.0/12"], "internet": True, "connected": False, "routes": 1,
          "duplicates": 0, "table": {"routes": 1, "extension_tables": 0}, "traffic": COUNTED}]  # fmt: skip
NEXT_HOPS = [
    {"name": "firewall", "action": "forward", "alive": 1, "members": [MEMBER], "index": 1, "alive_in_dataplane": 1, "traffic": COUNTED},
    {"name": "Internet", "action": "exit", "alive": 1, "members": [], "exit": EXIT, "traffic": COUNTED},
]
DROPS = [{"port": "lan", "by": "dataplane", "reason": "no_route", "packets": 1, "sentence": "s"}]
EXPLANATION = {
    "source": "172.16.0.1", "destination": "1.1.1.1", "port": "lan", "zone": "onprem", "source_prefix": "172.16.0.0/12",
    "zone_ports": ["lan"], "port_allowed": True, "candidates": [{**ROUTE, "wins": True, "why": "longest prefix"}],
    "next_hop": "firewall", "members": [MEMBER], "exit": EXIT, "drop_reason": None, "verdict": "forward", "sentence": None,
    "fault": False, "before_tables": False,
    "dataplane": {"agrees": True, "differences": [], "adjacency": {"address": "10.0.2.10", "port": "egress"}},
}  # fmt: skip
RELOADED = {
    "applied": True, "transaction": 7, "ports_changed": 0, "next_hops_changed": 0, "adjacencies_changed": 0,
    "zones_changed": 0, "routes_added": 0, "routes_changed": 0, "routes_removed": 0, "failed_ports": [],
    "overrides_dropped": 1, "warnings": ["w"],
}  # fmt: skip
EFFECTIVE = {"addressPrefix": ["0.0.0.0/0"], "destinationServiceTags": [], "name": None, "nextHopIpAddress": ["10.0.2.10"],
             "nextHopType": "VirtualAppliance", "source": "User", "state": "Invalid", "tagMap": {},
             "overriddenBy": {"addressPrefix": ["0.0.0.0/0"], "nextHopIpAddress": [], "nextHopType": "None",
                              "source": "User"}}  # fmt: skip
WHOLE = {
    ("show", "state"): [STATE],
    ("show", "ports"): [PORTS],
    ("show", "zones"): [ZONES],
    ("show", "next-hops"): [NEXT_HOPS],
    ("show", "routes"): [[ROUTE]],
    ("show", "neighbours"): [[{"port": "lan", "address": "10.0.1.1", "mac": None, "state": "FAILED", "usable": False,
                               "next_hops": ["x"]}]],
    ("show", "drops"): [DROPS],
    ("show", "stats"): [{"ports": [{"name": "lan", **ACCOUNT, "rx_bytes": 60, "tx_bytes": 60, "steering_restored": 0, "steer": {}}],
                         "total": ACCOUNT, "balance": {"in": 1, "out": 1, "unaccounted": 0, "adds_up": True}, "workers": []}],
    ("show", "config"): [{"file": "x.toml", "read_unix_ms": 1000, "files": [{"file": "x.toml", "since_read": "unchanged"}],
                          "overrides": [{"zone": "onprem", "prefix": "1.1.1.1/32", "next_hop": None}], "reload": PLAN}],
    ("explain", "172.16.0.1", "1.1.1.1"): [EXPLANATION],
    ("lookup", "--zone", "onprem", "1.1.1.1"): [[{"address": "1.1.1.1", "prefix": "0.0.0.0/0", "next_hop": "firewall"}]],
    ("reload",): [RELOADED],
    ("route", "del", "--zone", "onprem", "1.1.1.1/32"): [RELOADED],
    ("reload", "--dry-run"): [PLAN, [{"change": "+", "zone": "onprem", "prefix": "1.1.1.1/32", "before": "", "after": "x"}]],
    ("effective-routes", "--zone", "onprem", "--winners"): [[EFFECTIVE]],
    ("diff", "running:onprem", "running:onprem"): [[ROUTE]],
    ("top", "--once", "--interval", "0.1"): {"state": STATE, "ports": PORTS, "zones": ZONES, "next-hops": NEXT_HOPS, "drops": DROPS},
}  # fmt: skip


def others(value):
    """The same with one member left out, wherever it is."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        for inner in others(value[key]):
            changed = copy.copy(value)
            changed[key] = inner
            yield changed
        changed = copy.copy(value)
        del changed[key]
        yield changed


@pytest.fixture
def run(tmp_path, sekisho):
    answer = []
    control = ControlSocket(tmp_path / "control.sock", lambda asked: [answer[0][asked["what"]]] if isinstance(answer[0], dict)
                            else answer[0])  # fmt: skip

    def run(said, *words):
        answer[:] = [said]
        return sekisho("--socket", control.path, *words)

    yield run
    control.close()


@pytest.mark.parametrize("words", WHOLE, ids=" ".join)
def test_another_answer_is_refused_with_a_sentence(run, words):
    whole = WHOLE[words]
    for json in ((), ("--json",)):
        done = run(whole, *words, *json)
        assert (done.returncode, done.stderr) == (0, ""), done
    if words[0] == "top":  # takes two looks
        variants = [{**whole, what: other} for what in ("state", "next-hops") for other in others(whole[what])]
    else:
        variants = [[*whole[:i], other, *whole[i + 1 :]] for i, page in enumerate(whole) for other in others(page)]
    for said in variants:
        done = run(said, *words)
        assert done.returncode in (0, 1), (done, said)
        if done.returncode == 1:
            assert done.stderr.startswith("sekisho: ") and done.stderr.count("\n") == 1, (done, said)


@pytest.mark.parametrize(
    ("words", "missing"),
    [(("show", "state"), "severity"), (("show", "state"), "problems"), (("explain", "172.16.0.1", "1.1.1.1"), "fault"),
     (("reload",), "applied"), (("reload",), "failed_ports"), (("reload", "--dry-run"), "refusals")],
)  # fmt: skip
def test_what_tells_of_a_fault_must_be_there(run, words, missing):
    first, *pages = WHOLE[words]
    for json in ((), ("--json",)):
        done = run([{key: value for key, value in first.items() if key != missing}, *pages], *words, *json)
        if json and (words, missing) == (("show", "state"), "problems"):
            assert done.returncode == 0, "the severity alone tells a program"
            continue
        assert done.returncode == 1, done
        assert "gave an answer that this version does not understand" in done.stderr and missing in done.stderr, done


def test_the_sentence(run):
    dataplane = {key: value for key, value in STATE["dataplane"].items() if key != "uptime_seconds"}
    done = run([{**STATE, "dataplane": dataplane}], "show", "state")
    assert (done.returncode, done.stdout) == (1, ""), done
    assert "gave an answer that this version does not understand" in done.stderr and "uptime_seconds" in done.stderr
    assert "systemctl restart sekisho-control" in done.stderr
