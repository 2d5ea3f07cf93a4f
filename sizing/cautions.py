"""What a plan promises and its instances do not hold, or hold only while little is asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sizing.demand import TaskDemand
from sizing.instances import Instance, cheapest
from sizing.packing import (
    MOUNT_PROXY_MEMORY_MB,
    PAGE_CACHE_MEMORY_MB,
    DaemonTask,
    baseline_cpu_units,
    cpu_units_reserved,
    page_cache_memory_mb,
    tasks_held,
)


def too_few_at_first(instance_min: int, instance_max: int, task_min: int, per_instance: int) -> Iterator[str]:
    """The fewest tasks exceed what the fewest instances hold."""
    if task_min > (held := instance_min * per_instance):
        yield (
            f"task_min_count = {task_min} is above the {held} tasks that instance_min_count = {instance_min} instances "
            f"hold: ECS managed scaling adds instances for the rest, up to instance_max_count = {instance_max}; set "
            f"instance_min_count to {-(-task_min // per_instance)} to have them from the start"
        )


def little_page_cache(task: TaskDemand, instance: Instance, daemons: Sequence[DaemonTask]) -> Iterator[str]:
    """A full instance keeps less page cache than the memory for tasks was computed with: the kernel takes some too."""
    left_mb = _page_cache_when_full_mb(task, instance, daemons)
    if left_mb >= PAGE_CACHE_MEMORY_MB:
        return
    roomier = cheapest(
        instance.architecture,
        lambda known: (
            min(tasks_held(task, known, daemons)) > 0
            and _page_cache_when_full_mb(task, known, daemons) >= PAGE_CACHE_MEMORY_MB
        ),
    )
    yield (
        f"instance_type {instance.name} has {left_mb} MB left for page cache when it is full of tasks that use what "
        f"they reserve, and {PAGE_CACHE_MEMORY_MB} MB are wanted, for metadata of EFS and hot files: set instance_type "
        f"to {roomier.name if roomier else 'a larger one'}"
    )


def beyond_baseline(task: TaskDemand, instance: Instance, daemons: Sequence[DaemonTask]) -> Iterator[str]:
    """The tasks of a full instance reserve more CPU than a burstable one has without spending CPU credits."""
    tasks = min(tasks_held(task, instance, daemons))
    baseline_units, asked_units = baseline_cpu_units(instance), cpu_units_reserved(task, tasks, daemons)
    if baseline_units is None or baseline_units >= asked_units:
        return
    steady = cheapest(
        instance.architecture,
        lambda known: baseline_cpu_units(known) is None and min(tasks_held(task, known, daemons)) >= tasks,
    )
    yield (
        f"instance_type {instance.name} sustains {baseline_units} CPU units, and is full with tasks that reserve "
        f"{asked_units}: what lasts beyond its CPU credits is billed, or with cpu_credits = standard throttled; where "
        f"load lasts, set instance_type to {steady.name if steady else 'one that does not burst'}"
    )


def many_mounts(tasks_per_instance: int) -> Iterator[str]:
    """The mounts of a full instance take most of its page cache."""
    if (proxies_mb := tasks_per_instance * MOUNT_PROXY_MEMORY_MB) > PAGE_CACHE_MEMORY_MB / 2:
        yield (
            f"the mounts of {tasks_per_instance} tasks on an instance take about {proxies_mb} of the "
            f"{PAGE_CACHE_MEMORY_MB} MB that are kept for its page cache: raise container_memory_mb, for fewer and "
            "larger tasks, or choose a smaller instance_type"
        )


def _page_cache_when_full_mb(task: TaskDemand, instance: Instance, daemons: Sequence[DaemonTask]) -> int:
    tasks = min(tasks_held(task, instance, daemons))
    return page_cache_memory_mb(instance, daemons, tasks * task.memory_reservation_mb)
