"""The metrics that AWS publishes, as far as this project has use for them: their dimensions, statistics and periods.

CloudWatch refuses no alarm and no graph on a metric that does not exist; it never has data, and nobody sees why. What
exists stands here once more, from the documentation of each service, and tests hold the program against it.
"""

from __future__ import annotations

from dataclasses import dataclass

_LEVELS = frozenset({"Minimum", "Average", "Maximum"})
_COUNTS = frozenset({"Sum"})
_BYTES = frozenset({"Sum", "SampleCount", "Minimum", "Average", "Maximum"})
_LATENCIES = frozenset({"Average", "Maximum", "p50", "p90", "p95", "p99"})


@dataclass(frozen=True)
class Published:
    """Metrics that are alike."""

    namespace: str
    names: frozenset[str]
    dimensions: tuple[frozenset[str], ...]
    """The combinations they are published with."""
    statistics: frozenset[str]
    """Those that mean something."""
    period_s: int = 60
    """A shorter period has gaps."""


def _published(
    namespace: str,
    names: str,
    dimensions: tuple[str, ...],
    statistics: frozenset[str],
    period_s: int = 60,
) -> Published:
    combinations = tuple(frozenset(combination.split()) for combination in dimensions)
    return Published(namespace, frozenset(names.split()), combinations, statistics, period_s)


_ELB, _ECS, _INSIGHTS = "AWS/ApplicationELB", "AWS/ECS", "ECS/ContainerInsights"
_BALANCER, _TARGETS, _SERVICE = "LoadBalancer", "LoadBalancer TargetGroup", "ClusterName ServiceName"

METRICS = (
    _published(_ELB, "HTTPCode_ELB_5XX_Count RejectedConnectionCount ActiveConnectionCount", (_BALANCER,), _COUNTS),
    _published(_ELB, "TargetResponseTime", (_BALANCER, _TARGETS), _LATENCIES),
    _published(
        _ELB,
        "RequestCount HTTPCode_Target_2XX_Count HTTPCode_Target_3XX_Count HTTPCode_Target_4XX_Count "
        "HTTPCode_Target_5XX_Count",
        (_BALANCER, _TARGETS),
        _COUNTS,
    ),
    _published(_ELB, "HealthyHostCount UnHealthyHostCount", (_TARGETS,), _LEVELS),
    _published(_ECS, "CPUUtilization MemoryUtilization", (_SERVICE,), _LEVELS),
    _published(
        _INSIGHTS,
        "RunningTaskCount DesiredTaskCount PendingTaskCount CpuUtilized MemoryUtilized",
        (_SERVICE,),
        _LEVELS,
    ),
    # With enhanced observability alone.
    _published(_INSIGHTS, "TaskCpuUtilization TaskMemoryUtilization", (f"{_SERVICE} TaskId",), _LEVELS),
    _published("AWS/EFS", "BurstCreditBalance PercentIOLimit PermittedThroughput", ("FileSystemId",), _LEVELS),
    _published("AWS/EFS", "MeteredIOBytes DataReadIOBytes DataWriteIOBytes MetadataIOBytes", ("FileSystemId",), _BYTES),
    _published("AWS/EFS", "ClientConnections", ("FileSystemId",), _COUNTS),
    # As the agent on the hosts aggregates them.
    _published("CWAgent", "mem_used_percent swap_used_percent cpu_usage_iowait", ("AutoScalingGroupName",), _LEVELS),
    _published(
        "AWS/EC2", "CPUCreditBalance CPUSurplusCreditsCharged", ("InstanceId", "AutoScalingGroupName"), _LEVELS, 300
    ),
    _published("AWS/CertificateManager", "DaysToExpiry", ("CertificateArn",), frozenset({"Minimum"}), 86400),
)

PREDEFINED = {
    "ALBRequestCountPerTarget",
    "ECSServiceAverageCPUUtilization",
    "ECSServiceAverageMemoryUtilization",
}
"""What scaling names in place of a metric."""


def fault(namespace: str, name: str, dimensions: set[str], statistic: str, period_s: int) -> str | None:
    """What is wrong with naming a metric so, if anything."""
    alike = next((m for m in METRICS if m.namespace == namespace and name in m.names), None)
    if alike is None:
        return f"there is no metric {namespace} {name}"
    if dimensions not in alike.dimensions:
        return f"{name} is not published with {sorted(dimensions)}"
    if statistic not in alike.statistics:
        return f"{statistic} of {name} means nothing"
    if period_s < alike.period_s:
        return f"{name} is not there every {period_s} s"
    return None
