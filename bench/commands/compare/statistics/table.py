"""Every figure of every variant, with its interval and its change to the first variant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from bench.commands.compare import model
from bench.commands.compare.statistics.bootstrap import Bootstrap, Floats
from bench.commands.compare.statistics.figures import FIGURES, Figure
from bench.commands.compare.statistics.rounds import Contender

FigureTable = dict[str, dict[str, model.MeasuredFigure]]


class _Estimate(NamedTuple):
    """A figure of one variant, and what it is in each resample."""

    value: float | None
    resampled: Floats | None = None
    interval: model.Interval | None = None


def figures_table(contenders: Sequence[Contender], bootstrap: Bootstrap) -> FigureTable:
    """By figure and variant. Each variant has as many rounds as `bootstrap`, or none at all."""
    return {name: _row(name, figure, contenders, bootstrap) for name, figure in FIGURES.items()}


def _row(
    name: str, figure: Figure, contenders: Sequence[Contender], bootstrap: Bootstrap
) -> dict[str, model.MeasuredFigure]:
    first, *others = (_estimate(name, figure, contender, bootstrap) for contender in contenders)
    changes = [None, *(_change(figure, bootstrap, first, other) for other in others)]
    return {
        contender.variant.name: model.MeasuredFigure(value=estimate.value, interval=estimate.interval, change=change)
        for contender, estimate, change in zip(contenders, (first, *others), changes, strict=True)
    }


def _estimate(name: str, figure: Figure, contender: Contender, bootstrap: Bootstrap) -> _Estimate:
    if not contender.rounds:
        return _Estimate(contender.known.get(name))
    resampled = figure.resampled(bootstrap, contender.rounds)
    return _Estimate(figure.value(contender.rounds), resampled, figure.interval(bootstrap, contender.rounds, resampled))


def _change(figure: Figure, bootstrap: Bootstrap, first: _Estimate, other: _Estimate) -> model.Change | None:
    """The resamples of both are of the same rounds, so that what befell both alike is no difference between them."""
    if first.value is None or other.value is None:
        return None
    if figure.change == "difference":
        difference = other.value - first.value
        interval = bootstrap.by_amount(difference, _of_both(np.subtract, other.resampled, first.resampled))
        return model.Change(kind="difference", value=difference, interval=interval)
    if first.value <= 0 or other.value <= 0:
        return None
    ratio = other.value / first.value
    interval = bootstrap.by_factor(ratio, _of_both(_ratios, other.resampled, first.resampled))
    return model.Change(kind="ratio", value=ratio, interval=interval)


def _ratios(dividends: Floats, divisors: Floats) -> Floats:
    """0, of which there is no interval, where there is nothing to divide by."""
    return np.divide(dividends, divisors, out=np.zeros_like(dividends), where=divisors > 0)


def _of_both(operation: Callable[[Floats, Floats], Floats], one: Floats | None, other: Floats | None) -> Floats | None:
    return operation(one, other) if one is not None and other is not None else None
