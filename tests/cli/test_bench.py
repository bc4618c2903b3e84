# SPDX-License-Identifier: BSD-3-Clause
"""What benchmarks conclude from what they measured; nothing is measured here."""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "bench"))

import compare  # noqa: E402
import idle.main  # noqa: E402
import kernel.main  # noqa: E402
import scaling.main  # noqa: E402
from idle.report import Load  # noqa: E402
from kernel import policy  # noqa: E402
from kernel.measure import Window  # noqa: E402
from kernel.report import Result, benchmarks  # noqa: E402
from loss_free.search import PHASES, Attempt, Search, Trial, highest  # noqa: E402
from throughput import measure  # noqa: E402
from throughput.engine import BenchError  # noqa: E402

MAXIMUM = 30e6
HIGHEST = [3_141_592.0, 12e6, 60_000.0]


def play(search: Search, engine: Callable[[Attempt], Trial]) -> float:
    attempt = next(search)
    while True:
        try:
            attempt = search.send(engine(attempt))
        except StopIteration as end:
            found: float = end.value
            return found


def engine_of(capacity: float, disturbed: float = 0.0, seed: int = 1) -> Callable[[Attempt], Trial]:
    """Loses whatever comes beyond its capacity, and in a share of the trials something besides."""
    source = random.Random(seed)

    def trial(attempt: Attempt) -> Trial:
        offered = round(attempt.rate * attempt.seconds)
        received = min(offered, round(capacity * attempt.seconds))
        if source.random() < disturbed:
            received -= round(offered * 0.01)
        return Trial(offered, received, attempt.seconds, False)

    return trial


@pytest.mark.parametrize("capacity", HIGHEST)
def test_the_search_finds_an_engines_capacity(capacity: float) -> None:
    assert play(highest(0.0, MAXIMUM), engine_of(capacity)) == pytest.approx(capacity, rel=0.01)


@pytest.mark.parametrize("capacity", HIGHEST)
def test_a_search_that_allows_a_loss_finds_the_rate_that_loses_so_much(capacity: float) -> None:
    assert play(highest(0.1, MAXIMUM), engine_of(capacity)) == pytest.approx(capacity / 0.9, rel=0.011)


@pytest.mark.parametrize("seed", range(20))
def test_some_disturbed_trials_do_not_send_the_search_astray(seed: int) -> None:
    found = play(highest(0.0, MAXIMUM), engine_of(5e6, disturbed=0.05, seed=seed))
    assert 4.5e6 < found <= 5.05e6


def test_an_engine_that_loses_always_has_no_rate() -> None:
    assert play(highest(0.0, MAXIMUM), engine_of(5e6, disturbed=1.0)) == 0.0


def test_an_engine_beyond_the_generator_has_the_generators_rate() -> None:
    assert play(highest(0.0, MAXIMUM), engine_of(90e6)) == MAXIMUM


def test_a_rate_that_the_generator_does_not_reach_is_not_called_good() -> None:
    def trial(attempt: Attempt) -> Trial:
        offered = round(min(attempt.rate, 2e6) * attempt.seconds)
        return Trial(offered, offered, attempt.seconds, attempt.rate > 2e6)

    assert play(highest(0.0, MAXIMUM, PHASES), trial) <= 2e6


def run_of(folder: Path, name: str, cpu: str, *benchmarks: dict[str, object]) -> Path:
    file = folder / name
    file.write_text(json.dumps({"context": {"cpu": cpu}, "benchmarks": benchmarks}))
    return file


def ratio(name: str, value: float, low: float, high: float) -> dict[str, object]:
    return {"name": name, "real_time": 1.0, "ratio_to_macswap": value, "ratio_q1": low, "ratio_q3": high}


