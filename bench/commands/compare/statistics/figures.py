"""The figures that variants are compared by. docs/compare.md is the page for users."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bench.commands.compare.model import Interval
from bench.commands.compare.statistics.bootstrap import Bootstrap, Floats
from bench.commands.compare.statistics.rounds import Round
from bench.load.samples import percentile

# How a figure changes: by a factor, such as a duration, or by an amount, such as a share, which may be 0.
ChangeKind = Literal["ratio", "difference"]


class Figure(ABC):
    """A figure of the rounds of a variant; there is at least one."""

    change: ClassVar[ChangeKind] = "ratio"
    """The measure of how the figure differs between two variants."""

    @abstractmethod
    def value(self, rounds: Sequence[Round]) -> float | None:
        """The figure itself; None where it was not measured."""

    @abstractmethod
    def resampled(self, bootstrap: Bootstrap, rounds: Sequence[Round]) -> Floats | None:
        """The figure of each resample; None where resamples cannot tell how it varies."""

    def interval(self, bootstrap: Bootstrap, rounds: Sequence[Round], resampled: Floats | None) -> Interval | None:
        """Where the figure lies."""
        return bootstrap.by_factor(self.value(rounds), resampled)


@dataclass(frozen=True)
class LatencyPercentile(Figure):
    """An exact percentile of the latency of all requests."""

    percent: float

    def value(self, rounds: Sequence[Round]) -> float | None:
        return percentile(np.concatenate([round_.latency_s for round_ in rounds]), self.percent)

    def resampled(self, bootstrap: Bootstrap, rounds: Sequence[Round]) -> Floats | None:
        return bootstrap.percentiles([round_.latency_s for round_ in rounds], self.percent)


@dataclass(frozen=True)
class Quotient(Figure):
    """The sum of one number of each round over the sum of another."""

    dividend: Callable[[Round], float | None]
    divisor: Callable[[Round], float]

    def value(self, rounds: Sequence[Round]) -> float | None:
        terms = self._terms(rounds)
        return float(terms[:, 0].sum() / terms[:, 1].sum()) if terms is not None else None

    def resampled(self, bootstrap: Bootstrap, rounds: Sequence[Round]) -> Floats | None:
        terms = self._terms(rounds)
        sums = bootstrap.sums(terms) if terms is not None else None
        return sums[:, 0] / sums[:, 1] if sums is not None else None

    def _terms(self, rounds: Sequence[Round]) -> Floats | None:
        """Dividend and divisor, one row a round; None where one is missing, or there is nothing to divide by."""
        terms = np.array([(self.dividend(round_), self.divisor(round_)) for round_ in rounds], dtype=np.float64)
        return terms if np.all(np.isfinite(terms)) and np.all(terms[:, 1] > 0) else None


class ErrorRate(Figure):
    """Failed requests over all requests."""

    change = "difference"

    def value(self, rounds: Sequence[Round]) -> float | None:
        return sum(round_.failed for round_ in rounds) / sum(round_.requests for round_ in rounds)

    def resampled(self, bootstrap: Bootstrap, rounds: Sequence[Round]) -> Floats | None:
        return bootstrap.shares([round_.failed for round_ in rounds], [round_.requests for round_ in rounds])

    def interval(self, bootstrap: Bootstrap, rounds: Sequence[Round], resampled: Floats | None) -> Interval | None:
        value = self.value(rounds)
        if not value:
            # No resample has what never happened. Of n requests none failed: with 95 % confidence fewer than 3 in n do
            # (Hanley and Lippman-Hand, If Nothing Goes Wrong, Is Everything All Right?, JAMA 249, 1983).
            return Interval(low=0.0, high=min(1.0, 3 / sum(round_.requests for round_ in rounds)))
        return _within(0.0, 1.0, bootstrap.by_amount(value, resampled))


class TaskDeviation(Figure):
    """Largest distance of a task from an even share of the requests: 0.02 is 2 % of such a share."""

    change = "difference"

    def value(self, rounds: Sequence[Round]) -> float | None:
        requests = self._requests(rounds)
        return float(_deviation(requests.sum(axis=0))) if requests.any() else None

    def resampled(self, bootstrap: Bootstrap, rounds: Sequence[Round]) -> Floats | None:
        requests = self._requests(rounds)
        sums = bootstrap.sums(requests) if requests.any(axis=1).all() else None
        return _deviation(sums) if sums is not None else None

    def interval(self, bootstrap: Bootstrap, rounds: Sequence[Round], resampled: Floats | None) -> Interval | None:
        return _within(0.0, math.inf, bootstrap.by_amount(self.value(rounds), resampled))

    @staticmethod
    def _requests(rounds: Sequence[Round]) -> Floats:
        """Requests of each task, one row a round."""
        tasks = sorted({task for round_ in rounds for task in round_.per_task})
        return np.array([[round_.per_task.get(task, 0) for task in tasks] for round_ in rounds], dtype=np.float64)


def _deviation(requests: Floats) -> Floats:
    """Over the last axis, which is that of the tasks."""
    deviation: Floats = np.max(np.abs(requests / requests.mean(axis=-1, keepdims=True) - 1), axis=-1)
    return deviation


def _within(least: float, most: float, interval: Interval | None) -> Interval | None:
    return interval and Interval(low=max(least, interval.low), high=min(most, interval.high))


def _cpu_us(side: str) -> Quotient:
    def cpu_us(round_: Round) -> float | None:
        cpu_s = round_.cpu_s.get(side)
        return cpu_s * 1e6 if cpu_s is not None else None

    return Quotient(cpu_us, lambda round_: round_.requests)


# In the order in which they are shown; names carry units.
FIGURES: Mapping[str, Figure] = {
    **{f"latency_p{percent}_s": LatencyPercentile(percent) for percent in (50, 95, 99)},
    "throughput_rps": Quotient(lambda round_: round_.requests, lambda round_: round_.duration_s),
    "error_rate": ErrorRate(),
    "per_task_deviation": TaskDeviation(),
    **{f"{side}_cpu_us_per_request": _cpu_us(side) for side in ("tasks", "balancer", "generator")},
}
