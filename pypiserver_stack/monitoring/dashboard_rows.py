"""Rows of the dashboard, from the alarms down to the instances."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from pypiserver_stack.monitoring.alarm_table import memory_alarm_percent
from pypiserver_stack.monitoring.metrics import Metric, Metrics
from pypiserver_stack.monitoring.widgets import AlarmStates, Expression, GraphWidget, MetricLine, Row
from pypiserver_stack.settings.groups.monitoring import MonitoringSettings
from sizing.capacity import TaskPlan

HIGH_IOWAIT_PERCENT = 20
"""Above it for long, a host has too little memory for what it caches of the file system."""


def rows(
    settings: MonitoringSettings,
    plan: TaskPlan,
    metrics: Metrics,
    *,
    throughput_mode: str,
    alarm_arns: Sequence[pulumi.Input[str]],
) -> tuple[Row, ...]:
    alarms = (Row([AlarmStates("Alarms", alarm_arns)], height=3),) if alarm_arns else ()
    return (
        *alarms,
        _service(settings, plan, metrics),
        _each_task(settings, plan, metrics),
        *_balancer(settings, metrics),
        *_file_system(settings, metrics, throughput_mode),
        _hosts(settings, metrics),
    )


def _service(settings: MonitoringSettings, plan: TaskPlan, metrics: Metrics) -> Row:
    if settings.container_insights == "disabled":
        # Nobody counts tasks then; the balancer counts those that are registered with it.
        counts = [
            MetricLine(metrics.targets("HealthyHostCount"), "Maximum", "healthy"),
            MetricLine(metrics.targets("UnHealthyHostCount"), "Maximum", "unhealthy"),
        ]
    else:
        counts = [
            MetricLine(metrics.insights("RunningTaskCount"), "Average", "running"),
            MetricLine(metrics.insights("DesiredTaskCount"), "Average", "desired"),
            MetricLine(metrics.insights("PendingTaskCount"), "Average", "pending"),
        ]
    limits = {"fewest": plan.task_min_count, "most": plan.task_max_count}
    return Row(
        [
            GraphWidget("Tasks", counts, "tasks", marks=limits),
            GraphWidget(
                "CPU of the service",
                _extremes(metrics.service("CPUUtilization")),
                "% of what tasks reserve",
                marks={"alarm": settings.alarm_cpu_percent},
            ),
            GraphWidget(
                "Memory of the service",
                _extremes(metrics.service("MemoryUtilization")),
                "% of what tasks reserve",
                marks={
                    "alarm": memory_alarm_percent(settings, plan),
                    "limit": round(100 * plan.container_memory_mb / plan.container_memory_reservation_mb, 2),
                },
            ),
        ]
    )


def _each_task(settings: MonitoringSettings, plan: TaskPlan, metrics: Metrics) -> Row:
    if settings.container_insights == "enhanced":
        return Row(
            [
                GraphWidget("CPU of each task", [_search(metrics, "TaskCpuUtilization")], "% of what it reserves"),
                GraphWidget("Memory of each task", [_search(metrics, "TaskMemoryUtilization")], "%"),
            ]
        )
    # Minimum and Maximum are the idlest and the busiest task: as much as can be had of single ones.
    return Row(
        [
            GraphWidget(
                f"CPU of the {extreme}", [MetricLine(metrics.service("CPUUtilization"), statistic, extreme)], "%"
            )
            for extreme, statistic in (("busiest task", "Maximum"), ("idlest task", "Minimum"))
        ]
    )


def _balancer(settings: MonitoringSettings, metrics: Metrics) -> tuple[Row, Row]:
    waiting = metrics.targets("TargetResponseTime")
    classes = [
        MetricLine(metrics.targets(f"HTTPCode_Target_{digit}XX_Count"), "Sum", f"{digit}xx of tasks")
        for digit in "2345"
    ]
    classes.append(MetricLine(metrics.balancer("HTTPCode_ELB_5XX_Count"), "Sum", "5xx of the balancer"))
    return (
        Row(
            [
                GraphWidget(
                    "Requests", [MetricLine(metrics.balancer("RequestCount"), "Sum", "requests")], "in a period"
                ),
                GraphWidget(
                    "Until an answer begins",
                    [MetricLine(waiting, statistic, statistic) for statistic in ("p50", "p95", "p99")],
                    "s",
                    marks={"alarm on p95": settings.alarm_response_time_p95_s},
                ),
            ]
        ),
        Row(
            [
                GraphWidget("Answers by status", classes, "in a period", stacked=True),
                GraphWidget(
                    "Connections",
                    [
                        MetricLine(metrics.balancer("ActiveConnectionCount"), "Sum", "active"),
                        MetricLine(metrics.balancer("RejectedConnectionCount"), "Sum", "rejected"),
                    ],
                    "in a period",
                ),
            ]
        ),
    )


def _file_system(settings: MonitoringSettings, metrics: Metrics, throughput_mode: str) -> tuple[Row, Row]:
    of = metrics.file_system
    first = [
        GraphWidget(
            "EFS: operations of what it can do",
            [MetricLine(of("PercentIOLimit"), "Maximum", "PercentIOLimit")],
            "%",
            marks={"alarm": settings.alarm_efs_io_limit_percent},
        ),
        GraphWidget(
            "EFS: throughput of what is permitted",
            [
                MetricLine(of("MeteredIOBytes"), "Sum", "metered", id="metered", visible=False),
                MetricLine(of("PermittedThroughput"), "Average", "permitted", id="permitted", visible=False),
                Expression("100 * metered / PERIOD(metered) / permitted", "throughput", "share"),
            ],
            "%",
        ),
        GraphWidget(
            "EFS: client connections",
            [
                # Each client counts once a minute.
                MetricLine(of("ClientConnections"), "Sum", "counted", id="counted", visible=False),
                Expression("counted * 60 / PERIOD(counted)", "connections", "connections"),
            ],
            "connections",
        ),
    ]
    if throughput_mode == "bursting":
        credits = GraphWidget(
            "EFS: burst credits",
            [MetricLine(of("BurstCreditBalance"), "Minimum", "balance")],
            "bytes",
            marks={"alarm": settings.alarm_efs_burst_credit_bytes},
        )
        first = [credits, *first]
    operations = {"read": "DataReadIOBytes", "write": "DataWriteIOBytes", "metadata": "MetadataIOBytes"}
    return (
        Row(first),
        Row(
            [
                GraphWidget(
                    title, _rates({kind: of(name) for kind, name in operations.items()}, statistic), unit, stacked=True
                )
                for title, statistic, unit in (
                    ("EFS: bytes", "Sum", "bytes/s"),
                    ("EFS: operations", "SampleCount", "operations/s"),
                )
            ]
        ),
    )


def _hosts(settings: MonitoringSettings, metrics: Metrics) -> Row:
    shown: tuple[tuple[str, str, dict[str, float]], ...] = (
        ("Memory of the hosts", "mem_used_percent", {}),
        ("Swap of the hosts", "swap_used_percent", {"alarm": settings.alarm_host_swap_percent}),
        ("iowait of the hosts", "cpu_usage_iowait", {"too little memory": HIGH_IOWAIT_PERCENT}),
    )
    return Row([GraphWidget(title, _extremes(metrics.hosts(name)), "%", marks=marks) for title, name, marks in shown])


def _extremes(metric: Metric) -> list[MetricLine]:
    return [MetricLine(metric, statistic, statistic.lower()) for statistic in ("Minimum", "Average", "Maximum")]


def _rates(metrics: dict[str, Metric], statistic: str) -> list[MetricLine | Expression]:
    lines: list[MetricLine | Expression] = []
    for kind, metric in metrics.items():
        lines.append(MetricLine(metric, statistic, kind, id=kind, visible=False))
        lines.append(Expression(f"{kind} / PERIOD({kind})", kind, f"{kind}_rate"))
    return lines


def _search(metrics: Metrics, name: str) -> Expression:
    """A line for each task, which a search finds while tasks come and go."""
    metric = metrics.insights(name)
    dimensions = ",".join([*metric.dimensions, "TaskId"])
    values = [part for key, value in metric.dimensions.items() for part in (f' {key}="', value, '"')]
    expression = pulumi.Output.concat(
        f'SEARCH(\'{{{metric.namespace},{dimensions}}} MetricName="{name}"', *values, "', 'Average')"
    )
    return Expression(expression, "${PROP('Dim.TaskId')}", name[0].lower() + name[1:])
