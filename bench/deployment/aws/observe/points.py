"""Points of a measurement, and the series that a report has of them."""

from __future__ import annotations

from collections.abc import Iterable

from bench.deployment.aws.observe.absence import Absence
from bench.deployment.observe.series import Series

Points = tuple[tuple[float, float], ...]
"""Beginning of a period in seconds since 1970, and value; in the order of time."""


def best_of_each(found: Iterable[Series]) -> list[Series]:
    """One series of each metric and subject: the first with values, else the first with the reasons of all."""
    best: dict[tuple[str, str], Series] = {}
    for one in found:
        key = one.metric, one.subject
        known = best.setdefault(key, one)
        if known.absence is None or known is one:
            continue
        if one.absence is None:
            best[key] = one
        elif one.absence not in known.absence:
            best[key] = known.model_copy(update={"absence": f"{known.absence}; {one.absence}"})
    return list(best.values())


def series_of(metric: str, subject: str, source: str, unit: str, period_s: float, points: Points | Absence) -> Series:
    """A series of points, which says so where there are none."""
    if points == ():
        points = Absence("empty")
    return Series(
        metric=metric,
        subject=subject,
        source=source,
        unit=unit,
        period_s=period_s,
        unix_s=[] if isinstance(points, Absence) else [at_s for at_s, _ in points],
        values=[] if isinstance(points, Absence) else [value for _, value in points],
        absence=points.reason if isinstance(points, Absence) else None,
    )
