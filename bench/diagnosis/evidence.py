"""Evidence: everything that is known of one load, in the form that rules ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bench.deployment import TaskFailures
from bench.deployment.description import Plan
from bench.deployment.observe.series import Series
from bench.diagnosis.amounts import duration
from bench.load.health import GeneratorHealth
from bench.load.samples import Samples, percentile
from pypiserver_stack.settings import Settings

# The usual threshold of the error rate: from here on failures are all of the trouble.
_INTOLERABLE_ERROR_RATE = 0.01
_BUSY_PERCENT = 90.0


def own_cost_s(times_s: NDArray[np.float64]) -> float:
    """What one of many pieces of work of the same kind costs by itself: one in twenty is faster.

    The time of the others is longer where a worker has several at once, and switches between them.
    """
    return percentile(times_s, 5) or 0.0


@dataclass(frozen=True)
class Evidence:
    """Everything that is known of one load. None, or empty: not known."""

    samples: Samples
    series: Sequence[Series] = ()
    settings: Settings | None = None
    plan: Plan | None = None
    task_count: int | None = None
    """Tasks that ran."""
    requests_by_task: Mapping[str, int] = field(default_factory=dict)
    """As the balancer counted them; where it does not tell, they are taken from the series, else from the answers."""
    tasks_cpu_s: Mapping[str, float] = field(default_factory=dict)
    generator: GeneratorHealth | None = None
    failures: TaskFailures = field(default_factory=TaskFailures)
    wheels: int | None = None
    """Files of the index."""

    def values(self, metric: str) -> NDArray[np.float64]:
        """All values of a metric, those of several subjects one after the other; empty where there are none."""
        return np.array([value for one in self.series_of(metric) for value in one.values], np.float64)

    def series_of(self, metric: str) -> list[Series]:
        """The series of a metric that have values."""
        return [one for one in self.series if one.metric == metric and one.values]

    def mean(self, metric: str) -> float | None:
        values = self.values(metric)
        return float(values.mean()) if len(values) else None

    def highest(self, metric: str) -> float | None:
        values = self.values(metric)
        return float(values.max()) if len(values) else None

    def lowest(self, metric: str) -> float | None:
        values = self.values(metric)
        return float(values.min()) if len(values) else None

    @cached_property
    def timed(self) -> Samples:
        """The requests whose server said what they cost it, in a way that can be."""
        samples = self.samples
        return samples.where(samples.server_s <= samples.service_time_s)

    @cached_property
    def requests_of_tasks(self) -> dict[str, int]:
        """Requests of each task, those that had none included as far as they are known by name."""
        if self.requests_by_task:
            return dict(self.requests_by_task)
        if by_series := self.series_of("task_requests"):
            return {one.subject: round(sum(one.values) * one.period_s) for one in by_series}
        numbers, counts = np.unique(self.samples.served_by, return_counts=True)
        names = self.samples.served_by_names
        return {
            names[number]: count
            for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
            if names[number]
        }

    @property
    def all_tasks_cpu_s(self) -> float | None:
        """CPU time of all tasks during the load."""
        if self.tasks_cpu_s:
            return sum(self.tasks_cpu_s.values())
        series = self.series_of("task_cpu")
        return sum(sum(one.values) * one.period_s for one in series) if series else None

    @property
    def processors_are_busy(self) -> bool:
        """Whether processes had to wait for a processor at times; no where that is not known."""
        return (self.highest("instance_cpu") or 0.0) >= _BUSY_PERCENT

    def cpu_lines(self) -> list[str]:
        """The same for each request, as a line of evidence where it is known."""
        if (cpu_s := self.all_tasks_cpu_s) is None:
            return []
        return [f"the tasks used {duration(cpu_s / len(self.samples))} of CPU for each request"]

    def share_of_failures(self, count: int) -> float:
        """The part of the trouble that so many failed requests are: few failures among many requests are little."""
        failed = int(self.samples.failed.sum())
        if not failed:
            return 0.0
        error_rate = failed / len(self.samples)
        return min(1.0, count / failed) * min(1.0, error_rate / _INTOLERABLE_ERROR_RATE)
