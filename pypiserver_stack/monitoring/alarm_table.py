"""Table of the alarms: metric, threshold and advice of each.

Missing data is treated on purpose: `breaching` where silence is the fault itself, `notBreaching` where nothing to count
means that nothing is wrong, `ignore` where a gap says nothing new about a slow state, `missing` where not knowing is to
show and to wake nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pulumi

from pypiserver_stack.monitoring.metrics import Metric, Metrics, certificate
from pypiserver_stack.settings.groups.monitoring import AlarmName, MonitoringSettings
from sizing.capacity import TaskPlan
from sizing.counted import counted
from sizing.instances import Instance

Comparison = Literal["GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold"]
MissingData = Literal["missing", "ignore", "breaching", "notBreaching"]


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm. It goes into ALARM when each of `periods` periods of `period_s` seconds crossed the threshold."""

    name: AlarmName
    metric: Metric
    statistic: str
    """Statistic of CloudWatch; one such as `p95` is an extended one."""
    comparison: Comparison = "GreaterThanThreshold"
    threshold: float
    periods: int = 3
    period_s: int = 300
    missing_data: MissingData
    advice: str
    """Meaning of the alarm and the first step, in a sentence or two."""


def alarms(
    settings: MonitoringSettings,
    plan: TaskPlan,
    instance: Instance,
    metrics: Metrics,
    *,
    throughput_mode: str,
    certificate_arn: pulumi.Input[str] | None = None,
) -> tuple[Alarm, ...]:
    """The alarms of a deployment, without those that are switched off.

    Args:
        throughput_mode: of the file system; in `bursting` alone it is limited by credits.
    """
    every = [
        *_answers(settings, metrics),
        *_tasks(settings, plan, metrics),
        *_hosts(settings, instance, metrics),
        *_file_system(settings, metrics, throughput_mode),
    ]
    if certificate_arn is not None:
        every.append(_certificate(settings, certificate_arn))
    return tuple(alarm for alarm in every if alarm.name not in settings.alarms_off)


def memory_alarm_percent(settings: MonitoringSettings, plan: TaskPlan) -> float:
    """The threshold of the memory alarm in the unit of its metric.

    ECS gives MemoryUtilization in percent of the reservation, and kills at the limit. 80 % of a limit of 512 MB is 410
    MB, which is 106.67 % of a reservation of 384 MB.
    """
    return round(settings.alarm_memory_percent * plan.container_memory_mb / plan.container_memory_reservation_mb, 2)


def _answers(settings: MonitoringSettings, metrics: Metrics) -> Iterator[Alarm]:
    # Without Container Insights nobody counts tasks; the balancer counts those that it can reach.
    counted = settings.container_insights != "disabled"
    yield Alarm(
        name="no_running_task",
        metric=metrics.insights("RunningTaskCount") if counted else metrics.targets("HealthyHostCount"),
        statistic="Maximum",
        comparison="LessThanThreshold",
        threshold=1,
        period_s=60,
        missing_data="breaching",  # where there is nothing, nothing reports
        advice="The index is down: no task serves it. Look at the events of the service, then at why tasks stopped.",
    )
    yield Alarm(
        name="unhealthy_targets",
        metric=metrics.targets("UnHealthyHostCount"),
        statistic="Maximum",
        threshold=0,
        periods=5,
        period_s=60,
        missing_data="notBreaching",  # without targets there is no such metric; no_running_task tells of that
        advice="Tasks fail the balancer's health check, and replacing them has not cured it. Look at their logs.",
    )
    yield Alarm(
        name="target_5xx",
        metric=metrics.targets("HTTPCode_Target_5XX_Count"),
        statistic="Sum",
        comparison="GreaterThanOrEqualToThreshold",
        threshold=settings.alarm_target_5xx_count,
        periods=1,
        missing_data="notBreaching",  # CloudWatch has no zeros of it
        advice="Tasks answer with 5xx. Run the saved query `errors` for the requests and their tracebacks.",
    )
    yield Alarm(
        name="balancer_5xx",
        metric=metrics.balancer("HTTPCode_ELB_5XX_Count"),
        statistic="Sum",
        comparison="GreaterThanOrEqualToThreshold",
        threshold=settings.alarm_balancer_5xx_count,
        periods=1,
        missing_data="notBreaching",  # CloudWatch has no zeros of it
        advice=(
            "The balancer answers in place of the tasks: 502 they broke off, 503 there is none to ask, 504 they took "
            "too long. Look at the count of healthy tasks and at their stops."
        ),
    )
    yield Alarm(
        name="response_time",
        metric=metrics.targets("TargetResponseTime"),
        statistic="p95",
        threshold=settings.alarm_response_time_p95_s,
        missing_data="notBreaching",  # no requests, no waiting
        advice=(
            "One request in twenty waits too long. Compare CPU, memory, swap and the file system on the dashboard, run "
            "the saved query `slow-requests`, then raise task_max_count or choose a larger instance_type."
        ),
    )


