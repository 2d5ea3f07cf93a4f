"""What counts as a regression: the change, its size, and its interval have to agree."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from bench.commands.compare import model
from bench.commands.compare.statistics.bootstrap import Bootstrap
from bench.commands.compare.statistics.figures import FIGURES
from bench.commands.compare.statistics.gate import FALSE_ALARM_RATE, GATED, GateLimits, confidence, judge, regressions
from bench.commands.compare.statistics.rounds import Contender, Round
from bench.commands.compare.statistics.table import FigureTable, figures_table
from bench.common.failures import IncomparableError

LIMITS = GateLimits(least_change=0.1, latency_floor_s=0.01)
Case = tuple[str, float, float, tuple[float, float], bool]

# Figure, first, other, interval of the change, whether it is a regression.
CASES: dict[str, Case] = {
    "worse by all three": ("latency_p95_s", 0.100, 0.120, (1.1, 1.3), True),
    "just above both limits": ("latency_p95_s", 0.100, 0.1101, (1.01, 1.2), True),
    "within the relative limit": ("latency_p95_s", 1.000, 1.050, (1.02, 1.08), False),
    "below the floor": ("latency_p95_s", 0.004, 0.008, (1.8, 2.2), False),
    "not sure": ("latency_p95_s", 0.100, 0.150, (0.9, 2.1), False),
    "the interval just touches no change": ("latency_p95_s", 0.100, 0.150, (1.0, 2.1), False),
    "better": ("latency_p95_s", 0.100, 0.050, (0.4, 0.6), False),
    "far better": ("latency_p99_s", 20.0, 0.1, (0.004, 0.006), False),
    "unchanged": ("latency_p50_s", 0.1, 0.1, (1.0, 1.0), False),
    "less throughput": ("throughput_rps", 5000.0, 4000.0, (0.75, 0.85), True),
    "more throughput": ("throughput_rps", 4000.0, 5000.0, (1.2, 1.3), False),
    "throughput, not sure": ("throughput_rps", 5000.0, 4000.0, (0.6, 1.1), False),
    "throughput, less than one request": ("throughput_rps", 2.0, 1.5, (0.7, 0.8), False),
    "errors out of nothing": ("error_rate", 0.0, 0.01, (0.005, 0.015), True),
    "one error out of nothing": ("error_rate", 0.0, 0.0005, (0.0001, 0.0009), False),
    "fewer errors": ("error_rate", 0.1, 0.0, (-0.12, -0.08), False),
    "no errors at all": ("error_rate", 0.0, 0.0, (0.0, 0.0), False),
    "more CPU": ("tasks_cpu_us_per_request", 150.0, 200.0, (1.3, 1.4), True),
    "a little more CPU": ("tasks_cpu_us_per_request", 30.0, 36.0, (1.1, 1.3), False),
}


def unchanged(name: str) -> model.Change:
    is_ratio = FIGURES[name].change == "ratio"
    value = 1.0 if is_ratio else 0.0
    interval = model.Interval(low=value, high=value)
    return model.Change(kind="ratio" if is_ratio else "difference", value=value, interval=interval)


def table_with(case: Case) -> FigureTable:
    name, first, other, (low, high), _ = case
    table = {
        figure: {
            "first": model.MeasuredFigure(value=1.0, interval=None, change=None),
            "other": model.MeasuredFigure(value=1.0, interval=None, change=unchanged(figure)),
        }
        for figure in FIGURES
    }
    kind = FIGURES[name].change
    change = model.Change(kind=kind, value=0.0, interval=model.Interval(low=low, high=high))
    table[name] = {
        "first": model.MeasuredFigure(value=first, interval=None, change=None),
        "other": model.MeasuredFigure(value=other, interval=None, change=change),
    }
    return table


@pytest.mark.parametrize("case", CASES)
def test_a_regression_is_what_all_three_agree_on(case: str) -> None:
    gate = judge(table_with(CASES[case]), LIMITS, in_rounds=True)

    found = {judged.figure for judged in gate.judged if judged.regressed}
    assert found == ({CASES[case][0]} if CASES[case][4] else set())
    assert bool(regressions(gate)) == CASES[case][4]


def test_a_regression_says_by_how_much() -> None:
    gate = judge(table_with(CASES["worse by all three"]), LIMITS, in_rounds=True)

    judged = next(judged for judged in gate.judged if judged.figure == "latency_p95_s")
    assert judged.worse_by == pytest.approx(0.2)
    assert judged.worse_by_amount == pytest.approx(0.02)
    assert regressions(gate) == "latency_p95_s of other by 20.0%"


def test_the_limits_are_the_users() -> None:
    table = table_with(CASES["worse by all three"])

    assert not regressions(judge(table, GateLimits(least_change=0.25, latency_floor_s=0.01), in_rounds=True))
    assert not regressions(judge(table, GateLimits(least_change=0.1, latency_floor_s=0.05), in_rounds=True))
    assert regressions(
        judge(table_with(CASES["below the floor"]), GateLimits(least_change=0.1, latency_floor_s=0.0), in_rounds=True)
    )


def test_latencies_without_an_interval_are_no_pass() -> None:
    table = table_with(CASES["unchanged"])
    table["latency_p99_s"]["other"] = model.MeasuredFigure(
        value=0.1, interval=None, change=model.Change(kind="ratio", value=1.0, interval=None)
    )

    with pytest.raises(IncomparableError, match=r"no samples of both.*samples\.npz"):
        judge(table, LIMITS, in_rounds=True)


def test_what_rounds_alone_can_tell_is_left_out_without_them() -> None:
    table = table_with(CASES["less throughput"])
    table["throughput_rps"]["other"] = model.MeasuredFigure(
        value=4000.0, interval=None, change=model.Change(kind="ratio", value=0.8, interval=None)
    )

    gate = judge(table, LIMITS, in_rounds=True)
    assert "throughput_rps" not in {judged.figure for judged in gate.judged}
    assert not regressions(gate)


def test_every_variant_is_judged_against_the_first() -> None:
    table = table_with(CASES["worse by all three"])
    for row in table.values():
        row["third"] = row["other"]

    gate = judge(table, LIMITS, in_rounds=True)
    assert regressions(gate) == "latency_p95_s of other by 20.0%, latency_p95_s of third by 20.0%"


def test_every_gated_figure_exists() -> None:
    assert GATED.keys() <= FIGURES.keys()
    assert all(gated.floor is None or math.isfinite(gated.floor) for gated in GATED.values())


@pytest.mark.parametrize("variants", [2, 3, 9])
def test_all_intervals_together_give_no_more_false_alarms_than_one_may(variants: int) -> None:
    intervals = len(GATED) * (variants - 1)
    one_end = (1 - confidence(variants)) / 2
    assert intervals * one_end == pytest.approx(FALSE_ALARM_RATE)
    assert judge(table_with(CASES["unchanged"]), LIMITS, in_rounds=True).confidence == confidence(2)


def test_what_is_twice_as_slow_is_a_regression_for_all_that(
    round_of: Callable[..., Round], contender_of: Callable[..., Contender]
) -> None:
    random = np.random.default_rng(0)

    def rounds(slowness: float) -> list[Round]:
        speeds = slowness * np.exp(random.normal(0, 0.15, size=5))
        return [round_of(speed * random.exponential(0.1, size=200), duration_s=speed) for speed in speeds]

    contenders = [contender_of("first", rounds(1.0)), contender_of("other", rounds(2.0))]
    assert "latency_p95_s" in regressions(
        judge(figures_table(contenders, Bootstrap(5, 0, confidence(2))), GateLimits(), in_rounds=True)
    )


@pytest.mark.parametrize(("in_rounds", "worse"), [(True, True), (False, False)])
def test_single_runs_may_differ_more_unless_the_user_says_otherwise(in_rounds: bool, worse: bool) -> None:
    """By 20 %, as two runs of the same stack often do."""
    table = table_with(CASES["worse by all three"])

    assert bool(regressions(judge(table, GateLimits(), in_rounds=in_rounds))) == worse
    assert regressions(judge(table, GateLimits(least_change=0.1), in_rounds=in_rounds))
