"""Refusals of impossible plans, with the numbers that would do."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from sizing.counted import counted
from sizing.demand import MEMORY_PER_WORKER_MB, SizingSettings, given, task_demand
from sizing.errors import SizingError
from sizing.instances import Instance, cheapest
from sizing.packing import DaemonTask, left_for_tasks, places_needed, tasks_held

# Settings that, once set, keep a task as large as it is however small its container gets; the first one set decides.
_OVERRIDES = {
    "memory": ("container_memory_reservation_mb",),
    "cpu": ("container_cpu_units", "gunicorn_workers"),
}


class InstanceTooSmallError(SizingError):
    """The instance cannot hold one task.

    Attributes:
        missing: what it has too little of, `memory` or `cpu` or both.
        fitting_instance_type: the cheapest known type of the same architecture that holds the task, if there is one.
        fitting_container_memory_mb: the largest container that the instance holds, of 128 MB or more, if there is one.
    """

    def __init__(
        self,
        sentence: str,
        missing: tuple[str, ...],
        fitting_instance_type: str | None,
        fitting_container_memory_mb: int | None,
    ) -> None:
        super().__init__(sentence)
        self.missing = missing
        self.fitting_instance_type = fitting_instance_type
        self.fitting_container_memory_mb = fitting_container_memory_mb


class TooFewInstancesError(SizingError):
    """The most instances cannot hold the most tasks and what a deployment of them needs.

    Attributes:
        fitting_instance_max_count: the fewest instances that do.
    """

    def __init__(self, sentence: str, fitting_instance_max_count: int) -> None:
        super().__init__(sentence)
        self.fitting_instance_max_count = fitting_instance_max_count


def too_small(settings: SizingSettings, instance: Instance, daemons: Sequence[DaemonTask]) -> InstanceTooSmallError:
    """The refusal of an instance that cannot hold one task."""
    task = task_demand(settings, settings.container_memory_mb)
    memory_mb, units = left_for_tasks(instance, daemons)
    shortages = {}
    if memory_mb < task.memory_reservation_mb:
        shortages["memory"] = f"{task.memory_reservation_mb} MB of memory ({max(0, memory_mb)} left)"
    if units < task.cpu_units:
        shortages["cpu"] = f"{task.cpu_units} CPU units ({max(0, units)} left)"
    fitting = cheapest(instance.architecture, lambda known: min(tasks_held(task, known, daemons)) > 0)
    fitting_mb = _largest_container_memory_mb(settings, instance, daemons)
    ways_out = [
        f"set instance_type to {fitting.name}, the cheapest known that does"
        if fitting
        else f"set instance_type to one larger than any {instance.architecture} type in the catalogue"
    ]
    if fitting_mb:
        ways_out.append(f"set container_memory_mb to {fitting_mb} or less")
    elif settings_to_lower := _settings_to_lower(settings, shortages):
        ways_out.append(f"lower {' and '.join(settings_to_lower)}")
    return InstanceTooSmallError(
        f"instance_type {instance.name} cannot hold one task of container_memory_mb = {settings.container_memory_mb}, "
        f"which reserves {' and '.join(shortages.values())}: {', or '.join(ways_out)}",
        tuple(shortages),
        fitting.name if fitting else None,
        fitting_mb,
    )


def _settings_to_lower(settings: SizingSettings, shortages: Iterable[str]) -> list[str]:
    """Settings to lower if a smaller container alone does not help, because a computed one was set."""
    deciding = {
        shortage: next((name for name in _OVERRIDES[shortage] if getattr(settings, name) is not None), None)
        for shortage in shortages
    }
    return [name or "container_memory_mb" for name in deciding.values()] if any(deciding.values()) else []


def _largest_container_memory_mb(
    settings: SizingSettings, instance: Instance, daemons: Sequence[DaemonTask]
) -> int | None:
    smallest_mb = max(MEMORY_PER_WORKER_MB, given(settings.container_memory_reservation_mb, 0))
    sizes_mb = range(smallest_mb, settings.container_memory_mb)
    # A larger container never holds where a smaller one does not.
    fitting = bisect_left(
        sizes_mb, True, key=lambda size_mb: min(tasks_held(task_demand(settings, size_mb), instance, daemons)) == 0
    )
    return sizes_mb[fitting - 1] if fitting else None


def too_few_instances(
    settings: SizingSettings, instance_max: int, places: int, needed: int, per_instance: int, task_max: int
) -> TooFewInstancesError:
    """The refusal of a group that cannot hold its service."""
    fitting = -(-needed // per_instance)
    if task_max > places:
        why, other_way_out = "the rest would never start", f", or task_max_count to {places} or less"
        if places < given(settings.task_min_count, 1) or places < places_needed(
            1, places, settings.deployment_minimum_healthy_percent
        ):
            other_way_out = ""
        beyond = f"task_max_count = {task_max}"
    else:
        why, other_way_out = "it may stop none before another has started, so that it would wait for ever", ""
        beyond = f"the {needed} that a deployment of {counted(needed - 1, 'task')} needs"
    return TooFewInstancesError(
        f"instance_max_count = {instance_max} is room for {counted(places, 'task')}, fewer than {beyond}, and {why}: "
        f"set instance_max_count to {fitting}{other_way_out}",
        fitting,
    )
