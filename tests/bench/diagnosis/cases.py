"""Evidence made by hand: requests that are all alike, and series of a few values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.commands.explain.ladder import settings_of
from bench.deployment.observe.series import Series
from bench.diagnosis.evidence import Evidence
from bench.index.errors import ErrorKind
from bench.load.health import GeneratorHealth
from bench.load.samples import Operation, Samples
from pypiserver_stack.settings import Settings
from tests.bench.tested_plan import TESTED_PLAN

STRESS: Settings = settings_of("stress")
PEER: Settings = settings_of("peer")


def settings_with(*overrides: str) -> Settings:
    """The stress stack with some settings changed, each `key=value`."""
    return settings_of("stress", overrides)


STICKY = settings_with("stickiness_enabled=true")
SHORT_LIVED = settings_with("gunicorn_keepalive_s=2")
TASKS_CPU_S = {"task-1": 10.0, "task-2": 10.0}
HEALTHY_GENERATOR = GeneratorHealth(cpu_s=(2.0, 2.0), wall_s=10.0, send_lateness_p99_s=0.02, exhausted=0)


def requests(
    count: int = 300,
    *,
    service_s: float = 0.1,
    server_s: float = math.nan,
    auth_s: float = math.nan,
    late_s: float = 0.0,
    operation: Operation | None = None,
    tasks: Mapping[str, int] | None = None,
    failed: int = 0,
    status: int = 503,
) -> Samples:
    """Requests that arrive over ten seconds, a third of them each a redirect, a listing and a download.

    Args:
        operation: all requests are of this kind.
        tasks: how many each answered; the rest by two tasks in turn.
        failed: so many, the last, have `status`, of no task.
    """
    names = ["", *(tasks or {"task-1": 0, "task-2": 0})]
    served_by = [names.index(task) for task, answered in (tasks or {}).items() for _ in range(answered)]
    served_by += [1 + number % 2 for number in range(count - len(served_by))]
    number = np.arange(count)
    is_failed = number >= count - failed
    due_s = number * 10 / count
    return Samples.of(
        {
            "due_s": due_s,
            "sent_s": due_s + late_s,
            "first_byte_s": due_s + late_s + service_s,
            "done_s": due_s + late_s + service_s,
            "server_s": np.full(count, server_s),
            "auth_s": np.full(count, auth_s),
            "received_bytes": np.full(count, 20_000),
            "status": np.where(is_failed, status, 200),
            "served_by": np.where(is_failed, 0, served_by),
            "operation": number % 3 if operation is None else np.full(count, operation),
            "phase": np.zeros(count),
            "error": np.where(is_failed, ErrorKind.STATUS, ErrorKind.NONE),
        },
        names,
        ("burst",),
    )


def series(metric: str, *values: float, subject: str = "i-1", period_s: float = 60.0) -> Series:
    return Series(
        metric=metric,
        subject=subject,
        source="a recorded case",
        unit="-",
        period_s=period_s,
        unix_s=[1796000000.0 + number * period_s for number in range(len(values))],
        values=list(values),
        absence=None if values else "never published",
    )


def evidence(samples: Samples | None = None, *of: Series, **fields: Any) -> Evidence:
    """Of the stress stack with two tasks, on which nothing stands out but what is given."""
    known: dict[str, Any] = {
        "settings": STRESS,
        "plan": TESTED_PLAN,
        "task_count": 2,
        "generator": HEALTHY_GENERATOR,
        "wheels": 300,
        **fields,
    }
    return Evidence(samples=requests() if samples is None else samples, series=of, **known)


def incident() -> Evidence:
    """The recorded incident of production: 1,494 requests from five addresses in 24 minutes.

    The instances are t3.micro, of 916 MB, with the Terraform module's setup; 85 % of the requests went to one of two.
    Processors, memory, swap and EFS are as they were noted; the latencies are not known, and these are made up.
    """
    by_address: Sequence[int] = (434, 413, 337, 171, 139)
    minutes = 24
    samples = requests(sum(by_address), service_s=12.0, tasks={"task-1": 1270, "task-2": 224})
    samples.rows["operation"] = 1 + np.arange(len(samples)) % 2
    return Evidence(
        samples=samples,
        series=[
            series("task_requests", *[1270 / minutes / 60] * minutes, subject="task-1"),
            series("task_requests", *[224 / minutes / 60] * minutes, subject="task-2"),
            series("task_cpu", *[0.09] * minutes, subject="task-1"),
            series("task_cpu", *[0.05] * minutes, subject="task-2"),
            series("instance_iowait", *([30, 55, 84, 60] * 6)),
            series("instance_memory", *[861] * minutes),
            series("instance_swap", *([700, 730, 748, 740] * 6)),
            series("instance_swap_io", *([2.0, 9.0, 6.5, 3.0] * 6)),
            series("instance_cpu", *[15] * minutes),
            series("efs_percent_io_limit", *[0.8] * minutes),
            series("efs_burst_credits", *[2.3e12] * minutes),
        ],
        settings=settings_of("peer", ("profile=incident",)),
        task_count=2,
        wheels=300,
    )
