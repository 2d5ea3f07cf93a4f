"""The dashboard: a body that CloudWatch takes, and the plan's rows in it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pydantic import ValidationError

from pypiserver_stack.settings.groups.monitoring import ALARM_NAMES
from tests.pypiserver_stack.monitoring.dashboard_body import Body
from tests.pypiserver_stack.support.evaluation import evaluated

DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
VARIANTS = [
    (),
    ("profile=medium", "efs_throughput_mode=bursting"),
    ("container_insights=enabled",),
    ("container_insights=disabled", "alarms_off=" + ",".join(ALARM_NAMES)),
]


def body(*overrides: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(evaluated("stress", overrides).graph.one(DASHBOARD).inputs["dashboardBody"])
    return loaded


def graphs(*overrides: str) -> dict[str, dict[str, Any]]:
    """Title to properties."""
    return {widget["properties"]["title"]: widget["properties"] for widget in body(*overrides)["widgets"]}


def names(graph: dict[str, Any]) -> list[tuple[str, str]]:
    return [(entry[1], entry[-1]["stat"]) for entry in graph["metrics"] if len(entry) > 1]


def marks(graph: dict[str, Any]) -> dict[str, float]:
    return {mark["label"]: mark["value"] for mark in graph["annotations"]["horizontal"]}


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
class TestEveryVariant:
    def test_the_body_has_the_structure_that_cloudwatch_takes(self, variant: tuple[str, ...]) -> None:
        Body.model_validate(body(*variant))

    def test_the_grid_is_full_and_nothing_lies_on_another(self, variant: tuple[str, ...]) -> None:
        cells = [
            (x, y)
            for w in body(*variant)["widgets"]
            for x in range(w["x"], w["x"] + w["width"])
            for y in range(w["y"], w["y"] + w["height"])
        ]
        assert len(cells) == len(set(cells))
        height = max(y for _, y in cells) + 1
        assert set(cells) == {(x, y) for x in range(24) for y in range(height)}

    def test_expressions_name_lines_of_their_own_graph(self, variant: tuple[str, ...]) -> None:
        for graph in graphs(*variant).values():
            options = [entry[-1] for entry in graph.get("metrics", ())]
            ids = [option["id"] for option in options if "id" in option]
            assert len(ids) == len(set(ids))
            for option in options:
                if "SEARCH(" not in option.get("expression", "SEARCH("):
                    used = set(re.findall(r"[a-z]\w*", option["expression"]))
                    assert used
                    assert used <= set(ids)

    def test_every_graph_shows_something(self, variant: tuple[str, ...]) -> None:
        for graph in graphs(*variant).values():
            if "metrics" in graph:
                assert any(entry[-1].get("visible", True) for entry in graph["metrics"])


@pytest.mark.parametrize(
    "spoiled",
    [
        {"colour": "red"},
        {"x": 24},
        {"width": 0},
        {"type": "graph"},
        {"properties": {"title": "none"}},
    ],
)
def test_a_body_that_cloudwatch_would_refuse_is_found(spoiled: dict[str, Any]) -> None:
    broken = body()
    broken["widgets"][1].update(spoiled)
    with pytest.raises(ValidationError):
        Body.model_validate(broken)


@pytest.mark.parametrize(
    "entry",
    [[], ["AWS/ECS", {"stat": "Sum", "label": ""}], ["AWS/ECS", "CPU", "ClusterName", {"stat": "Sum", "label": ""}]],
)
def test_a_metric_that_cloudwatch_would_refuse_is_found(entry: list[Any]) -> None:
    broken = body()
    broken["widgets"][1]["properties"]["metrics"] = [entry]
    with pytest.raises((ValidationError, ValueError)):
        Body.model_validate(broken)


def test_the_service() -> None:
    shown = graphs()
    assert names(shown["Tasks"]) == [
        ("RunningTaskCount", "Average"),
        ("DesiredTaskCount", "Average"),
        ("PendingTaskCount", "Average"),
    ]
    assert marks(shown["Tasks"]) == {"fewest": 12, "most": 24}
    assert marks(shown["CPU of the service"]) == {"alarm": 70}
    # 410 and 512 MB of a reservation of 384.
    assert marks(shown["Memory of the service"]) == {"alarm": 106.67, "limit": 133.33}


def test_each_task() -> None:
    ((only,),) = graphs()["Memory of each task"]["metrics"]
    graph = evaluated().graph
    cluster = graph.one("aws:ecs/cluster:Cluster").outputs["name"]
    service = graph.one("aws:ecs/service:Service").outputs["name"]
    assert only == {
        "expression": (
            'SEARCH(\'{ECS/ContainerInsights,ClusterName,ServiceName,TaskId} MetricName="TaskMemoryUtilization" '
            f'ClusterName="{cluster}" ServiceName="{service}"\', \'Average\')'
        ),
        "label": "${PROP('Dim.TaskId')}",
        "id": "taskMemoryUtilization",
    }
    for less in ("enabled", "disabled"):
        shown = graphs(f"container_insights={less}")
        assert names(shown["CPU of the busiest task"]) == [("CPUUtilization", "Maximum")]
        assert "Memory of each task" not in shown
    assert names(graphs("container_insights=disabled")["Tasks"])[0] == ("HealthyHostCount", "Maximum")


def test_the_balancer() -> None:
    shown = graphs()
    assert names(shown["Requests"]) == [("RequestCount", "Sum")]
    waiting = shown["Until an answer begins"]
    assert names(waiting) == [("TargetResponseTime", stat) for stat in ("p50", "p95", "p99")]
    assert marks(waiting) == {"alarm on p95": 2}
    assert [name for name, _ in names(shown["Answers by status"])] == [
        "HTTPCode_Target_2XX_Count",
        "HTTPCode_Target_3XX_Count",
        "HTTPCode_Target_4XX_Count",
        "HTTPCode_Target_5XX_Count",
        "HTTPCode_ELB_5XX_Count",
    ]
    assert ("ActiveConnectionCount", "Sum") in names(shown["Connections"])


def test_the_file_system() -> None:
    shown = graphs("efs_throughput_mode=bursting", "alarm_efs_burst_credit_bytes=5e11")
    assert names(shown["EFS: burst credits"]) == [("BurstCreditBalance", "Minimum")]
    assert marks(shown["EFS: burst credits"]) == {"alarm": 5e11}
    assert "EFS: burst credits" not in graphs()
    assert marks(shown["EFS: operations of what it can do"]) == {"alarm": 80}
    assert [name for name, _ in names(shown["EFS: throughput of what is permitted"])] == [
        "MeteredIOBytes",
        "PermittedThroughput",
    ]
    assert names(shown["EFS: client connections"]) == [("ClientConnections", "Sum")]
    io = ["DataReadIOBytes", "DataWriteIOBytes", "MetadataIOBytes"]
    assert names(shown["EFS: bytes"]) == [(name, "Sum") for name in io]
    assert names(shown["EFS: operations"]) == [(name, "SampleCount") for name in io]


def test_the_hosts() -> None:
    shown = graphs("alarm_host_swap_percent=1")
    assert {names(shown[f"{what} of the hosts"])[-1] for what in ("Memory", "Swap", "iowait")} == {
        ("mem_used_percent", "Maximum"),
        ("swap_used_percent", "Maximum"),
        ("cpu_usage_iowait", "Maximum"),
    }
    assert marks(shown["Swap of the hosts"]) == {"alarm": 1}


def test_the_states_of_all_alarms_come_first() -> None:
    deployment = evaluated("stress", ("alarm_topic_arns=arn:aws:sns:us-west-2:123456789012:pager",))
    first = json.loads(deployment.graph.one(DASHBOARD).inputs["dashboardBody"])["widgets"][0]
    assert (first["type"], first["y"]) == ("alarm", 0)
    assert first["properties"]["alarms"] == deployment.outputs["cloudwatch_alarm_arns"]
    assert "Alarms" not in graphs("alarms_off=" + ",".join(ALARM_NAMES))


def test_it_is_found_by_its_url() -> None:
    deployment = evaluated()
    name = deployment.graph.one(DASHBOARD).inputs["dashboardName"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name)
    assert deployment.outputs["cloudwatch_dashboard_url"] == (
        f"https://us-west-2.console.aws.amazon.com/cloudwatch/home?region=us-west-2#dashboards/dashboard/{name}"
    )


def test_it_can_be_left_out() -> None:
    deployment = evaluated("stress", ("dashboard_enabled=false",))
    assert list(deployment.graph.of_type(DASHBOARD)) == []
    assert deployment.outputs.get("cloudwatch_dashboard_url") is None
