"""Observation of local tasks and their balancer during a load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.deployment import Observation
from bench.deployment.description import TaskMemory
from bench.deployment.local_processes.reconcile import LocalStack
from bench.deployment.local_processes.tasks import Task
from bench.deployment.observe.absent import absent_here, not_watched
from bench.deployment.observe.balancer_probe import balancer_probe
from bench.deployment.observe.cpu import cpu_used_s
from bench.deployment.observe.machine_probe import machine_probe
from bench.deployment.observe.sampler import sampled
from bench.deployment.observe.task_probes import MemoryWatch, cpu_probe
from bench.deployment.observe.task_processes import TaskProcesses

_PERIOD_S = 1.0
# The kernel walks the page tables of every process for it.
_MEMORY_PERIOD_S = 5.0
_BALANCER = "balancer"


@contextmanager
def observed(processes: LocalStack, *, watch_memory: bool) -> Iterator[Observation]:
    """Observe the tasks and the balancer of a stack; the observation is complete when the context is left."""
    tasks, balancer = processes.tasks, processes.balancer
    observation = Observation()
    before = requests_by_task(processes)
    roots = {**{task.id: task.child.pid for task in tasks}, _BALANCER: balancer.child.pid}
    by_task = {task.id: TaskProcesses(task.child.pid) for task in tasks}
    memory = MemoryWatch(by_task if watch_memory else {}, _MEMORY_PERIOD_S)
    probes = [
        cpu_probe(by_task, _PERIOD_S),
        machine_probe(_PERIOD_S),
        balancer_probe(processes, _PERIOD_S),
        memory.probe,
    ]
    with sampled(probes) as cost, cpu_used_s(roots) as cpu_s:
        yield observation
    after = requests_by_task(processes)
    observation.balancer_cpu_s = cpu_s.pop(_BALANCER, None)
    observation.tasks_cpu_s = cpu_s
    # Not every server says who it is; the balancer knows of all, and where it has ended, of none.
    observation.requests_by_task = {task.id: max(0, after[task.id] - before[task.id]) for task in tasks}
    peaks_mb = memory.peaks_mb()
    observation.memory = [_memory_of(task, peaks_mb[task.id], processes) for task in tasks if watch_memory]
    observation.sampling_cpu_s = cost.cpu_s
    observation.series = [
        *(series for probe in probes for series in probe.collector.series()),
        *([] if watch_memory else not_watched(list(by_task), _MEMORY_PERIOD_S)),
        *absent_here(_PERIOD_S),
    ]


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
