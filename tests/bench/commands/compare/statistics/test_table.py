"""Figures, intervals and changes of variants, against answers computed by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.commands.compare.statistics.bootstrap import Bootstrap
from bench.commands.compare.statistics.figures import FIGURES
from bench.commands.compare.statistics.rounds import Contender, Round
from bench.commands.compare.statistics.table import figures_table

MakeRound = Callable[..., Round]
MakeContender = Callable[..., Contender]


def test_figures_are_over_all_rounds(round_of: MakeRound, contender_of: MakeContender) -> None:
    cpu_s = {"tasks": 0.001, "balancer": 0.0002, "generator": 0.0004}
    rounds = [
        round_of([1.0, 2.0, 3.0, 4.0], failed=1, duration_s=4.0, per_task={"a": 3, "b": 1}, cpu_s=cpu_s),
        round_of([5.0, 6.0, 7.0, 8.0], failed=0, duration_s=8.0, per_task={"a": 3, "b": 1}, cpu_s=cpu_s),
        round_of([9.0, 10.0], failed=0, duration_s=8.0, per_task={"a": 1, "b": 1}, cpu_s=cpu_s),
    ]

    table = figures_table([contender_of("only", rounds)], Bootstrap(3, seed=0))

    assert list(table) == list(FIGURES)
    assert {name: row["only"].value for name, row in table.items()} == pytest.approx(
        {
            "latency_p50_s": 5.0,
            "latency_p95_s": 10.0,
            "latency_p99_s": 10.0,
            "throughput_rps": 0.5,
            "error_rate": 0.1,
            "per_task_deviation": 0.4,
            "tasks_cpu_us_per_request": 300.0,
            "balancer_cpu_us_per_request": 60.0,
            "generator_cpu_us_per_request": 120.0,
        }
    )
    assert all(row["only"].change is None for row in table.values())


def test_changes_are_to_the_first(round_of: MakeRound, contender_of: MakeContender) -> None:
    slow = [round_of([2.0] * 10, failed=2, duration_s=10.0, per_task={"a": 10, "b": 0})] * 3
    fast = [round_of([0.5] * 10, failed=0, duration_s=2.0, per_task={"a": 5, "b": 5})] * 3

    table = figures_table([contender_of("slow", slow), contender_of("fast", fast)], Bootstrap(3, seed=0))

    changes = {name: row["fast"].change for name, row in table.items()}
    told = {name: (change.kind, change.value) for name, change in changes.items() if change}
    assert told == {
        "latency_p50_s": ("ratio", 0.25),
        "latency_p95_s": ("ratio", 0.25),
        "latency_p99_s": ("ratio", 0.25),
        "throughput_rps": ("ratio", 5.0),
        "error_rate": ("difference", -0.2),
        "per_task_deviation": ("difference", -1.0),
    }
    assert changes["tasks_cpu_us_per_request"] is None  # nobody measured it


def test_what_befell_both_variants_is_no_difference(round_of: MakeRound, contender_of: MakeContender) -> None:
    """One round was on a busy machine: it doubled all, and widens each interval, but not that of the ratio."""
    random = np.random.default_rng(0)
    load = [1.0, 1.1, 0.9, 1.0, 2.0]
    latencies_s = [random.gamma(50, 0.02, 500) * factor for factor in load]
    first = [round_of(latency_s) for latency_s in latencies_s]
    other = [round_of(latency_s / 2) for latency_s in latencies_s]

    row = figures_table([contender_of("first", first), contender_of("other", other)], Bootstrap(5, seed=0))
    measured = row["latency_p50_s"]["other"]

    assert measured.interval is not None
    assert measured.change is not None
    assert measured.change.interval is not None
    assert measured.interval.high / measured.interval.low > 1.5
    assert 0.45 < measured.change.interval.low < 0.5 < measured.change.interval.high < 0.55


def test_without_failures_the_interval_still_says_how_few_there_may_be(
    round_of: MakeRound, contender_of: MakeContender
) -> None:
    table = figures_table([contender_of("only", [round_of([0.1] * 100)] * 3)], Bootstrap(3, seed=0))

    interval = table["error_rate"]["only"].interval
    assert interval is not None
    assert (interval.low, interval.high) == (0.0, 0.01)


def test_two_rounds_have_intervals_of_requests_only(round_of: MakeRound, contender_of: MakeContender) -> None:
    latency_s = np.random.default_rng(0).exponential(1.0, 100)
    rounds = [round_of(latency_s, cpu_s={"tasks": 1.0, "balancer": 1.0, "generator": 1.0})] * 2

    table = figures_table([contender_of("only", rounds)], Bootstrap(2, seed=0))

    with_interval = {name for name, row in table.items() if row["only"].interval is not None}
    assert with_interval == {"latency_p50_s", "latency_p95_s", "latency_p99_s", "error_rate"}


def test_a_report_without_samples_has_values_and_no_interval(round_of: MakeRound, contender_of: MakeContender) -> None:
    contenders = [
        contender_of("first", [round_of([1.0, 2.0])]),
        contender_of("other", [], {"latency_p50_s": 3.0, "error_rate": 0.5}),
    ]

    table = figures_table(contenders, Bootstrap(1, seed=0))

    other = table["latency_p50_s"]["other"]
    assert (other.value, other.interval) == (3.0, None)
    assert other.change is not None
    assert (other.change.value, other.change.interval) == (3.0, None)
    assert table["throughput_rps"]["other"].value is None


@given(factor=st.floats(0.01, 100.0), seed=st.integers(0, 5))
def test_a_unit_of_another_size_changes_no_ratio(factor: float, seed: int) -> None:
    from_conftest = np.random.default_rng(seed).exponential(1.0, (4, 50))

    def ratio_of(scale: float) -> tuple[float, float]:
        bootstrap = Bootstrap(4, seed=7)
        values = [row * scale for row in from_conftest]
        interval = bootstrap.by_factor(scale, bootstrap.percentiles(values, 95))
        assert interval is not None
        return interval.low / scale, interval.high / scale

    assert ratio_of(factor) == pytest.approx(ratio_of(1.0), rel=1e-6)
