"""Values of CloudWatch metrics, by GetMetricData."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from bench.deployment.aws.observe.absence import Absence, attempt
from bench.deployment.aws.observe.cloudwatch_metrics import METRICS, CloudWatchMetric, Scope
from bench.deployment.aws.observe.handles import StackHandles
from bench.deployment.aws.observe.points import Points
from bench.deployment.aws.session import AwsSession

# A call takes 500 metrics, and an expression with its two operands counts as three.
_QUERIES_A_CALL = 500 // 3

Subjects = Mapping[Scope, Mapping[str, str] | Absence]
"""What there is a series each of: id in CloudWatch to name in reports, or why that is not known."""


@dataclass(frozen=True)
class MetricQuery:
    """One metric of one subject."""

    metric: CloudWatchMetric
    subject: str
    dimensions: tuple[tuple[str, str], ...]
    factor: float
    """What a value of CloudWatch is multiplied by."""


Answers = Mapping[MetricQuery, Points | Absence]


@dataclass(frozen=True)
class LoadTime:
    """Beginning and end of a load, in seconds since 1970."""

    start_unix_s: float
    end_unix_s: float


def queries(handles: StackHandles, subjects: Subjects) -> list[MetricQuery]:
    """The queries for each metric that can exist in the modes of a stack, of each subject that is known."""
    return [
        MetricQuery(metric, name, _dimensions(metric, handles, subject_id), metric.factor(handles))
        for metric in METRICS
        if metric.missing(handles) is None and not isinstance(known := subjects[metric.scope], Absence)
        for subject_id, name in known.items()
    ]


def ask(session: AwsSession, asked: Sequence[MetricQuery], time: LoadTime) -> dict[MetricQuery, Points | Absence]:
    """One answer to each query. Those of one namespace fail together, and no others with them."""
    cloudwatch = session.client("cloudwatch")
    answers: dict[MetricQuery, Points | Absence] = {}
    for (_, period_s), group in groupby(sorted(asked, key=_call), key=_call):
        members = list(group)
        for start in range(0, len(members), _QUERIES_A_CALL):
            part = members[start : start + _QUERIES_A_CALL]
            answer = attempt("cloudwatch", _get, cloudwatch, part, time, period_s)
            answers |= dict.fromkeys(part, answer) if isinstance(answer, Absence) else answer
    return answers


def _call(query: MetricQuery) -> tuple[str, int]:
    """What the queries of a call have in common."""
    return query.metric.namespace, query.metric.period_s


def _dimensions(metric: CloudWatchMetric, handles: StackHandles, subject_id: str) -> tuple[tuple[str, str], ...]:
    values = {
        "ClusterName": handles.cluster,
        "ServiceName": handles.service,
        "TaskDefinitionFamily": handles.task_family,
        "TaskId": subject_id,
        "AutoScalingGroupName": handles.auto_scaling_group,
        "InstanceId": subject_id,
        "cpu": "cpu-total",
        "LoadBalancer": handles.load_balancer,
        "TargetGroup": handles.target_group,
        "FileSystemId": handles.file_system_id,
    }
    return tuple((name, values[name]) for name in metric.dimensions)


def _get(
    cloudwatch: Any, asked: Sequence[MetricQuery], time: LoadTime, period_s: int
) -> dict[MetricQuery, Points | Absence]:
    by_id = {f"m{number}": query for number, query in enumerate(asked)}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[entry for id_, query in by_id.items() for entry in _entries(id_, query)],
        # Aligned, or a period at the edge would hold less than the others.
        StartTime=datetime.fromtimestamp(math.floor(time.start_unix_s / period_s) * period_s, UTC),
        EndTime=datetime.fromtimestamp(math.ceil(time.end_unix_s / period_s) * period_s, UTC),
        ScanBy="TimestampAscending",
    )
    points: dict[MetricQuery, dict[float, float]] = {query: {} for query in asked}
    absences: dict[MetricQuery, Absence] = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            query = by_id[result["Id"]]
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                points[query][moment.timestamp()] = value * query.factor
            if (status := result.get("StatusCode")) in ("Forbidden", "InternalError"):
                denied = "no permission for cloudwatch:GetMetricData"
                absences[query] = Absence(denied if status == "Forbidden" else "cloudwatch:GetMetricData failed inside")
    return {query: tuple(sorted(of.items())) for query, of in points.items()} | absences


def _entries(id_: str, query: MetricQuery) -> Iterator[dict[str, Any]]:
    metric = query.metric
    if metric.permitted is None:
        yield {"Id": id_, "MetricStat": _statistic(query, metric.name, metric.statistic)}
        return
    yield {"Id": id_, "Expression": f"{id_}a / {id_}b"}
    yield {"Id": f"{id_}a", "MetricStat": _statistic(query, metric.name, metric.statistic), "ReturnData": False}
    yield {"Id": f"{id_}b", "MetricStat": _statistic(query, metric.permitted, "Average"), "ReturnData": False}


def _statistic(query: MetricQuery, name: str, statistic: str) -> dict[str, Any]:
    dimensions = [{"Name": key, "Value": value} for key, value in query.dimensions]
    return {
        "Metric": {"Namespace": query.metric.namespace, "MetricName": name, "Dimensions": dimensions},
        "Period": query.metric.period_s,
        "Stat": statistic,
    }
