"""Packing: tasks of a size on an instance, and what they leave of it.

The formulas are those of the Terraform module infrahouse/pypiserver/aws 2.3.0; where a plan departs from them,
docs/sizing.md says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sizing.demand import TaskDemand
from sizing.instances import Instance

SYSTEM_MEMORY_MB = 300  # operating system, ECS agent
PAGE_CACHE_MEMORY_MB = 500  # file system metadata and hot files
# Of the process that carries one task's NFS over TLS. It runs on the host, outside the task: from 10 to 13 MB were seen
# (aws/efs-utils issue 233, kubernetes-sigs/aws-efs-csi-driver issue 1640), and what is in flight comes on top.
MOUNT_PROXY_MEMORY_MB = 16
SYSTEM_CPU_UNITS = 128
CPU_UNITS_PER_VCPU = 1024


@dataclass(frozen=True)
class DaemonTask:
    """A task that ECS runs once on every instance, such as a log agent: what it reserves there."""

    memory_mb: int
    cpu_units: int


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


def offered_memory_mb(instance: Instance) -> int:
    """Memory that ECS offers to tasks there, after the plan's reserve."""
    # From about 16 GB up the kernel keeps more to itself than the formula's 300 MB for the system. What ECS could
    # never offer is not planned with, and the agent and the daemons of the system keep theirs.
    return max(0, min(memory_for_tasks_mb(instance.memory_mb), instance.registered_memory_mb - SYSTEM_MEMORY_MB))


def left_for_tasks(instance: Instance, daemons: Sequence[DaemonTask]) -> tuple[int, int]:
    """Memory in MB and CPU units that the daemon tasks leave; they are placed first."""
    return (
        offered_memory_mb(instance) - sum(daemon.memory_mb for daemon in daemons),
        cpu_units_for_tasks(instance.vcpu_count) - sum(daemon.cpu_units for daemon in daemons),
    )


def tasks_held(task: TaskDemand, instance: Instance, daemons: Sequence[DaemonTask]) -> tuple[int, int]:
    """Tasks that the instance holds by memory, and by CPU."""
    memory_mb, units = left_for_tasks(instance, daemons)
    return tasks_by_memory(memory_mb, task.memory_reservation_mb), tasks_by_cpu(units, task.cpu_units)


def page_cache_memory_mb(instance: Instance, daemons: Sequence[DaemonTask], used_by_tasks_mb: int) -> int:
    """Memory that system, daemon tasks and tasks leave of what the kernel sees."""
    used_by_daemons_mb = sum(daemon.memory_mb for daemon in daemons)
    return instance.registered_memory_mb - SYSTEM_MEMORY_MB - used_by_daemons_mb - used_by_tasks_mb


def baseline_cpu_units(instance: Instance) -> int | None:
    """CPU units that last without CPU credits; None where all of them do."""
    if instance.burstable_baseline_percent is None:
        return None
    return instance.vcpu_count * CPU_UNITS_PER_VCPU * instance.burstable_baseline_percent // 100


def places_needed(task_min_count: int, task_max_count: int, minimum_healthy_percent: int) -> int:
    """Tasks that the most instances must hold, so that the most run and a deployment makes progress at every count.

    A deployment either starts a new task first, which takes one place more, or stops an old one first, which the
    minimum healthy percentage must allow. At 50 %, of one task it allows none: half a task, rounded up, is one.
    """
    return max(
        count + (not _may_stop_one(count, minimum_healthy_percent))
        for count in range(task_min_count, task_max_count + 1)
    )


def _may_stop_one(count: int, minimum_healthy_percent: int) -> bool:
    return -(-count * minimum_healthy_percent // 100) < count
