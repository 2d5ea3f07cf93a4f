"""Capacity: tasks on an instance, and the plan of a service of them.

Two constraints bind: memory and CPU, whichever leaves fewer tasks. The formulas are those of the Terraform module
infrahouse/pypiserver/aws 2.3.0; where a plan departs from them, docs/sizing.md says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from sizing.advice import Advice, advise
from sizing.connections import EXPECTED_CONNECTIONS, most_workers, worker_connections
from sizing.counted import counted
from sizing.demand import SizingSettings, SizingValues, given, refuse_contradictions, task_demand
from sizing.instances import Instance
from sizing.packing import (
    MOUNT_PROXY_MEMORY_MB,
    DaemonTask,
    baseline_cpu_units,
    cpu_units_for_tasks,
    offered_memory_mb,
    page_cache_memory_mb,
    places_needed,
    tasks_held,
)
from sizing.refusals import TooFewInstancesError, too_few_instances, too_small

# Half of what the formula keeps back for the page cache. The formula subtracts from the nominal memory, of which the
# kernel shows less, so an instance that is full by memory never has all of it.
LEAST_PAGE_CACHE_MEMORY_MB = 250


@dataclass(frozen=True)
class TaskPlan:
    """Task plan of the settings on one instance type. Memory in MB of 2**20 bytes, 1024 CPU units to a vCPU."""

    instance_type: str
    instance_min_count: int
    instance_max_count: int
    instance_vcpu_count: int
    instance_memory_mb: int
    """Nominal memory, as advertised."""
    instance_registered_memory_mb: int
    """Memory that the kernel sees, and that ECS would place tasks into if nothing were reserved."""
    gunicorn_workers: int
    """Worker processes of one task."""
    worker_connections: int
    """Connections that one worker takes at a time; those beyond wait in the kernel."""
    container_cpu_units: int
    container_memory_mb: int
    """Hard limit of a task: above it the kernel kills it."""
    container_memory_reservation_mb: int
    """Memory that ECS subtracts from an instance for each task that it places there."""
    memory_for_tasks_mb: int
    """Memory that an instance offers to ECS for placing tasks, daemon tasks among them."""
    cpu_units_for_tasks: int
    ecs_reserved_memory_mb: int
    """ECS_RESERVED_MEMORY that makes the ECS agent offer exactly `memory_for_tasks_mb`."""
    mount_proxies_memory_mb: int
    """Memory of the mount proxies of a full instance, one for each task; the page cache has so much less."""
    tasks_per_instance_by_memory: int
    tasks_per_instance_by_cpu: int
    tasks_per_instance: int
    bound_by: Literal["memory", "cpu", "both"]
    """The constraint that leaves fewer tasks."""
    task_min_count: int
    task_max_count: int
    spare_places: int
    """Tasks that the most instances hold beside the most tasks: as many a deployment starts before it stops one."""
    page_cache_memory_mb: int
    """Memory left for page cache on a full instance when each task uses what it reserves."""
    page_cache_memory_at_limits_mb: int
    """The same when each task uses all it may; below 0 the kernel kills before a task reaches its limit."""
    burstable_baseline_cpu_units: int | None
    """CPU that an instance sustains without CPU credits; None if that is all of it."""
    cpu_units_reserved: int
    """CPU that the tasks of a full instance reserve."""
    warnings: tuple[str, ...] = ()
    """Demands that the instances cannot sustain, with the advice; one sentence, or none."""
    advice: tuple[str, ...] = ()
    """Settings to change, each as NAME=VALUE: a plan of them has no warnings. None where no known type would do."""

    def as_dict(self) -> dict[str, Any]:
        """The plan in types that JSON has."""
        return {**asdict(self), "warnings": list(self.warnings), "advice": list(self.advice)}


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
        TooFewInstancesError: the most instances cannot hold the most tasks, or a deployment of them would not end.
    """
    made = _plan(settings, instance, daemons)
    lacking = tuple(_shortcomings(made, settings.cpu_credits))
    if not lacking:
        return made

    def accept(values: SizingValues, other: Instance) -> SizingValues | None:
        try:
            fitting = _plan(values, other, daemons)
        except TooFewInstancesError as error:
            values = replace(values, instance_max_count=error.fitting_instance_max_count)
            fitting = _plan(values, other, daemons)
        return None if any(_shortcomings(fitting, values.cpu_credits)) else values

    advice = advise(settings, instance, daemons, made.task_min_count, accept)
    as_set = tuple(f"{name}={value}" for name, value in advice.items())
    return replace(made, warnings=(f"{'; '.join(lacking)}: {_way_out(advice, instance)}",), advice=as_set)


