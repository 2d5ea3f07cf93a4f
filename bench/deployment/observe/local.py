"""Observation of local tasks and their balancer during a load."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from bench.deployment import Observation
from bench.deployment.description import TaskMemory
from bench.deployment.local_processes.reconcile import LocalStack
from bench.deployment.local_processes.tasks import Task, proportional_memory_mb
from bench.deployment.observe.cpu import CpuObserver

_INTERVAL_S = 0.5
_BALANCER = "balancer"


@contextmanager
def observed(processes: LocalStack, *, watch_memory: bool) -> Iterator[Observation]:
    """Observe the tasks and the balancer of a stack; the observation is complete when the context is left."""
    tasks, balancer = processes.tasks, processes.balancer
    observation = Observation()
    before = requests_by_task(processes)
    roots = {**{task.id: task.child.pid for task in tasks}, _BALANCER: balancer.child.pid}
    with MemoryObserver(tasks if watch_memory else ()) as memory, CpuObserver(roots) as cpu:
        yield observation
    after = requests_by_task(processes)
    observation.balancer_cpu_s = cpu.used_s.pop(_BALANCER, None)
    observation.tasks_cpu_s = cpu.used_s
    # Not every server says who it is; the balancer knows of all, and where it has ended, of none.
    observation.requests_by_task = {task.id: max(0, after[task.id] - before[task.id]) for task in tasks}
    observation.memory = [_memory_of(task, memory.peak_mb[task.id], processes) for task in tasks if watch_memory]


def requests_by_task(processes: LocalStack) -> Mapping[str, int]:
    """Requests of each task so far; 0 where the balancer has ended."""
    by_port = processes.balancer.requests_by_port()
    return {task.id: by_port.get(task.port, 0) for task in processes.tasks}


def _memory_of(task: Task, peak_mb: float, processes: LocalStack) -> TaskMemory:
    is_enforced, kills = processes.enforced.memory, processes.oom_kills().get(task.id)
    return TaskMemory(
        task=task.id,
        peak_pss_mb=peak_mb,
        limit_mb=task.memory_mb,
        would_be_oom_killed=kills is not None if is_enforced else peak_mb > task.memory_mb,
        oom_kills=(kills.count if kills else 0) if is_enforced else None,
        first_oom_kill_at=kills.first_at if kills else None,
    )


class MemoryObserver:
    """Samples the memory of each task while it is entered; `peak_mb` is by task id, in MB of proportional set size."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.peak_mb = {task.id: 0.0 for task in tasks}
        self._tasks = tuple(tasks)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._observe, name="memory-observer", daemon=True)

    def __enter__(self) -> Self:
        self._sample()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        self._sample()

    def _observe(self) -> None:
        while not self._done.wait(_INTERVAL_S):
            self._sample()

    def _sample(self) -> None:
        for task in self._tasks:
            self.peak_mb[task.id] = max(self.peak_mb[task.id], proportional_memory_mb(task))
