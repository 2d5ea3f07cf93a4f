"""Limits of ECS and of the instances on the tasks, enforced by control groups as far as this machine allows.

Only the tasks are limited: the balancer and the load generator stand for other machines.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import psutil

from bench.common.cores import usable_cores
from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.description import NO_LIMITS, Limits
from bench.deployment.local_processes.control_groups import (
    Controller,
    ControllerName,
    NotUsableError,
    file_system_of,
    find_controller,
    group_name,
)
from bench.deployment.local_processes.task_definition import InstanceSpec, TaskSpec
from bench.deployment.local_processes.tasks import Task
from sizing.counted import counted

_NAMES: Mapping[ControllerName, str] = {"memory": "memory limits", "cpu": "CPU"}
_POLL_S = 0.2
_CPU_UNITS_PER_VCPU = 1024
# A file there is memory of the task that writes it, and the kernel cannot take it back as it does with page cache.
_IN_MEMORY = ("tmpfs", "ramfs")
# A run may have several stacks.
_group_numbers = itertools.count(1)


@dataclass(frozen=True)
class OomKills:
    """Number of a task's processes that the kernel has killed for want of memory, and when the first was noticed."""

    count: int
    first_at: datetime


TURNED_OFF = NO_LIMITS.model_copy(update={"not_enforced": ("memory and CPU: turned off by --limits or bench:limits",)})


class TaskLimits:
    """The limits of the tasks of one stack. What cannot be enforced here is left, and `enforced` says why."""

    def __init__(self, instance: InstanceSpec, instance_count: int, folder: Path) -> None:
        """
        Args:
            instance_count: how many instances the tasks are dealt to in turn, as ECS spreads them over the zones.
            folder: where the tasks keep their files.
        """
        self._instance = instance
        run_mark = os.environ[RUN_VARIABLE]
        self._instances = [group_name(run_mark, next(_group_numbers)) for _ in range(instance_count)]
        self._groups: dict[str, PurePosixPath] = {}
        self._oom_kills: dict[str, OomKills] = {}
        self._reasons: dict[ControllerName, str] = {}
        self._controllers = dict(self._usable_controllers(folder))
        self._stopped = threading.Event()
        self._watch = threading.Thread(target=self._watch_memory, name="oom-kills", daemon=True)

    def apply(self, task: Task, spec: TaskSpec) -> None:
        """Put a task that has just been started under its limits, with all of its processes."""
        group = PurePosixPath(self._instances[len(self._groups) % len(self._instances)], task.id)
        for name, controller in [*self._controllers.items()]:
            try:
                controller.make(group)
                if name == "memory":
                    controller.limit_memory(group, spec.memory_mb * 2**20)
                else:
                    self._limit_cpu(controller, group, spec)
                for pid in _tree(task.child.pid):
                    controller.enter(group, pid)
            except NotUsableError as error:
                del self._controllers[name]
                self._reasons[name] = str(error)
        if not self._groups:
            self._watch.start()
        self._groups[task.id] = group

    def oom_kills(self) -> dict[str, OomKills]:
        """The OOM kills so far, by the id of each task that had any."""
        self._look_for_oom_kills()
        return dict(self._oom_kills)

    @property
    def enforced(self) -> Limits:
        """Limits that were enforced on the tasks that were started."""
        reasons = [f"{_NAMES[controller]}: {reason}" for controller, reason in self._reasons.items()]
        vcpus, reason = self._quota() if "cpu" in self._controllers else (None, "")
        if reason:
            reasons.append(f"vCPUs of an instance: {reason}")
        return Limits(
            memory="memory" in self._controllers,
            cpu_shares="cpu" in self._controllers,
            vcpus_per_instance=vcpus,
            not_enforced=tuple(reasons),
        )

    def stop(self) -> None:
        """Look for no more OOM kills. The groups are removed with the run, after its processes."""
        self._stopped.set()

    def _usable_controllers(self, folder: Path) -> Iterator[tuple[ControllerName, Controller]]:
        for name in _NAMES:
            try:
                if name == "memory" and (kind := file_system_of(folder)) in _IN_MEMORY:
                    raise NotUsableError(
                        f"{folder} is on {kind}, where files count as memory of the task that writes them: "
                        "set TMPDIR to a folder on a disk"
                    )
                yield name, find_controller(name)
            except NotUsableError as error:
                self._reasons[name] = str(error)

    def _limit_cpu(self, cpu: Controller, group: PurePosixPath, spec: TaskSpec) -> None:
        # Against the balancer and the load generator, an instance weighs what its vCPUs amount to.
        cpu.share_cpu(group.parent, (self._instance.vcpu_count or 1) * _CPU_UNITS_PER_VCPU)
        vcpus, _ = self._quota()
        if vcpus is not None:
            cpu.cap_cpu(group.parent, vcpus)
        cpu.share_cpu(group, spec.cpu_units)

    def _quota(self) -> tuple[int | None, str]:
        """How many processors the tasks of an instance may use, else why nothing limits them."""
        instance, cores = self._instance, usable_cores()
        if instance.vcpu_count is None:
            return None, f"how many a {instance.type} has is not known"
        if instance.vcpu_count > cores:
            return None, f"a {instance.type} has {instance.vcpu_count}, and this machine has {counted(cores, 'core')}"
        return instance.vcpu_count, ""

    def _watch_memory(self) -> None:
        while not self._stopped.wait(_POLL_S):
            self._look_for_oom_kills()

    def _look_for_oom_kills(self) -> None:
        memory = self._controllers.get("memory")
        if memory is None:
            return
        for task, group in [*self._groups.items()]:
            if count := memory.oom_kills(group):
                first_at = self._oom_kills[task].first_at if task in self._oom_kills else datetime.now(UTC)
                self._oom_kills[task] = OomKills(count, first_at)


def _tree(pid: int) -> Iterator[int]:
    """A process, and then those that it has started so far: what it starts after it was moved is moved already."""
    yield pid
    try:
        yield from (child.pid for child in psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return
