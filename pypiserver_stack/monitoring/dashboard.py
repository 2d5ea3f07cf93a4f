"""The CloudWatch dashboard: rows from the alarms down to the instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pulumi
import pulumi_aws as aws

from pypiserver_stack.monitoring.alarm_table import memory_alarm_percent
from pypiserver_stack.monitoring.metrics import Metric, Metrics
from pypiserver_stack.monitoring.widgets import (
    AlarmStates,
    GraphLine,
    GraphWidget,
    Row,
    body,
    expression,
    metric_line,
    operand,
)
from pypiserver_stack.settings.groups.monitoring import MonitoringSettings
from sizing.capacity import TaskPlan

HIGH_IOWAIT_PERCENT = 20
"""Above it for long, an instance has too little memory for what it caches of the file system."""


class Dashboard(pulumi.ComponentResource):
    """Service, single tasks, balancer, file system and instances on one page, below the states of the alarms."""

    url: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: MonitoringSettings,
        plan: TaskPlan,
        *,
        metrics: Metrics,
        throughput_mode: str,
        alarm_arns: Sequence[pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:Dashboard", name, None, opts)
        region = aws.get_region_output(opts=pulumi.InvokeOutputOptions(parent=self)).region
        rows = (
            *([[AlarmStates("Alarms", alarm_arns)]] if alarm_arns else []),
            _service(settings, plan, metrics),
            _each_task(settings, metrics),
            *_balancer(settings, metrics),
            *_file_system(settings, metrics, throughput_mode),
            _instances(settings, metrics),
        )
        dashboard = aws.cloudwatch.Dashboard(
            name,
            # Pulumi makes no name for a dashboard. The cluster's is unique, and of letters that a dashboard's may have.
            dashboard_name=metrics.cluster_name,
            dashboard_body=pulumi.Output.json_dumps(body(rows, region)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = pulumi.Output.concat(
            *("https://", region, ".console.aws.amazon.com/cloudwatch/home?region=", region),
            *("#dashboards/dashboard/", dashboard.dashboard_name),
        )
        self.register_outputs({"url": self.url})


def _service(settings: MonitoringSettings, plan: TaskPlan, metrics: Metrics) -> Row:
    if settings.container_insights == "disabled":
        # Nobody counts tasks then; the balancer counts those that are registered with it.
        counts = [
            metric_line(metrics.targets("HealthyHostCount"), "Maximum", "healthy"),
            metric_line(metrics.targets("UnHealthyHostCount"), "Maximum", "unhealthy"),
        ]
    else:
        counts = [
            metric_line(metrics.insights(f"{state.capitalize()}TaskCount"), "Average", state)
            for state in ("running", "desired", "pending")
        ]
    cpu_marks = {"alarm": settings.alarm_cpu_percent}
    memory_marks = {
        "alarm": memory_alarm_percent(settings, plan),
        "limit": round(100 * plan.container_memory_mb / plan.container_memory_reservation_mb, 2),
    }
    reserved = "% of what tasks reserve"
    return [
        GraphWidget("Tasks", counts, "tasks", {"fewest": plan.task_min_count, "most": plan.task_max_count}),
        GraphWidget("CPU of the service", _extremes(metrics.service("CPUUtilization")), reserved, cpu_marks),
        GraphWidget("Memory of the service", _extremes(metrics.service("MemoryUtilization")), reserved, memory_marks),
    ]


def _each_task(settings: MonitoringSettings, metrics: Metrics) -> Row:
    if settings.container_insights == "enhanced":
        return [
            GraphWidget("CPU of each task", [_search(metrics, "TaskCpuUtilization")], "% of what it reserves"),
            GraphWidget("Memory of each task", [_search(metrics, "TaskMemoryUtilization")], "%"),
        ]
    # Minimum and Maximum are the idlest and the busiest task: as much as can be had of single ones.
    cpu = metrics.service("CPUUtilization")
    return [
        GraphWidget(f"CPU of the {extreme}", [metric_line(cpu, statistic, extreme)], "%")
        for extreme, statistic in (("busiest task", "Maximum"), ("idlest task", "Minimum"))
    ]


def _balancer(settings: MonitoringSettings, metrics: Metrics) -> Iterator[Row]:
    waiting = metrics.targets("TargetResponseTime")
    waits = [metric_line(waiting, statistic, statistic) for statistic in ("p50", "p95", "p99")]
    requests = metric_line(metrics.balancer("RequestCount"), "Sum", "requests")
    yield [
        GraphWidget("Requests", [requests], "in a period"),
        GraphWidget("Until an answer begins", waits, "s", {"alarm on p95": settings.alarm_response_time_p95_s}),
    ]
    classes = [
        metric_line(metrics.targets(f"HTTPCode_Target_{digit}XX_Count"), "Sum", f"{digit}xx of tasks")
        for digit in "2345"
    ]
    classes.append(metric_line(metrics.balancer("HTTPCode_ELB_5XX_Count"), "Sum", "5xx of the balancer"))
    connections = [
        metric_line(metrics.balancer(f"{kind.capitalize()}ConnectionCount"), "Sum", kind)
        for kind in ("active", "rejected")
    ]
    yield [
        GraphWidget("Answers by status", classes, "in a period", stacked=True),
        GraphWidget("Connections", connections, "in a period"),
    ]


def _file_system(settings: MonitoringSettings, metrics: Metrics, throughput_mode: str) -> Iterator[Row]:
    of = metrics.file_system
    throughput = [
        operand(of("MeteredIOBytes"), "Sum", "metered"),
        operand(of("PermittedThroughput"), "Average", "permitted"),
        expression("100 * metered / PERIOD(metered) / permitted", "throughput", "share"),
    ]
    connections = [
        operand(of("ClientConnections"), "Sum", "counted"),  # each client counts once a minute
        expression("counted * 60 / PERIOD(counted)", "connections", "connections"),
    ]
    io_limit = [metric_line(of("PercentIOLimit"), "Maximum", "PercentIOLimit")]
    first = [
        GraphWidget("EFS: operations of what it can do", io_limit, "%", {"alarm": settings.alarm_efs_io_limit_percent}),
        GraphWidget("EFS: throughput of what is permitted", throughput, "%"),
        GraphWidget("EFS: client connections", connections, "connections"),
    ]
    if throughput_mode == "bursting":
        balance = [metric_line(of("BurstCreditBalance"), "Minimum", "balance")]
        marks = {"alarm": settings.alarm_efs_burst_credit_bytes}
        first.insert(0, GraphWidget("EFS: burst credits", balance, "bytes", marks))
    yield first
    operations = {"read": "DataReadIOBytes", "write": "DataWriteIOBytes", "metadata": "MetadataIOBytes"}
    each = {kind: of(name) for kind, name in operations.items()}
    yield [
        GraphWidget("EFS: bytes", _rates(each, "Sum"), "bytes/s", stacked=True),
        GraphWidget("EFS: operations", _rates(each, "SampleCount"), "operations/s", stacked=True),
    ]


def _instances(settings: MonitoringSettings, metrics: Metrics) -> Row:
    shown: tuple[tuple[str, str, dict[str, float]], ...] = (
        ("Memory of the hosts", "mem_used_percent", {}),
        ("Swap of the hosts", "swap_used_percent", {"alarm": settings.alarm_host_swap_percent}),
        ("iowait of the hosts", "cpu_usage_iowait", {"too little memory": HIGH_IOWAIT_PERCENT}),
    )
    return [GraphWidget(title, _extremes(metrics.hosts(name)), "%", marks) for title, name, marks in shown]


def _extremes(metric: Metric) -> list[GraphLine]:
    return [metric_line(metric, statistic, statistic.lower()) for statistic in ("Minimum", "Average", "Maximum")]


def _rates(metrics: Mapping[str, Metric], statistic: str) -> list[GraphLine]:
    lines = []
    for kind, metric in metrics.items():
        lines += [operand(metric, statistic, kind), expression(f"{kind} / PERIOD({kind})", kind, f"{kind}_rate")]
    return lines


def _search(metrics: Metrics, name: str) -> GraphLine:
    """A line for each task, which a search finds while tasks come and go."""
    metric = metrics.insights(name)
    dimensions = ",".join([*metric.dimensions, "TaskId"])
    values = [part for key, value in metric.dimensions.items() for part in (f' {key}="', value, '"')]
    search = pulumi.Output.concat(
        f'SEARCH(\'{{{metric.namespace},{dimensions}}} MetricName="{name}"', *values, "', 'Average')"
    )
    return expression(search, "${PROP('Dim.TaskId')}", name[0].lower() + name[1:])
