"""Shortcomings of a plan: demands that its instances cannot sustain. Advice is in `sizing.advice`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sizing.counted import counted
from sizing.demand import SizingSettings, TaskDemand
from sizing.instances import Instance
from sizing.packing import (
    DaemonTask,
    baseline_cpu_units,
    cpu_units_reserved,
    mount_proxies_memory_mb,
    page_cache_memory_mb,
)

# Half of what the formula keeps back for the page cache. The formula subtracts from the nominal memory, of which the
# kernel shows less, so an instance that is full by memory never has all of it.
LEAST_PAGE_CACHE_MEMORY_MB = 250


def shortcomings(
    settings: SizingSettings,
    task: TaskDemand,
    instance: Instance,
    daemons: Sequence[DaemonTask],
    task_min_count: int,
    tasks_per_instance: int,
) -> Iterator[str]:
    """Shortcomings of the plan, a clause each; nothing for a plan that its instances can sustain."""
    yield from _too_few_at_first(settings.instance_min_count, task_min_count, tasks_per_instance)
    yield from _little_page_cache(task, instance, daemons, tasks_per_instance)
    if settings.cpu_credits == "standard":
        yield from _throttled(task, instance, daemons, tasks_per_instance)


def _too_few_at_first(instance_min_count: int, task_min_count: int, tasks_per_instance: int) -> Iterator[str]:
    if task_min_count > (held := instance_min_count * tasks_per_instance):
        yield (
            f"task_min_count = {task_min_count} is above the {counted(held, 'task')} that instance_min_count = "
            f"{instance_min_count} has room for, so that the rest wait until ECS managed scaling has added instances"
        )


def _little_page_cache(
    task: TaskDemand, instance: Instance, daemons: Sequence[DaemonTask], tasks_per_instance: int
) -> Iterator[str]:
    used_mb = tasks_per_instance * task.memory_reservation_mb + mount_proxies_memory_mb(tasks_per_instance)
    left_mb = page_cache_memory_mb(instance, daemons, used_mb)
    if left_mb < LEAST_PAGE_CACHE_MEMORY_MB:
        yield (
            f"instance_type {instance.name} has {left_mb} MB left for page cache beside the reservations of "
            f"{counted(tasks_per_instance, 'task')} and {mount_proxies_memory_mb(tasks_per_instance)} MB for mounts, "
            f"and metadata of EFS and hot files need {LEAST_PAGE_CACHE_MEMORY_MB} MB"
        )


def _throttled(
    task: TaskDemand, instance: Instance, daemons: Sequence[DaemonTask], tasks_per_instance: int
) -> Iterator[str]:
    baseline_units = baseline_cpu_units(instance)
    reserved_units = cpu_units_reserved(task, tasks_per_instance, daemons)
    if baseline_units is not None and baseline_units < reserved_units:
        yield (
            f"with cpu_credits = standard, instance_type {instance.name} is throttled to {baseline_units} CPU units "
            f"once its CPU credits are spent, below the {reserved_units} reserved by "
            f"{counted(tasks_per_instance, 'task')}"
        )
