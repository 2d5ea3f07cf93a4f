"""How figures and names read in Markdown and on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Protocol

from bench.deployment.description import Limits, Local, TaskMemory
from bench.report.model import CpuTime, Percentiles, Report, Run, Threshold
from sizing.counted import counted

NOTHING = "-"


def measure(name: str, value: float | None) -> str:
    """A value with the unit that the name of its threshold carries: `_s` seconds, `_rate` a share, else a count."""
    if value is None:
        return NOTHING
    if name.endswith("_s"):
        return f"{seconds(value)} s"
    return share(value) if name.endswith("_rate") else f"{value:,.10g}"


def seconds(value: float) -> str:
    """To the millisecond, without a unit."""
    return f"{value:,.3f}"


def share(value: float | None) -> str:
    """As a percentage."""
    return NOTHING if value is None else f"{value * 100:.2f} %"


def rate(value: float | None) -> str:
    """Per second, without a unit."""
    return NOTHING if value is None else f"{value:,.1f}"


def limit(threshold: Threshold) -> str:
    """What had to hold, such as `< 2.000 s`; a limit of 0 has to be met exactly."""
    return f"{'< ' if threshold.limit else ''}{measure(threshold.name, threshold.limit)}"


def latencies(percentiles: Percentiles | None) -> tuple[str, str, str, str]:
    """p50, p95, p99 and max."""
    if percentiles is None:
        return (NOTHING, NOTHING, NOTHING, NOTHING)
    return (seconds(percentiles.p50), seconds(percentiles.p95), seconds(percentiles.p99), seconds(percentiles.max))


def milliseconds(percentiles: Percentiles | None) -> tuple[str, str, str]:
    """p50, p95 and p99 without a unit: to the microsecond below 10 ms, to the millisecond above."""
    if percentiles is None:
        return (NOTHING, NOTHING, NOTHING)
    p50, p95, p99 = (
        f"{value * 1e3:,.{3 if value < 0.01 else 0}f}" for value in (percentiles.p50, percentiles.p95, percentiles.p99)
    )
    return p50, p95, p99


def evenness(report: Report) -> str:
    """How evenly the requests lay on the tasks; empty where that is not known."""
    if report.per_task_deviation is None:
        return ""
    tasks = max(report.local.tasks_run if report.local else 0, len(report.per_task))
    return f"at most {share(report.per_task_deviation)} from an even share of {counted(tasks, 'task')}"


def cpu_per_request(cpu: CpuTime | None) -> str:
    """CPU time per request with its unit."""
    return NOTHING if cpu is None or cpu.per_request_us is None else f"{cpu.per_request_us:,.0f} us"


def processes(shares: list[float]) -> str:
    """How many processes the load generator was, and how busy, such as `2 processes: 41 % and 40 % of a core`."""
    if not shares:
        return NOTHING
    count = counted(len(shares), "process", "processes")
    return f"{count}: {' and '.join(f'{share * 100:.0f} %' for share in shares)} of a core"


_ERRORS: Mapping[str, str] = MappingProxyType(
    {
        "connect": "without a connection",
        "timeout": "timed out",
        "disconnected": "cut off",
        "status": "answered with a status of 400 or above",
        "digest": "with other bytes than listed",
        "protocol": "with an answer that is not an index's",
    }
)


def errors(by_kind: Mapping[str, int]) -> str:
    """How many requests failed in which way, such as `4 timed out, 1 cut off`."""
    return ", ".join(f"{count:,} {_ERRORS.get(kind, kind)}" for kind, count in by_kind.items())


class Ended(Protocol):
    """What every kind of report says of its end."""

    @property
    def run(self) -> Run: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def verdict(self) -> str: ...
    @property
    def failure(self) -> str | None: ...


def headline(report: Ended) -> str:
    """The verdict in words: `passed`, with what a run proved, or `failed: ` and why."""
    if report.exit_code == 0:
        return f"passed: {report.proved}" if isinstance(report, Report) and report.proved else "passed"
    return f"failed: {report.failure or report.verdict.replace('_', ' ')} (exit code {report.exit_code})"


def duration(report: Ended) -> str:
    """How long the run took, as hours, minutes and seconds."""
    return str(timedelta(seconds=round((report.run.ended_at - report.run.started_at).total_seconds())))


def tasks_run(local: Local) -> str:
    """How much of the plan ran here, such as `2 of 12 tasks`."""
    return f"{local.tasks_run} of {counted(local.tasks_planned, 'task')}"


def limits(enforced: Limits) -> str:
    """Which limits the tasks were under, and which not."""
    held = [
        *(["memory of each task"] if enforced.memory else []),
        *(["CPU shares of the tasks"] if enforced.cpu_shares else []),
        *([f"{enforced.vcpus_per_instance} vCPUs of each instance"] if enforced.vcpus_per_instance is not None else []),
    ]
    return "; ".join([f"enforced: {', '.join(held) or 'none'}", *(f"not enforced: {x}" for x in enforced.not_enforced)])


def oom_kills(memory: TaskMemory) -> str:
    """What a task's memory limit did, or would have done on ECS."""
    if memory.oom_kills is None:
        return "OOM kill on ECS" if memory.would_be_oom_killed else "within"
    if not memory.oom_kills or memory.first_oom_kill_at is None:
        return "within, enforced"
    return f"{counted(memory.oom_kills, 'OOM kill')}, first at {memory.first_oom_kill_at:%H:%M:%S} UTC"
