"""Failures of the tasks during a load: stops that nobody planned, and processes that the kernel killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.deployment import TaskFailures
from bench.deployment.aws.observe.tasks import StoppedTask


def failures_of(stops: Sequence[StoppedTask], oom_kills_by_instance: Mapping[str, int]) -> TaskFailures:
    """The failures in sentences.

    ECS knows that a task ran out of memory only where its first process was killed. Of gunicorn's workers, which the
    first process starts anew, only the kernel knows.

    Args:
        oom_kills_by_instance: processes that the kernel killed for want of memory, by instance.
    """
    unplanned = [stop for stop in stops if not stop.is_planned]
    killed = [stop for stop in unplanned if stop.ran_out_of_memory]
    return TaskFailures(
        ended=tuple(str(stop) for stop in unplanned if not stop.ran_out_of_memory),
        oom_kills=(
            *map(str, killed),
            *(
                f"instance {one}: the kernel killed processes for want of memory: {count}"
                for one, count in oom_kills_by_instance.items()
                if count
            ),
        ),
        lost_tasks=tuple(stop.task.name for stop in killed),
    )
