"""How many tasks an instance holds, and what a service of them amounts to.

Two constraints bind: memory and CPU, whichever leaves fewer tasks. The formulas are those of the Terraform module
infrahouse/pypiserver/aws 2.3.0; where a plan departs from them, docs/sizing.md says so.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sizing.demand import SizingSettings, TaskDemand, given, refuse_contradictions, task_demand
from sizing.errors import SizingError
from sizing.instances import Instance, cheapest
from sizing.workers import MEMORY_PER_WORKER_MB

SYSTEM_MEMORY_MB = 300  # operating system, ECS agent
PAGE_CACHE_MEMORY_MB = 500  # file system metadata and hot files
# Of the process that carries one task's NFS over TLS. It runs on the host, outside the task: from 10 to 13 MB were seen
# (aws/efs-utils issue 233, kubernetes-sigs/aws-efs-csi-driver issue 1640), and what is in flight comes on top.
MOUNT_PROXY_MEMORY_MB = 16
SYSTEM_CPU_UNITS = 128
CPU_UNITS_PER_VCPU = 1024

# Settings that, once set, keep a task as large as it is however small its container gets; the first one set decides.
_OVERRIDES = {
    "memory": ("container_memory_reservation_mb",),
    "cpu": ("container_cpu_units", "gunicorn_workers"),
}


@dataclass(frozen=True)
class DaemonTask:
    """A task that ECS runs once on every instance, such as a log agent: what it reserves there."""

    memory_mb: int
    cpu_units: int


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


@dataclass(frozen=True)
class TaskPlan:
    """What the settings amount to on one instance type. Memory in MB of 2**20 bytes, 1024 CPU units to a vCPU."""

    instance_type: str
    instance_min_count: int
    instance_max_count: int
    gunicorn_workers: int
    """Worker processes of one task."""
    container_cpu_units: int
    container_memory_mb: int
    """Hard limit of a task: above it the kernel kills it."""
    container_memory_reservation_mb: int
    """What ECS subtracts from an instance for each task that it places there."""
    memory_for_tasks_mb: int
    """What an instance offers to ECS for placing tasks, daemon tasks among them."""
    cpu_units_for_tasks: int
    ecs_reserved_memory_mb: int
    """ECS_RESERVED_MEMORY that makes the ECS agent offer exactly `memory_for_tasks_mb`."""
    mount_proxies_memory_mb: int
    """What the mounts of a full instance take on the host, a proxy for each task; the page cache has so much less."""
    tasks_per_instance_by_memory: int
    tasks_per_instance_by_cpu: int
    tasks_per_instance: int
    bound_by: Literal["memory", "cpu", "both"]
    """The constraint that leaves fewer tasks."""
    task_min_count: int
    task_max_count: int
    warnings: tuple[str, ...]
    """Sentences about what the plan promises and its instances do not hold."""

    def as_dict(self) -> dict[str, Any]:
        """The plan in types that JSON has."""
        return {**asdict(self), "warnings": list(self.warnings)}


def memory_for_tasks_mb(memory_mb: int) -> int:
    """Memory for tasks on an instance of that nominal size: what system and page cache leave."""
    return max(0, memory_mb - SYSTEM_MEMORY_MB - PAGE_CACHE_MEMORY_MB)


def cpu_units_for_tasks(vcpu_count: int) -> int:
    """CPU units for tasks on an instance: what the system leaves."""
    return vcpu_count * CPU_UNITS_PER_VCPU - SYSTEM_CPU_UNITS


def tasks_by_memory(memory_mb: int, reservation_mb: int) -> int:
    """Tasks of that reservation that the memory holds. Zero means zero: no instance is taken to hold one anyway."""
    return max(0, memory_mb) // reservation_mb


def tasks_by_cpu(cpu_units: int, task_cpu_units: int) -> int:
    """Tasks of that many CPU units that the units hold."""
    return max(0, cpu_units) // task_cpu_units


def instance_max_count(
    task_max_count: int, *, tasks_per_instance_by_memory: int, tasks_per_instance_by_cpu: int, instance_min_count: int
) -> int:
    """Instances that hold the most tasks by either constraint, and at least one more than the fewest."""
    return max(
        _ceil_div(task_max_count, tasks_per_instance_by_memory),
        _ceil_div(task_max_count, tasks_per_instance_by_cpu),
        instance_min_count + 1,
    )


def plan(settings: SizingSettings, instance: Instance, daemons: Sequence[DaemonTask] = ()) -> TaskPlan:
    """Apply both constraints to one instance type.

    Raises:
        PlanError: a setting is below 1, or two contradict each other.
        InstanceTooSmallError: the instance cannot hold one task besides the daemon tasks.
    """
    task = task_demand(settings, settings.container_memory_mb)
    refuse_contradictions(settings, task)
    by_memory, by_cpu = _tasks_held(task, instance, daemons)
    per_instance = min(by_memory, by_cpu)
    if per_instance == 0:
        raise _too_small(settings, instance, daemons)
    task_min, task_max = _task_counts(settings, per_instance)
    instance_max = settings.instance_max_count or instance_max_count(
        task_max,
        tasks_per_instance_by_memory=by_memory,
        tasks_per_instance_by_cpu=by_cpu,
        instance_min_count=settings.instance_min_count,
    )
    offered_mb = _offered_memory_mb(instance)
    return TaskPlan(
        instance_type=instance.name,
        instance_min_count=settings.instance_min_count,
        instance_max_count=instance_max,
        gunicorn_workers=task.workers,
        container_cpu_units=task.cpu_units,
        container_memory_mb=settings.container_memory_mb,
        container_memory_reservation_mb=task.memory_reservation_mb,
        memory_for_tasks_mb=offered_mb,
        cpu_units_for_tasks=cpu_units_for_tasks(instance.vcpu_count),
        ecs_reserved_memory_mb=instance.registered_memory_mb - offered_mb,
        mount_proxies_memory_mb=per_instance * MOUNT_PROXY_MEMORY_MB,
        tasks_per_instance_by_memory=by_memory,
        tasks_per_instance_by_cpu=by_cpu,
        tasks_per_instance=per_instance,
        bound_by="both" if by_memory == by_cpu else "memory" if by_memory < by_cpu else "cpu",
        task_min_count=task_min,
        task_max_count=task_max,
        warnings=tuple(_warnings(settings.instance_min_count, instance_max, task_min, task_max, per_instance)),
    )


def _offered_memory_mb(instance: Instance) -> int:
    # From about 16 GB up the kernel keeps more to itself than the formula's 300 MB for the system. What ECS could
    # never offer is not planned with, and the agent and the daemons of the system keep theirs.
    return max(0, min(memory_for_tasks_mb(instance.memory_mb), instance.registered_memory_mb - SYSTEM_MEMORY_MB))


def _left_for_tasks(instance: Instance, daemons: Sequence[DaemonTask]) -> tuple[int, int]:
    """Memory in MB and CPU units that the daemon tasks leave; they are placed first."""
    return (
        _offered_memory_mb(instance) - sum(daemon.memory_mb for daemon in daemons),
        cpu_units_for_tasks(instance.vcpu_count) - sum(daemon.cpu_units for daemon in daemons),
    )


def _tasks_held(task: TaskDemand, instance: Instance, daemons: Sequence[DaemonTask]) -> tuple[int, int]:
    """Tasks that the instance holds by memory, and by CPU."""
    memory_mb, units = _left_for_tasks(instance, daemons)
    return tasks_by_memory(memory_mb, task.memory_reservation_mb), tasks_by_cpu(units, task.cpu_units)


def _task_counts(settings: SizingSettings, per_instance: int) -> tuple[int, int]:
    """Fewest and most tasks. A computed fewest gives way to a most that was set."""
    held = per_instance * settings.instance_min_count
    task_min = given(settings.task_min_count, min(held, given(settings.task_max_count, held)))
    return task_min, given(settings.task_max_count, 2 * task_min)


def _warnings(instance_min: int, instance_max: int, task_min: int, task_max: int, per_instance: int) -> list[str]:
    warnings = []
    if task_max > (held := instance_max * per_instance):
        warnings.append(
            f"task_max_count = {task_max} is above the {held} tasks that instance_max_count = {instance_max} instances "
            f"hold, and the rest would never start: set instance_max_count to {_ceil_div(task_max, per_instance)}, or "
            f"task_max_count to {held} or less"
        )
    if task_min > (held := instance_min * per_instance):
        warnings.append(
            f"task_min_count = {task_min} is above the {held} tasks that instance_min_count = {instance_min} instances "
            f"hold: ECS managed scaling adds instances for the rest, up to instance_max_count = {instance_max}; set "
            f"instance_min_count to {_ceil_div(task_min, per_instance)} to have them from the start"
        )
    if (proxies_mb := per_instance * MOUNT_PROXY_MEMORY_MB) > PAGE_CACHE_MEMORY_MB / 2:
        warnings.append(
            f"the mounts of {per_instance} tasks on an instance take about {proxies_mb} of the {PAGE_CACHE_MEMORY_MB} "
            "MB that are kept for its page cache: raise container_memory_mb, for fewer and larger tasks, or choose a "
            "smaller instance_type"
        )
    return warnings


def _too_small(settings: SizingSettings, instance: Instance, daemons: Sequence[DaemonTask]) -> InstanceTooSmallError:
    task = task_demand(settings, settings.container_memory_mb)
    memory_mb, units = _left_for_tasks(instance, daemons)
    shortages = {}
    if memory_mb < task.memory_reservation_mb:
        shortages["memory"] = f"{task.memory_reservation_mb} MB of memory ({max(0, memory_mb)} left)"
    if units < task.cpu_units:
        shortages["cpu"] = f"{task.cpu_units} CPU units ({max(0, units)} left)"
    fitting = cheapest(instance.architecture, lambda known: min(_tasks_held(task, known, daemons)) > 0)
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
    """What to lower where a smaller container alone does not help because some of what follows from it was set."""
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
        sizes_mb, True, key=lambda size_mb: min(_tasks_held(task_demand(settings, size_mb), instance, daemons)) == 0
    )
    return sizes_mb[fitting - 1] if fitting else None


def _ceil_div(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