def _tasks(settings: MonitoringSettings, plan: TaskPlan, metrics: Metrics) -> Iterator[Alarm]:
    yield Alarm(
        name="service_memory",
        metric=metrics.service("MemoryUtilization"),
        # A limit is a task's own: the average would hide the one that is about to be killed.
        statistic="Maximum",
        threshold=memory_alarm_percent(settings, plan),
        periods=2,
        missing_data="notBreaching",  # without tasks there is no such metric; no_running_task tells of that
        advice=(
            f"A task uses more than {settings.alarm_memory_percent:g} % of its {plan.container_memory_mb} MB, and is "
            f"killed at the limit: it is too small for its load. Raise container_memory_mb (512 or more serves bursts "
            f"of CI jobs), and choose an instance_type above {plan.instance_type} where fewer tasks would then fit."
        ),
    )
    yield Alarm(
        name="service_cpu",
        metric=metrics.service("CPUUtilization"),
        statistic="Average",
        threshold=settings.alarm_cpu_percent,
        missing_data="notBreaching",  # without tasks there is no such metric; no_running_task tells of that
        advice=(
            f"Tasks stay busy although the service scales: it is at its {counted(plan.task_max_count, 'task')}, or "
            "waits for hosts. Raise task_max_count and instance_max_count, or choose an instance_type with more vCPUs."
        ),
    )


def _hosts(settings: MonitoringSettings, instance: Instance, metrics: Metrics) -> Iterator[Alarm]:
    yield Alarm(
        name="host_swap",
        metric=metrics.hosts("swap_used_percent"),
        statistic="Maximum",
        threshold=settings.alarm_host_swap_percent,
        missing_data="missing",  # the agent on the hosts is silent
        advice=(
            f"A host swaps, and every request on it waits for the disk: {instance.name} has too little memory for its "
            "tasks. Choose an instance_type with more, or lower container_memory_mb."
        ),
    )
    if instance.burstable_baseline_percent is not None:
        yield Alarm(
            name="cpu_credits",
            metric=metrics.instances("CPUCreditBalance"),
            # An hour: a new host begins at zero and has spent on its start what it earns in its first half hour.
            statistic="Minimum",
            comparison="LessThanThreshold",
            threshold=1,
            periods=12,
            missing_data="ignore",  # a gap says nothing about a balance
            advice=(
                f"A host has spent its CPU credits: {instance.name} then runs at {instance.burstable_baseline_percent} "
                "% of a vCPU, or is charged for more. Choose an instance_type that is not burstable."
            ),
        )


def _file_system(settings: MonitoringSettings, metrics: Metrics, throughput_mode: str) -> Iterator[Alarm]:
    yield Alarm(
        name="efs_io_limit",
        metric=metrics.file_system("PercentIOLimit"),
        statistic="Average",
        threshold=settings.alarm_efs_io_limit_percent,
        missing_data="notBreaching",  # a file system that nobody uses reports nothing
        advice=(
            "The file system is close to the operations it can do. Use `backend: validated`, which lists the packages "
            "only when they changed, and look for jobs that walk them."
        ),
    )
    if throughput_mode == "bursting":
        yield Alarm(
            name="efs_burst_credits",
            metric=metrics.file_system("BurstCreditBalance"),
            statistic="Minimum",
            comparison="LessThanThreshold",
            threshold=settings.alarm_efs_burst_credit_bytes,
            missing_data="ignore",  # a gap says nothing about a balance
            advice=(
                "Burst credits run down, and without them the file system is slow: 50 KiB/s for each GiB stored, 1 "
                "MiB/s at least. Set efs_throughput_mode to elastic, or spread the load."
            ),
        )


def _certificate(settings: MonitoringSettings, certificate_arn: pulumi.Input[str]) -> Alarm:
    return Alarm(
        name="certificate_expiry",
        metric=certificate(certificate_arn),
        # Published twice a day: a shorter period would be without data in most of its periods.
        statistic="Minimum",
        comparison="LessThanThreshold",
        threshold=settings.alarm_certificate_days,
        periods=1,
        period_s=86400,
        missing_data="ignore",  # once expired a certificate reports no more, and the alarm is to go on
        advice=(
            "The certificate has not been renewed, and every client will refuse the index when it expires. Look in ACM "
            "at what its validation waits for; an imported one has to be imported anew."
        ),
    )
