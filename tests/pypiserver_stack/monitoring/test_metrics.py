"""Every metric that the program names exists, with those dimensions, and is the one of this deployment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bench.deployment.graph import Graph
from tests.pypiserver_stack.monitoring.published_metrics import PREDEFINED, fault
from tests.pypiserver_stack.support.evaluation import evaluated

SEARCH = re.compile(r"""SEARCH\('\{([^,}]+),([^}]+)\} MetricName="(\w+)"((?: \w+="[^"]+")*)', '(\w+)'\)""")
VARIANTS = [
    (),
    ("profile=medium",),
    ("efs_throughput_mode=bursting",),
    ("container_insights=enabled",),
    ("container_insights=disabled",),
]


@dataclass(frozen=True)
class Named:
    """A metric as somebody names it."""

    namespace: str
    name: str
    dimensions: frozenset[str]
    values: tuple[tuple[str, str], ...]
    statistic: str
    period_s: int


def in_alarms(graph: Graph) -> Iterator[Named]:
    for alarm in graph.of_type("aws:cloudwatch/metricAlarm:MetricAlarm"):
        of = alarm.inputs
        statistic = of.get("statistic") or of["extendedStatistic"]
        values = tuple(of["dimensions"].items())
        yield Named(of["namespace"], of["metricName"], frozenset(of["dimensions"]), values, statistic, of["period"])


def in_dashboard(graph: Graph) -> Iterator[Named]:
    body = json.loads(graph.one("aws:cloudwatch/dashboard:Dashboard").inputs["dashboardBody"])
    for widget in body["widgets"]:
        for entry in widget["properties"].get("metrics", ()):
            yield from of_entry(entry, widget["properties"]["period"])


def of_entry(entry: list[Any], period_s: int) -> Iterator[Named]:
    *names, options = entry
    if names:
        values = tuple(zip(names[2::2], names[3::2], strict=True))
        yield Named(names[0], names[1], frozenset(names[2::2]), values, options["stat"], period_s)
    elif "SEARCH" in options["expression"]:
        found = SEARCH.fullmatch(options["expression"])
        assert found, options["expression"]
        namespace, dimensions, name, terms, statistic = found.groups()
        values = tuple(re.findall(r' (\w+)="([^"]+)"', terms))
        yield Named(namespace, name, frozenset(dimensions.split(",")), values, statistic, period_s)


def named(variant: tuple[str, ...]) -> list[Named]:
    graph = evaluated("stress", variant).graph
    return [*in_alarms(graph), *in_dashboard(graph)]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_metric_of_alarms_and_dashboard_is_published(variant: tuple[str, ...]) -> None:
    metrics = named(variant)
    assert len(metrics) > 40
    faults = [fault(m.namespace, m.name, set(m.dimensions), m.statistic, m.period_s) for m in metrics]
    assert [one for one in faults if one] == []


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_dimension_is_of_this_deployment(variant: tuple[str, ...]) -> None:
    graph = evaluated("stress", variant).graph
    ours = {
        "ClusterName": graph.one("aws:ecs/cluster:Cluster").outputs["name"],
        "ServiceName": graph.one("aws:ecs/service:Service").outputs["name"],
        "LoadBalancer": graph.one("aws:lb/loadBalancer:LoadBalancer").outputs["arn"].split(":loadbalancer/")[1],
        "TargetGroup": graph.one("aws:lb/targetGroup:TargetGroup").outputs["arn"].rsplit(":", 1)[1],
        "FileSystemId": graph.one("aws:efs/fileSystem:FileSystem").id,
        "AutoScalingGroupName": graph.one("aws:autoscaling/group:Group").outputs["name"],
    }
    values = [value for metric in named(variant) for value in metric.values]
    assert {name for name, _ in values} == set(ours)
    assert {(name, value) for name, value in values if ours[name] != value} == set()


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_scaling_follows_metrics_that_are_published(variant: tuple[str, ...]) -> None:
    policies = evaluated("stress", variant).graph.of_type("aws:appautoscaling/policy:Policy")
    tracked = [policy.inputs["targetTrackingScalingPolicyConfiguration"] for policy in policies]
    assert tracked
    for target in tracked:
        assert target["predefinedMetricSpecification"]["predefinedMetricType"] in PREDEFINED


@pytest.mark.parametrize("insights", ["enabled", "disabled"])
def test_what_container_insights_does_not_publish_is_not_named(insights: str) -> None:
    metrics = {m.name for m in named((f"container_insights={insights}",)) if m.namespace == "ECS/ContainerInsights"}
    published = {"RunningTaskCount", "DesiredTaskCount", "PendingTaskCount"}
    assert metrics == (published if insights == "enabled" else set())


def test_a_metric_that_is_not_published_is_a_fault() -> None:
    service = {"ClusterName", "ServiceName"}
    assert fault("AWS/ECS", "CPUUtilization", service, "Average", 60) is None
    assert fault("AWS/ECS", "CPUUtilisation", service, "Average", 60) == "there is no metric AWS/ECS CPUUtilisation"
    assert fault("AWS/ECS", "CPUUtilization", {"ServiceName"}, "Average", 60)
    assert fault("AWS/EFS", "ClientConnections", {"FileSystemId"}, "Average", 60)
    assert fault("AWS/EC2", "CPUCreditBalance", {"InstanceId"}, "Minimum", 60)