def test_compare_says_what_got_better_worse_and_what_cannot_be_told(tmp_path: Path) -> None:
    before = run_of(
        tmp_path, "a.json", "one", ratio("up", 0.6, 0.59, 0.61), ratio("down", 0.6, 0.59, 0.61),
        ratio("same", 0.6, 0.58, 0.62), {"name": "reference", "real_time": 10.0}, {"name": "gone", "real_time": 1.0},
    )  # fmt: skip
    after = run_of(
        tmp_path, "b.json", "one", ratio("up", 0.7, 0.69, 0.71), ratio("down", 0.5, 0.49, 0.51),
        ratio("same", 0.61, 0.59, 0.63), {"name": "reference", "real_time": 20.0},
    )  # fmt: skip
    lines, alone = compare.compare(before, after)
    verdicts = {line.name: line.verdict for line in lines}
    assert verdicts == {"up": "better", "down": "WORSE", "same": "within quartiles"}
    assert alone == ["gone"]
    gains = {line.name: line.gain for line in lines}
    assert gains["up"] == pytest.approx(0.7 / 0.6)
    assert compare.main([str(before), str(after)]) == 0
    assert compare.main(["--fail", str(before), str(after)]) == 1


def test_repetitions_are_one_benchmark_with_quartiles(tmp_path: Path) -> None:
    def repeated(*times: float) -> list[dict[str, object]]:
        return [{"name": "update", "run_type": "iteration", "real_time": time} for time in times]

    before = run_of(tmp_path, "a.json", "one", *repeated(9, 10, 11, 10, 30))
    after = run_of(tmp_path, "b.json", "one", *repeated(10, 11, 12, 11, 10), {"name": "update", "run_type": "aggregate", "real_time": 99})  # fmt: skip
    (line,), _ = compare.compare(before, after)
    assert (line.before.value, line.after.value, line.verdict) == (10, 11, "within quartiles")


def test_compare_refuses_two_machines_and_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = run_of(tmp_path, "a.json", "Zen 3", ratio("x", 1, 1, 1))
    after = run_of(tmp_path, "b.json", "Zen 5", ratio("x", 1, 1, 1))
    assert compare.main([str(before), str(after)]) == 2
    assert "Zen 3" in capsys.readouterr().err
    assert compare.main(["--other-machine", str(before), str(after)]) == 0
    (tmp_path / "c.json").write_text("[]")
    for strange in (tmp_path / "c.json", tmp_path / "none.json"):
        assert compare.main([str(before), str(strange)]) == 2
    assert "not what scripts/bench writes" in capsys.readouterr().err


def windows(*microseconds: float) -> list[Window]:
    return [Window(1.0, 1_000, 1_000, 1_000 * each / 1e6) for each in microseconds]


def test_cpu_time_is_compared_with_the_kernels_of_the_same_round_and_without_the_wires() -> None:
    result = Result("nva", "50k", {
        "sekisho": windows(2, 4, 6), "linux": windows(4, 8, 3), "xdp-fib": windows(2, 2, 2), "wire": windows(1, 1, 1),
    })  # fmt: skip
    assert result.ratio("sekisho").median == 2  # of 2, 2 and 0.5
    assert (result.own("sekisho"), result.own("linux")) == (3, 3)
    found = {entry["name"]: entry for entry in benchmarks([result])}
    assert found["kernel/sekisho/nva/50k"]["ratio_to_linux"] == 2
    assert "ratio_to_linux" not in found["kernel/wire/nva/50k"]


def test_a_window_in_which_nothing_arrived_is_not_cheap() -> None:
    assert Window(1.0, 1_000, 0, 0.5).per_packet == float("inf")


def test_the_kernel_is_told_the_zones_and_routes_that_the_product_is_told(tmp_path: Path) -> None:
    routes = tmp_path / "tags.txt"
    routes.write_text("198.51.100.0/24 firewall-3\n203.0.113.0/24 firewall-1\n")
    lines = list(policy.ip_batch("tags", routes))
    assert f"route replace 198.51.100.0/24 nhid 1003 table {policy.ONPREM}" in lines
    assert f"route replace 203.0.113.0/24 nhid 1001 table {policy.ONPREM}" in lines
    text = policy.sekisho_text("tags", routes)
    assert str(routes) in text and 'device = "af_xdp:lan0"' in text and "neighbours" not in text
    sources = {word for line in lines if " from " in line for word in line.split() if "/" in word}
    assert sources == {policy.ONPREM_SOURCES, *policy.VNETS}
    for source in sources:
        assert f'"{source}"' in text
    # The first rule that matches decides: a VNet within on-premises' space comes before it.
    assert [line for line in lines if " from " in line][-1].endswith(f"from {policy.ONPREM_SOURCES} lookup {policy.ONPREM}")


