"""The bootstrap: known answers, the same distribution as drawing one by one, and intervals that cover the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.commands.compare.statistics.bootstrap import RESAMPLES, Bootstrap, student_quantile
from bench.load.samples import percentile

Floats = NDArray[np.float64]

values = st.lists(st.floats(1e-4, 100.0), min_size=1, max_size=40).map(lambda drawn: np.array(drawn))


def test_the_median_of_three_requests() -> None:
    """Of three draws from three values, two or more are the smallest in 7 of 27 cases, and so are the largest."""
    resampled = Bootstrap(1, seed=1).percentiles([np.array([3.0, 1.0, 2.0])], 50)

    _, counts = np.unique(resampled, return_counts=True)
    shares = counts / RESAMPLES
    assert shares == pytest.approx([7 / 27, 13 / 27, 7 / 27], abs=0.04)


@pytest.mark.parametrize("percent", [50, 95, 99])
def test_it_is_as_if_requests_were_drawn_one_by_one(percent: float) -> None:
    random = np.random.default_rng(3)
    rounds = [random.gamma(2, scale, size) for scale, size in ((1.0, 300), (1.2, 200), (0.9, 250), (1.1, 300))]

    resampled = Bootstrap(len(rounds), seed=4).percentiles(rounds, percent)
    one_by_one = [one_resample(rounds, percent, random) for _ in range(RESAMPLES)]

    assert resampled.mean() == pytest.approx(np.mean(one_by_one), rel=0.01)
    assert resampled.std() == pytest.approx(np.std(one_by_one), rel=0.1)


def one_resample(rounds: list[Floats], percent: float, random: np.random.Generator) -> float:
    drawn = [rounds[number] for number in random.integers(len(rounds), size=len(rounds))]
    found = percentile(np.concatenate([random.choice(round_, len(round_)) for round_ in drawn]), percent)
    assert found is not None
    return found


@given(rounds=st.lists(values, min_size=1, max_size=5), percent=st.sampled_from([50, 95, 99]))
def test_a_resampled_percentile_is_a_value_that_occurred(rounds: list[Floats], percent: float) -> None:
    resampled = Bootstrap(len(rounds), seed=0).percentiles(rounds, percent)

    assert set(resampled.tolist()) <= set(np.concatenate(rounds).tolist())


def test_where_all_requests_are_alike_nothing_varies() -> None:
    bootstrap = Bootstrap(4, seed=0)
    resampled = bootstrap.percentiles([np.full(100, 0.25)] * 4, 99)

    interval = bootstrap.by_factor(0.25, resampled)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((0.25, 0.25))


@pytest.mark.parametrize("rounds", [1, 2])
def test_so_few_rounds_say_nothing_about_rounds(rounds: int) -> None:
    bootstrap = Bootstrap(rounds, seed=0)

    assert not bootstrap.of_rounds
    assert bootstrap.sums(np.ones((rounds, 1))) is None
    assert bootstrap.by_factor(1.0, None) is None


def test_a_round_with_most_of_the_failures_widens_the_interval() -> None:
    even = Bootstrap(5, seed=0).shares([10] * 5, [1000] * 5)
    uneven = Bootstrap(5, seed=0).shares([50, 0, 0, 0, 0], [1000] * 5)

    assert even.mean() == pytest.approx(0.01, rel=0.05)
    assert uneven.mean() == pytest.approx(0.01, rel=0.05)
    assert uneven.std() > 4 * even.std()


@pytest.mark.parametrize(
    ("degrees_of_freedom", "confidence", "quantile"),
    [
        (1, 0.95, 12.7062),
        (2, 0.95, 4.3027),
        (3, 0.95, 3.1824),
        (4, 0.95, 2.7764),
        (9, 0.95, 2.2622),
        (30, 0.95, 2.0423),
        (2, 0.99, 9.9248),
        (4, 0.99, 4.6041),
        (9, 0.998, 4.2968),
    ],
)
def test_students_quantile_is_that_of_the_tables(degrees_of_freedom: int, confidence: float, quantile: float) -> None:
    assert student_quantile(degrees_of_freedom, confidence) == pytest.approx(quantile, rel=1e-4)


def test_an_interval_is_wider_with_more_confidence() -> None:
    resampled = np.array([0.9, 1.0, 1.1])
    shown, surer = (Bootstrap(5, 0, confidence).by_factor(1.0, resampled) for confidence in (0.95, 0.99))
    assert shown is not None
    assert surer is not None
    assert math.log(surer.high) / math.log(shown.high) == pytest.approx(4.6041 / 2.7764, rel=1e-4)


def test_the_interval_of_round_numbers_is_students() -> None:
    """Of one number a round the interval is nearly that of the textbook: mean +- t * deviation / sqrt(n)."""
    numbers = np.array([100.0, 104.0, 97.0, 101.0, 98.0, 103.0])
    bootstrap = Bootstrap(len(numbers), seed=0)
    sums = bootstrap.sums(numbers[:, None])
    assert sums is not None

    interval = bootstrap.by_amount(numbers.mean(), sums[:, 0] / len(numbers))
    half_width = 2.5706 * numbers.std(ddof=1) / math.sqrt(len(numbers))
    expected = (numbers.mean() - half_width, numbers.mean() + half_width)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize("rounds", [3, 5, 10])
@pytest.mark.parametrize("spread_of_rounds", [0.0, 0.05, 0.2])
def test_intervals_cover_the_truth(rounds: int, spread_of_rounds: float) -> None:
    """p95 of rounds that differ by a random factor, and of requests that differ within them, against the true p95."""
    random = np.random.default_rng([rounds, round(spread_of_rounds * 100)])
    truth = math.exp(0.5 * 1.6448536)  # p95 of a log-normal latency in a typical round
    trials = 150
    covered = 0
    for trial in range(trials):
        factors = np.exp(random.normal(0, spread_of_rounds, rounds))
        measured = [factor * np.exp(random.normal(0, 0.5, 400)) for factor in factors]
        bootstrap = Bootstrap(rounds, trial)
        interval = bootstrap.by_factor(percentile(np.concatenate(measured), 95), bootstrap.percentiles(measured, 95))
        assert interval is not None
        covered += interval.low <= truth <= interval.high
    assert covered / trials >= 0.9


def test_the_interval_of_requests_alone_covers_what_requests_vary_by() -> None:
    random = np.random.default_rng(11)
    covered = 0
    for trial in range(300):
        measured = random.exponential(1.0, 500)
        bootstrap = Bootstrap(1, trial)
        interval = bootstrap.by_factor(percentile(measured, 95), bootstrap.percentiles([measured], 95))
        assert interval is not None
        covered += interval.low <= -math.log(0.05) <= interval.high
    assert covered / 300 >= 0.9


def test_the_same_seed_gives_the_same_interval() -> None:
    rounds = [np.random.default_rng(5).exponential(1.0, 200) for _ in range(3)]
    one, two = (Bootstrap(3, seed=9).percentiles(rounds, 95) for _ in range(2))

    assert np.array_equal(one, two)


def test_the_percentile_of_a_million_requests_varies_as_theory_says() -> None:
    """Drawn one by one this would be two billion draws. The deviation is sqrt(p (1 - p) / n) / density(percentile)."""
    resampled = Bootstrap(1, seed=0).percentiles([np.random.default_rng(0).exponential(1.0, 1_000_000)], 99)

    assert resampled.std() == pytest.approx(math.sqrt(0.99 * 0.01 / 1e6) / 0.01, rel=0.1)
