"""Advice: the change of settings that removes every warning from a plan and adds none."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sizing.connections import most_workers
from sizing.demand import SizingSettings, SizingValues, task_demand
from sizing.instances import Instance, catalogue
from sizing.packing import DaemonTask, left_for_tasks, tasks_held

Advice = Mapping[str, int | str]
"""Settings by name, with the values to set."""
Accept = Callable[[SizingValues, Instance], SizingValues | None]
"""The values with the most instances that they need; None where a plan of them lacks something."""


@dataclass(frozen=True)
class Candidate:
    """Settings on an instance type."""

    values: SizingValues
    instance: Instance

    @property
    def rank(self) -> tuple[float, int]:
        """The price of the fewest instances, and of two that cost the same how many they are."""
        count = self.values.instance_min_count
        return count * (self.instance.price_usd_per_hour or math.inf), count


def advise(
    settings: SizingSettings,
    instance: Instance,
    daemons: Sequence[DaemonTask],
    task_min_count: int,
    accept: Accept,
) -> Advice:
    """The settings to change, nothing where no known instance type will do.

    Workers that leave too little memory for connections become fewer. Then the first of these that helps: more
    instances; unlimited CPU credits; another type, the cheapest of the same architecture; fewer tasks on an instance,
    by more CPU units for each.

    Args:
        task_min_count: the fewest tasks of the plan that lacks something; no advice has fewer.
    """
    original = SizingValues.of(settings)
    values = _with_memory_for_connections(original)
    unlimited = [replace(values, cpu_credits="unlimited")] if values.cpu_credits == "standard" else []
    for find_candidate in (_with_enough_instances, _with_fewer_tasks_on_each):
        for instances in ([instance], _alternatives(settings, instance)):
            for start in (values, *unlimited):
                candidates = (find_candidate(start, known, daemons, task_min_count, accept) for known in instances)
                fitting = [candidate for candidate in candidates if candidate is not None]
                if fitting:
                    return _changes(original, instance, min(fitting, key=lambda candidate: candidate.rank))
    return {}


def _with_memory_for_connections(values: SizingValues) -> SizingValues:
    """The values with as many workers as leave memory for connections, at the most."""
    most = most_workers(values.container_memory_mb)
    workers = task_demand(values, values.container_memory_mb).workers
    return replace(values, gunicorn_workers=most) if workers > most else values


def _alternatives(settings: SizingSettings, instance: Instance) -> list[Instance]:
    """Types that may take the place of this one: burstable only for a burstable one, and always for its CPU credits."""
    burstable = instance.burstable_baseline_percent is not None
    return [
        known
        for known in catalogue().values()
        if known.architecture == instance.architecture
        and known.name != instance.name
        and (burstable or known.burstable_baseline_percent is None)
        and (settings.cpu_credits is None or known.burstable_baseline_percent is not None)
    ]


def _with_enough_instances(
    values: SizingValues, instance: Instance, daemons: Sequence[DaemonTask], task_min_count: int, accept: Accept
) -> Candidate | None:
    """The values with as many instances as the fewest tasks need, where that is all they lack."""
    task = task_demand(values, values.container_memory_mb)
    held = min(tasks_held(task, instance, daemons))
    if held == 0:
        return None
    fewest = max(values.instance_min_count, math.ceil(task_min_count / held))
    most = None if values.instance_max_count is None else max(values.instance_max_count, fewest)
    accepted = accept(replace(values, instance_min_count=fewest, instance_max_count=most), instance)
    return None if accepted is None else Candidate(accepted, instance)


def _with_fewer_tasks_on_each(
    values: SizingValues, instance: Instance, daemons: Sequence[DaemonTask], task_min_count: int, accept: Accept
) -> Candidate | None:
    """The same with the most tasks on an instance that leave enough of it, fewer than it would hold."""
    task = task_demand(values, values.container_memory_mb)
    _, cpu_units = left_for_tasks(instance, daemons)

    def candidate(held: int) -> Candidate | None:
        larger = replace(values, container_cpu_units=cpu_units // (held + 1) + 1)
        return _with_enough_instances(larger, instance, daemons, task_min_count, accept)

    # Fewer tasks never leave less of an instance.
    counts = range(1, min(tasks_held(task, instance, daemons)))
    accepted = bisect_left(counts, True, key=lambda held: candidate(held) is None)
    return candidate(counts[accepted - 1]) if accepted else None


def _changes(values: SizingValues, instance: Instance, candidate: Candidate) -> Advice:
    changes: dict[str, int | str] = {}
    if candidate.instance != instance:
        changes["instance_type"] = candidate.instance.name
    for name in ("gunicorn_workers", "cpu_credits", "container_cpu_units", "instance_min_count", "instance_max_count"):
        if (value := getattr(candidate.values, name)) != getattr(values, name):
            changes[name] = value
    return changes