def test_a_filter_chooses_tables_and_loads() -> None:
    chosen = kernel.main.choose(kernel.main.parse(["nva/50k", "full"]))
    assert chosen == {"nva": ["50k"], "full": list(kernel.main.LOADS)}
    assert kernel.main.choose(kernel.main.parse(["--quick"])) == {"nva": list(kernel.main.LOADS)}
    assert kernel.main.main(["--list", "nonsense"]) == 0
    assert kernel.main.main(["nonsense"]) == 1


def test_what_was_measured_before_an_error_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tables(*_: object) -> Iterator[Result]:
        engines = (*kernel.report.ENGINES, kernel.report.WIRE)
        yield Result("nva", "50k", {name: [Window(1.0, 1_000, 1_000, 0.5)] for name in engines})
        raise BenchError("what is lost is too much")

    monkeypatch.setattr(kernel.main, "require", lambda build: None)
    monkeypatch.setattr(kernel.main, "measure_tables", tables)
    affinity = os.sched_getaffinity(0)
    try:
        assert kernel.main.main(["nva", "--out", str(tmp_path)]) == 1
    finally:
        os.sched_setaffinity(0, affinity)
    assert "kernel/sekisho/nva/50k" in (tmp_path / "kernel.json").read_text()


def test_idle_measures_each_rate_with_both_engines_or_not_at_all() -> None:
    assert idle.main.select([]) == list(idle.main.RATES)
    assert idle.main.select(["idle/testpmd-macswap/1000$"]) == [1000]
    assert idle.main.select(["idle/sekisho/0", "nothing"]) == [0]
    assert idle.main.select(["forward"]) == []


def test_idle_says_what_was_lost_and_takes_no_latency_from_where_nothing_came(tmp_path: Path) -> None:
    told = {"p50": 20.0, "p99": 30.0, "p99.9": 31.0, "max": 40.0}
    none = dict.fromkeys(told, 0.0)
    loads = [Load(0.1, told, 10, 10), Load(0.2, none, 10, 0), Load(0.3, told, 10, 9)]
    result = idle.report.Result("sekisho", 1000, loads)
    assert (result.cpu.median, result.lost) == (0.2, 11)
    entry = idle.report.benchmark(result)
    assert (entry["name"], entry["real_time"], entry["p99_us"], entry["lost"]) == ("idle/sekisho/1000", 20.0, 30.0, 11)
    assert "11 lost" in idle.report.line(result)
    silent = idle.report.Result("sekisho", 0, [Load(0.05, {}, 0, 0)])
    assert silent.latency("p50") is None and "lost" not in idle.report.line(silent)
    assert idle.report.benchmark(silent)["real_time"] == pytest.approx(50_000)  # us of CPU a second


def at_rates(*mpps: float) -> measure.Series:
    return measure.Series([measure.Window(value, 0.0) for value in mpps])


def test_scaling_compares_windows_of_one_round(tmp_path: Path) -> None:
    series = {"sekisho-1": at_rates(10, 20, 10), "sekisho-2": at_rates(19, 38, 10)}
    result = scaling.report.Result("ports", "nva", ("sekisho",), series, 2, 0.97)
    assert result.gain("sekisho").median == pytest.approx(1.9), "not 19 to 10 by their medians' luck"
    one, two = scaling.report.benchmarks(result)
    assert (one["name"], one["threads"], two["threads"]) == ("scaling/sekisho/ports/nva/1", 1, 2)
    assert (two["ratio_to_one"], two["share_of_first_cpu"]) == (pytest.approx(1.9), 0.97)
    assert "ratio_to_one" not in one
    said = scaling.report.lines(result)
    assert "97%" in said and "2 rounds repeated" in said


def test_scaling_chooses_crews_together() -> None:
    assert scaling.main.select(["nva"], ["scaling/sekisho/queues/nva/2"]) == [("queues", "nva")]
    assert scaling.main.select(["nva"], ["scaling/testpmd"]) == [("queues", "nva")]
    assert scaling.main.select(["nva"], ["scaling/sekisho/ports"]) == [("ports", "nva")]
    tables = ("nva", "full")
    assert scaling.main.select(tables, []) == [(way, table) for way in ("queues", "ports") for table in tables]
