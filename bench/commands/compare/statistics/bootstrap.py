"""Confidence intervals of figures: the bootstrap of rounds, and of the requests within them.

The requests of one round are not independent of each other: they waited in the same queue. So a resample first draws
rounds, with replacement, and then the requests within each drawn round, with replacement (Davison and Hinkley,
Bootstrap Methods and their Application, 1997, section 3.8). Of the resampled figures only the spread is used. The
interval is Student's, `estimate +- t(rounds - 1) * spread * sqrt(rounds / (rounds - 1))`: with so few rounds as anybody
has the patience for, the interval between two percentiles of the resampled figures is far too narrow, and this mends it
(Hesterberg, What Teachers Should Know About the Bootstrap, The American Statistician 69, 2015). docs/compare.md has the
coverage of both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from bench.commands.compare.model import Interval

RESAMPLES = 2000
# Two rounds say next to nothing about how rounds differ: their interval would be twelve times their difference.
FEWEST_ROUNDS = 3
SHOWN_CONFIDENCE = 0.95

Floats = NDArray[np.float64]


class Bootstrap:
    """The resamples of one comparison.

    All variants of a comparison share it: they took turns, so that the same round of each was under the same
    conditions, and it is rounds with all their variants that are drawn.
    """

    def __init__(self, rounds: int, seed: int, confidence: float = SHOWN_CONFIDENCE) -> None:
        """
        Args:
            rounds: how many each variant was measured in. With fewer than three each of them is in every resample,
                once: the intervals are of the requests alone.
            confidence: of the intervals, between 0 and 1.
        """
        self._confidence = confidence
        self.of_rounds = rounds >= FEWEST_ROUNDS
        """Whether intervals say how rounds differ, too."""
        self._random = np.random.default_rng(seed)
        self._rounds = rounds
        each_once = np.tile(np.arange(rounds), (RESAMPLES, 1))
        self._drawn = self._random.integers(rounds, size=(RESAMPLES, rounds)) if self.of_rounds else each_once

    def percentiles(self, rounds: Sequence[Floats], percent: float) -> Floats:
        """The percentile, as `bench.load.samples.percentile` defines it, of each resample of the rounds' values."""
        values = np.concatenate(rounds)
        order = np.argsort(values)
        round_of_value = np.repeat(np.arange(len(rounds)), [len(round_) for round_ in rounds])[order]
        # below[r, i]: how many of round r are among the i smallest of all.
        below = np.zeros((len(rounds), len(values) + 1), dtype=np.int64)
        for number in range(len(rounds)):
            np.cumsum(round_of_value == number, out=below[number, 1:])
        return values[order][self._positions(below, percent)]

    def _positions(self, below: NDArray[np.int64], percent: float) -> NDArray[np.int64]:
        """Where in the order of all values the percentile of each resample lies.

        Drawing the requests one by one would cost as much as there are. How many of the draws from a round fall into
        the lower half of an interval is binomial, so the place is found by halving: the same distribution, in a few
        steps.
        """
        drawn = self._drawn
        low = np.zeros(RESAMPLES, dtype=np.int64)
        high = np.full(RESAMPLES, below.shape[1] - 1)
        draws = below[drawn, -1]
        rank = np.array([rank_of(total, percent) for total in draws.sum(axis=1).tolist()])
        while np.any(high - low > 1):
            middle = (low + high) // 2
            of_low, of_middle, of_high = (below[drawn, edge[:, None]] for edge in (low, middle, high))
            share = (of_middle - of_low) / np.maximum(of_high - of_low, 1)
            lower = self._random.binomial(draws, share)
            lower_total = lower.sum(axis=1)
            is_lower = lower_total >= rank
            low, high = np.where(is_lower, low, middle), np.where(is_lower, middle, high)
            draws = np.where(is_lower[:, None], lower, draws - lower)
            rank = np.where(is_lower, rank, rank - lower_total)
        return low

    def shares(self, hits: Sequence[int], totals: Sequence[int]) -> Floats:
        """The share of the requests, `totals` a round, that is among the `hits`, in each resample."""
        of_round = np.array(totals)[self._drawn]
        chance = np.array(hits)[self._drawn] / np.maximum(of_round, 1)
        resampled: Floats = self._random.binomial(of_round, chance).sum(axis=1) / of_round.sum(axis=1)
        return resampled

    def sums(self, values: NDArray[np.float64]) -> Floats | None:
        """The sums over the rounds, a row each, of each resample, for what is a number or a few a round.

        None with fewer than three rounds: the requests of a round say nothing about it.
        """
        return values[self._drawn].sum(axis=1) if self.of_rounds else None

    def by_factor(self, estimate: float | None, resampled: Floats | None) -> Interval | None:
        """The interval of a figure that varies by factors, such as a duration, a rate, or a ratio of two.

        None where there is nothing to go by: no figure, no resamples, or one that is not above 0.
        """
        if estimate is None or resampled is None or estimate <= 0 or not np.all(resampled > 0):
            return None
        half_width = self._quantile * float(np.std(np.log(resampled)))
        return Interval(low=estimate * math.exp(-half_width), high=estimate * math.exp(half_width))

    def by_amount(self, estimate: float | None, resampled: Floats | None) -> Interval | None:
        """The interval of a figure that varies by amounts, such as the difference of two shares."""
        if estimate is None or resampled is None:
            return None
        half_width = self._quantile * float(np.std(resampled))
        return Interval(low=estimate - half_width, high=estimate + half_width)

    @property
    def _quantile(self) -> float:
        if not self.of_rounds:
            return NormalDist().inv_cdf((1 + self._confidence) / 2)
        return student_quantile(self._rounds - 1, self._confidence) * math.sqrt(self._rounds / (self._rounds - 1))


def rank_of(count: int, percent: float) -> int:
    """Number of the value, counted from 1, that is the percentile of `count` values in order."""
    return max(1, math.ceil(count * percent / 100 - 1e-9))


def student_quantile(degrees_of_freedom: int, confidence: float) -> float:
    """The t between whose negative and itself Student's distribution has the share `confidence`."""
    low, high = 0.0, 1.0
    while _student_share(high, degrees_of_freedom) < confidence:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_share(middle, degrees_of_freedom) < confidence else (low, middle)
    return high


def _student_share(t: float, degrees_of_freedom: int) -> float:
    """The share of Student's distribution between -t and t: Abramowitz and Stegun 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(degrees_of_freedom))
    is_odd = degrees_of_freedom % 2
    term = math.cos(angle) if is_odd else 1.0
    series = 0.0
    for power in range(1 + is_odd, degrees_of_freedom, 2):
        series += term
        term *= math.cos(angle) ** 2 * power / (power + 1)
    if is_odd:
        return 2 / math.pi * (angle + math.sin(angle) * series)
    return math.sin(angle) * series
