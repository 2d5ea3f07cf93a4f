"""Table of CloudWatch's metrics: held against what the stack itself knows of them, and against the modes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.deployment.aws.observe.cloudwatch_metrics import METRICS, CloudWatchMetric
from bench.deployment.stack_config import PROJECT_FOLDER, load_stack
from pypiserver_stack.hosts import user_data
from tests.bench.deployment.aws.stack import handles
from tests.evaluation_cache import deployment_of


def _row(metric: str) -> CloudWatchMetric:
    return next(row for row in METRICS if row.metric == metric)


def test_alarms_and_table_agree_about_dimensions() -> None:
    graph = deployment_of(load_stack(PROJECT_FOLDER, "stress")[0]).graph
    table = {(row.namespace, row.name): set(row.dimensions) for row in METRICS if row.scope != "instance"}
    compared = 0
    for alarm in graph.of_type("aws:cloudwatch/metricAlarm:MetricAlarm"):
        key = alarm.inputs["namespace"], alarm.inputs["metricName"]
        if key in table:
            assert set(alarm.inputs["dimensions"]) == table[key], key
            compared += 1
    assert compared >= 5


def test_the_dashboard_searches_tasks_by_the_same_dimensions() -> None:
    graph = deployment_of(load_stack(PROJECT_FOLDER, "stress")[0]).graph
    body = graph.one("aws:cloudwatch/dashboard:Dashboard").inputs["dashboardBody"]
    for row in (_row("task_cpu"), _row("task_memory")):
        assert f"{{{row.namespace},{','.join(row.dimensions)}}} MetricName=" in json.dumps(json.loads(body))


def test_metrics_of_the_agent_are_those_that_it_is_configured_for() -> None:
    collected = user_data._METRICS["metrics"]["metrics_collected"].values()
    names = {name for plugin in collected for name in plugin["measurement"]}
    appended = set(user_data._METRICS["metrics"]["append_dimensions"])
    for row in METRICS:
        if row.namespace == "CWAgent":
            assert row.name in names
            assert appended <= set(row.dimensions)


@pytest.mark.parametrize(
    ("metric", "changes", "reason"),
    [
        ("efs_burst_credits", {"efs_throughput_mode": "elastic"}, "efs_throughput_mode is elastic, not bursting"),
        ("efs_percent_io_limit", {"efs_performance_mode": "maxIO"}, "efs_performance_mode is maxIO"),
        ("instance_cpu_credits", {"instance_type": "c6a.xlarge"}, "cpu is fixed, not burstable"),
        ("task_memory", {"container_insights": "enabled"}, "container_insights is enabled, not enhanced"),
        ("instance_memory", {"instance_memory_mb": None}, "instance_memory_mb of c6a.xlarge is not known"),
    ],
)
def test_a_metric_of_another_mode_says_which(metric: str, changes: dict[str, Any], reason: str) -> None:
    assert reason in (_row(metric).missing(handles(**changes)) or "")


@pytest.mark.parametrize(
    ("metric", "changes"),
    [
        ("efs_burst_credits", {"efs_throughput_mode": "bursting"}),
        ("efs_percent_io_limit", {}),
        ("instance_cpu_credits", {"instance_type": "t3.large"}),
        ("task_memory", {"container_insights": "enhanced"}),
        ("balancer_requests", {}),
    ],
)
def test_a_metric_of_this_mode_is_asked_for(metric: str, changes: dict[str, Any]) -> None:
    assert _row(metric).missing(handles(**changes)) is None


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        ("task_cpu", 80.0, 0.5),  # percent of 640 CPU units, in vCPUs
        ("task_memory", 50.0, 192.0),  # percent of 384 MB
        ("instance_memory", 25.0, 2048.0),
        ("efs_data_read", 60 * 2**20, 1.0),  # a sum of a minute in bytes, in MB/s
        ("balancer_requests", 600.0, 10.0),
        ("efs_throughput", 30.0, 50.0),  # a sum of a minute over bytes per second, in percent
        ("service_cpu", 70.0, 70.0),
    ],
)
def test_values_are_in_our_units(metric: str, value: float, expected: float) -> None:
    assert value * _row(metric).factor(handles()) == pytest.approx(expected)
