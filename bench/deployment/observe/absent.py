"""Metrics that a run on this machine cannot have, and why."""

from __future__ import annotations

from collections.abc import Collection

from bench.deployment.observe.series import Series

_LOCAL_DISK = "packages lie on a local disk"
_EFS = {
    "efs_burst_credits": "bytes",
    "efs_percent_io_limit": "%",
    "efs_throughput": "%",
    "efs_client_connections": "count",
    "efs_data_read": "MB/s",
    "efs_data_write": "MB/s",
    "efs_metadata_io": "MB/s",
}
_NO_PERCENTILES = "Envoy has no percentiles of an interval; the samples have the time of every answer"
_ABSENT = (
    *((metric, "file system", unit, _LOCAL_DISK) for metric, unit in _EFS.items()),
    ("nfs_operations", "machine", "1/s", _LOCAL_DISK),
    ("instance_cpu_credits", "machine", "credits", "this machine is no burstable instance"),
    ("service_cpu", "service", "%", "no service of ECS runs here; task_cpu has each task"),
    ("service_memory", "service", "%", "no service of ECS runs here; task_memory has each task"),
    *(
        (f"balancer_response_time_{percentile}", "balancer", "s", _NO_PERCENTILES)
        for percentile in ("p50", "p95", "p99")
    ),
)


def absent_here(period_s: float) -> list[Series]:
    """A series without values for each of them."""
    return [_absent(metric, subject, unit, absence, period_s) for metric, subject, unit, absence in _ABSENT]


def not_watched(tasks: Collection[str], period_s: float) -> list[Series]:
    """The memory of tasks where a command does without it."""
    return [_absent("task_memory", task, "MB", "this command does not read it", period_s) for task in tasks]


def _absent(metric: str, subject: str, unit: str, absence: str, period_s: float) -> Series:
    return Series(
        metric=metric,
        subject=subject,
        source="none",
        unit=unit,
        period_s=period_s,
        unix_s=[],
        values=[],
        absence=absence,
    )
