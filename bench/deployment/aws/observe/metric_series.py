"""Series of CloudWatch's answers: values, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.deployment.aws.observe.absence import Absence
from bench.deployment.aws.observe.cloudwatch_metrics import METRICS, CloudWatchMetric
from bench.deployment.aws.observe.handles import StackHandles
from bench.deployment.aws.observe.metric_data import Points, Subjects
from bench.deployment.aws.observe.settled import SettledAnswers
from bench.deployment.observe.series import Series

_SPARSE = "; CloudWatch has no value for a minute in which there was nothing to count"


def cloudwatch_series(handles: StackHandles, subjects: Subjects, settled: SettledAnswers) -> Iterator[Series]:
    """A series for each row of the table and each subject."""
    for metric in METRICS:
        known, missing = subjects[metric.scope], metric.missing(handles)
        if missing is not None:
            yield _series(metric, metric.scope, Absence(missing))
        elif isinstance(known, Absence):
            yield _series(metric, metric.scope, known)
        else:
            empty = Absence(f"empty after {settled.waited_s:.0f} s{_SPARSE if metric.sparse else ''}")
            for query, points in settled.answers.items():
                if query.metric == metric:
                    yield _series(metric, query.subject, points or empty)


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


def absent_series(metric: str, subject: str, source: str, unit: str, period_s: float, reason: str) -> Series:
    """A series without values."""
    return Series(
        metric=metric,
        subject=subject,
        source=source,
        unit=unit,
        period_s=period_s,
        unix_s=[],
        values=[],
        absence=reason,
    )


def _series(metric: CloudWatchMetric, subject: str, points: Points | Absence) -> Series:
    if isinstance(points, Absence):
        return absent_series(metric.metric, subject, metric.source, metric.unit, metric.period_s, points.reason)
    return Series(
        metric=metric.metric,
        subject=subject,
        source=metric.source,
        unit=metric.unit,
        period_s=metric.period_s,
        unix_s=[at_s for at_s, _ in points],
        values=[value for _, value in points],
    )
