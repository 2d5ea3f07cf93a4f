"""Series of CloudWatch's answers: values, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Iterator

from bench.deployment.aws.observe.absence import Absence
from bench.deployment.aws.observe.cloudwatch_metrics import METRICS, CloudWatchMetric
from bench.deployment.aws.observe.handles import StackHandles
from bench.deployment.aws.observe.metric_data import Subjects
from bench.deployment.aws.observe.points import Points, series_of
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


def _series(metric: CloudWatchMetric, subject: str, points: Points | Absence) -> Series:
    return series_of(metric.metric, subject, metric.source, metric.unit, metric.period_s, points)
