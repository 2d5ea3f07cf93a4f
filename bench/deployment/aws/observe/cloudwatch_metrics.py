"""Table of the metrics that CloudWatch has of a stack.

Sources, all of AWS's documentation: "Amazon ECS CloudWatch metrics" (AWS/ECS), "Amazon ECS Container Insights with
enhanced observability metrics" (ECS/ContainerInsights), "CloudWatch metrics for Amazon EFS" (AWS/EFS), "CloudWatch
metrics for your Application Load Balancer" (AWS/ApplicationELB), "List the available CloudWatch metrics for your
instances" (AWS/EC2). Metrics in CWAgent are those of pypiserver_stack/hosts/cloudwatch_agent.json.

CloudWatch refuses no metric that does not exist: a dimension too many or too few, and there is no data. Rows of one
metric and subject are alternatives, and the first that has values counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from bench.deployment.aws.observe.handles import StackHandles

Scope = Literal["service", "task", "instance", "balancer", "file system"]


@dataclass(frozen=True)
class CloudWatchMetric:
    """One metric of CloudWatch, and what a report calls it."""

    metric: str
    """Our name, of docs/metrics.md."""
    scope: Scope
    """What it is measured of; of tasks and instances there is a series each."""
    namespace: str
    name: str
    """CloudWatch's name."""
    dimensions: tuple[str, ...]
    statistic: str
    unit: str
    period_s: int = 60
    scale: float = 1
    """One of CloudWatch's unit in ours."""
    per_second: bool = False
    """Whether the values are divided by the period."""
    percent_of: str | None = None
    """Handle that the values are in percent of; None: they are no such percentage, or stay one."""
    permitted: str | None = None
    """Metric of the same dimensions that the values are given in percent of."""
    mode: tuple[str, str] | None = None
    """Handle and the value that it must have; None: it is published in every mode."""
    sparse: bool = False
    """Whether a period in which nothing is counted has no value at all."""

    @property
    def source(self) -> str:
        over = f" over {self.permitted}" if self.permitted else ""
        of = f" of {self.percent_of}" if self.percent_of else ""
        return f"CloudWatch {self.namespace} {self.name} {self.statistic}{over}{of}"

    def factor(self, handles: StackHandles) -> float:
        """What a value of CloudWatch is multiplied by."""
        share = 1.0 if self.percent_of is None else getattr(handles, self.percent_of) / 100
        return self.scale * share / (self.period_s if self.per_second else 1)

    def missing(self, handles: StackHandles) -> str | None:
        """Why there cannot be such a metric of a stack; None where there can."""
        if self.percent_of is not None and getattr(handles, self.percent_of) is None:
            return f"{self.percent_of} of {handles.instance_type} is not known"
        handle, value = self.mode or ("region", handles.region)
        actual = getattr(handles, handle)
        return None if actual == value else f"not published in this mode: {handle} is {actual}, not {value}"


_SERVICE = ("ClusterName", "ServiceName")
_TASK = (*_SERVICE, "TaskId")
_TASK_OF_FAMILY = ("ClusterName", "TaskDefinitionFamily", "TaskId")
_INSTANCE = ("AutoScalingGroupName", "InstanceId")
_TARGETS = ("LoadBalancer", "TargetGroup")
_BALANCER, _FILES = _TARGETS[:1], ("FileSystemId",)

_MB = 2.0**-20
_ENHANCED = ("container_insights", "enhanced")
_ELB, _EFS = "AWS/ApplicationELB", "AWS/EFS"

