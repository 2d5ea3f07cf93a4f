"""CPU time and memory of local tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.deployment.observe.collector import Collector, Instrument
from bench.deployment.observe.sampler import Probe
from bench.deployment.observe.task_processes import TaskProcesses


def cpu_probe(tasks: Mapping[str, TaskProcesses], period_s: float) -> Probe:
    """CPU time of each task, by its id."""
    instruments = (Instrument("task_cpu", task, "vCPU", "CPU clocks of its processes", True) for task in tasks)

    def read() -> Sequence[float]:
        return [processes.cpu_s() for processes in tasks.values()]

    return Probe(Collector(tuple(instruments), period_s), read)


class MemoryWatch:
    """Memory of each task, and its peak so far."""

    def __init__(self, tasks: Mapping[str, TaskProcesses], period_s: float) -> None:
        self._tasks = tasks
        self._latest_mb: dict[str, float] = {}
        self._peaks_mb = dict.fromkeys(tasks, 0.0)
        instruments = (Instrument("task_memory", task, "MB", "smaps_rollup Pss of its processes") for task in tasks)
        self.probe = Probe(Collector(tuple(instruments), period_s), self._read)

    def peaks_mb(self) -> dict[str, float]:
        """The largest memory of each task, also between two readings."""
        return {
            task: max(self._peaks_mb[task], latest_mb + self._tasks[task].given_back_mb())
            for task, latest_mb in self._latest_mb.items()
        }

    def _read(self) -> Sequence[float]:
        for task, processes in self._tasks.items():
            processes.find()
            self._latest_mb[task] = memory_mb = processes.memory_mb()
            self._peaks_mb[task] = max(self._peaks_mb[task], memory_mb)
        return list(self._latest_mb.values())