def _plan(settings: SizingSettings, instance: Instance, daemons: Sequence[DaemonTask]) -> TaskPlan:
    """The plan, whatever it lacks."""
    task = task_demand(settings, settings.container_memory_mb)
    refuse_contradictions(settings, task)
    by_memory, by_cpu = tasks_held(task, instance, daemons)
    per_instance = min(by_memory, by_cpu)
    if per_instance == 0:
        raise too_small(settings, instance, daemons)
    task_min, task_max = _task_counts(settings, per_instance)
    instance_max = settings.instance_max_count or instance_max_count(
        task_max,
        tasks_per_instance_by_memory=by_memory,
        tasks_per_instance_by_cpu=by_cpu,
        instance_min_count=settings.instance_min_count,
    )
    places = instance_max * per_instance
    if places < (needed := places_needed(task_min, task_max, settings.deployment_minimum_healthy_percent)):
        raise too_few_instances(settings, instance_max, places, needed, per_instance, task_max)
    offered_mb = offered_memory_mb(instance)
    return TaskPlan(
        instance_type=instance.name,
        instance_min_count=settings.instance_min_count,
        instance_max_count=instance_max,
        instance_vcpu_count=instance.vcpu_count,
        instance_memory_mb=instance.memory_mb,
        instance_registered_memory_mb=instance.registered_memory_mb,
        gunicorn_workers=task.workers,
        worker_connections=worker_connections(settings.container_memory_mb, task.workers),
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
        spare_places=places - task_max,
        page_cache_memory_mb=page_cache_memory_mb(instance, daemons, per_instance * task.memory_reservation_mb),
        page_cache_memory_at_limits_mb=page_cache_memory_mb(
            instance, daemons, per_instance * settings.container_memory_mb
        ),
        burstable_baseline_cpu_units=baseline_cpu_units(instance),
        cpu_units_reserved=per_instance * task.cpu_units + sum(daemon.cpu_units for daemon in daemons),
    )


def _shortcomings(made: TaskPlan, cpu_credits: str | None) -> Iterator[str]:
    """Demands that the instances cannot sustain, a clause each."""
    full = counted(made.tasks_per_instance, "task")
    if made.task_min_count > (held := made.instance_min_count * made.tasks_per_instance):
        yield (
            f"task_min_count = {made.task_min_count} is above the {counted(held, 'task')} that instance_min_count = "
            f"{made.instance_min_count} has room for, so that the rest wait until ECS managed scaling has added "
            "instances"
        )
    if (left_mb := made.page_cache_memory_mb - made.mount_proxies_memory_mb) < LEAST_PAGE_CACHE_MEMORY_MB:
        yield (
            f"instance_type {made.instance_type} has {left_mb} MB left for page cache beside the reservations of "
            f"{full} and {made.mount_proxies_memory_mb} MB for mounts, and metadata of EFS and hot files need "
            f"{LEAST_PAGE_CACHE_MEMORY_MB} MB"
        )
    if made.gunicorn_workers > most_workers(made.container_memory_mb):
        yield (
            f"gunicorn_workers = {made.gunicorn_workers} leave too little of container_memory_mb = "
            f"{made.container_memory_mb} for the {EXPECTED_CONNECTIONS} connections of a burst"
        )
    baseline_units = made.burstable_baseline_cpu_units
    if cpu_credits == "standard" and baseline_units is not None and baseline_units < made.cpu_units_reserved:
        yield (
            f"with cpu_credits = standard, instance_type {made.instance_type} is throttled to {baseline_units} CPU "
            f"units once its CPU credits are spent, below the {made.cpu_units_reserved} reserved by {full}"
        )


def _way_out(advice: Advice, instance: Instance) -> str:
    if advice:
        return "set " + " and ".join(f"{name} to {value}" for name, value in advice.items())
    return f"no known {instance.architecture} type holds such tasks: lower container_memory_mb or container_cpu_units"


def _task_counts(settings: SizingSettings, per_instance: int) -> tuple[int, int]:
    """Fewest and most tasks. A computed fewest gives way to a most that was set."""
    held = per_instance * settings.instance_min_count
    task_min = given(settings.task_min_count, min(held, given(settings.task_max_count, held)))
    return task_min, given(settings.task_max_count, 2 * task_min)


def _ceil_div(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