_TASK_CPU = partial(
    CloudWatchMetric,
    "task_cpu",
    scope="task",
    namespace="ECS/ContainerInsights",
    name="TaskCpuUtilization",
    statistic="Average",
    unit="vCPU",
    percent_of="task_vcpus",
    mode=_ENHANCED,
)
# A limit is a task's own: the average of a minute would hide the moment before it is killed.
_TASK_MEMORY = partial(
    CloudWatchMetric,
    "task_memory",
    scope="task",
    namespace="ECS/ContainerInsights",
    name="TaskMemoryUtilization",
    statistic="Maximum",
    unit="MB",
    percent_of="task_reservation_mb",
    mode=_ENHANCED,
)
_OF_SERVICE = partial(CloudWatchMetric, scope="service", namespace="AWS/ECS", dimensions=_SERVICE, unit="%")
_OF_AGENT = partial(CloudWatchMetric, scope="instance", namespace="CWAgent")
_OF_EC2 = partial(CloudWatchMetric, scope="instance", namespace="AWS/EC2", dimensions=("InstanceId",), period_s=300)
_OF_FILES = partial(CloudWatchMetric, scope="file system", namespace=_EFS, dimensions=_FILES)
_BYTES = partial(_OF_FILES, statistic="Sum", unit="MB/s", scale=_MB, per_second=True)
_OF_BALANCER = partial(CloudWatchMetric, scope="balancer", namespace=_ELB)
_WAIT = partial(_OF_BALANCER, name="TargetResponseTime", dimensions=_TARGETS, unit="s", sparse=True)
_COUNT = partial(_OF_BALANCER, statistic="Sum", unit="1/s", per_second=True, sparse=True)

METRICS: tuple[CloudWatchMetric, ...] = (
    # AWS names both sets of dimensions for a task, in different places.
    _TASK_CPU(dimensions=_TASK),
    _TASK_CPU(dimensions=_TASK_OF_FAMILY),
    _TASK_MEMORY(dimensions=_TASK),
    _TASK_MEMORY(dimensions=_TASK_OF_FAMILY),
    _OF_SERVICE("service_cpu", name="CPUUtilization", statistic="Average"),
    _OF_SERVICE("service_memory", name="MemoryUtilization", statistic="Maximum"),
    _OF_EC2("instance_cpu", name="CPUUtilization", statistic="Average", unit="%"),
    _OF_AGENT(
        "instance_memory",
        name="mem_used_percent",
        dimensions=_INSTANCE,
        statistic="Maximum",
        unit="MB",
        percent_of="instance_memory_mb",
    ),
    # The agent's plugin for CPUs adds the dimension `cpu`.
    _OF_AGENT(
        "instance_iowait", name="cpu_usage_iowait", dimensions=(*_INSTANCE, "cpu"), statistic="Average", unit="%"
    ),
    _OF_EC2(
        "instance_cpu_credits",
        name="CPUCreditBalance",
        statistic="Minimum",
        unit="credits",
        mode=("cpu", "burstable"),
    ),
    _OF_FILES(
        "efs_burst_credits",
        name="BurstCreditBalance",
        statistic="Minimum",
        unit="bytes",
        mode=("efs_throughput_mode", "bursting"),
    ),
    _OF_FILES(
        "efs_percent_io_limit",
        name="PercentIOLimit",
        statistic="Maximum",
        unit="%",
        mode=("efs_performance_mode", "generalPurpose"),
    ),
    _OF_FILES(
        "efs_throughput",
        name="MeteredIOBytes",
        statistic="Sum",
        unit="%",
        scale=100,
        per_second=True,
        permitted="PermittedThroughput",
    ),
    # Each client counts once a minute.
    _OF_FILES("efs_client_connections", name="ClientConnections", statistic="Sum", unit="count"),
    _BYTES("efs_data_read", name="DataReadIOBytes"),
    _BYTES("efs_data_write", name="DataWriteIOBytes"),
    _BYTES("efs_metadata_io", name="MetadataIOBytes"),
    _WAIT("balancer_response_time_p50", statistic="p50"),
    _WAIT("balancer_response_time_p95", statistic="p95"),
    _WAIT("balancer_response_time_p99", statistic="p99"),
    _COUNT("balancer_requests", name="RequestCount", dimensions=_BALANCER),
    _COUNT("balancer_5xx", name="HTTPCode_ELB_5XX_Count", dimensions=_BALANCER),
    _COUNT("target_5xx", name="HTTPCode_Target_5XX_Count", dimensions=_TARGETS),
    _COUNT("balancer_rejected_connections", name="RejectedConnectionCount", dimensions=_BALANCER),
    _OF_BALANCER(
        "balancer_active_connections",
        name="ActiveConnectionCount",
        dimensions=_BALANCER,
        statistic="Sum",
        unit="count",
        sparse=True,
    ),
    # The fewest of any moment, as any node of the balancer sees them.
    _OF_BALANCER("healthy_targets", name="HealthyHostCount", dimensions=_TARGETS, statistic="Minimum", unit="count"),
)
