"""Observation of local tasks and their balancer during a load."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from bench.deployment import Observation
from bench.deployment.description import TaskMemory
from bench.deployment.local_processes.reconcile import LocalStack
from bench.deployment.local_processes.tasks import Task, proportional_memory_mb
from bench.deployment.observe.cpu import cpu_used_s

_INTERVAL_S = 0.5
_BALANCER = "balancer"


@contextmanager
def observed(processes: LocalStack, *, watch_memory: bool) -> Iterator[Observation]:
    """Observe the tasks and the balancer of a stack; the observation is complete when the context is left."""
    tasks, balancer = processes.tasks, processes.balancer
    observation = Observation()
    before = requests_by_task(processes)
    roots = {**{task.id: task.child.pid for task in tasks}, _BALANCER: balancer.child.pid}
    with peak_memory_mb(tasks if watch_memory else ()) as peaks_mb, cpu_used_s(roots) as cpu_s:
        yield observation
    after = requests_by_task(processes)
    observation.balancer_cpu_s = cpu_s.pop(_BALANCER, None)
    observation.tasks_cpu_s = cpu_s
    # Not every server says who it is; the balancer knows of all, and where it has ended, of none.
    observation.requests_by_task = {task.id: max(0, after[task.id] - before[task.id]) for task in tasks}
    observation.memory = [_memory_of(task, peaks_mb[task.id], processes) for task in tasks if watch_memory]


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


@contextmanager
def peak_memory_mb(tasks: Sequence[Task]) -> Iterator[dict[str, float]]:
    """Sample the memory of each task in a context; gives its peaks by task id, in MB of proportional set size."""
    peaks_mb = {task.id: 0.0 for task in tasks}
    done = threading.Event()

    def sample() -> None:
        for task in tasks:
            peaks_mb[task.id] = max(peaks_mb[task.id], proportional_memory_mb(task))

    def watch() -> None:
        while not done.wait(_INTERVAL_S):
            sample()

    thread = threading.Thread(target=watch, name="memory-peaks", daemon=True)
    sample()
    thread.start()
    try:
        yield peaks_mb
    finally:
        done.set()
        thread.join()
    sample()
