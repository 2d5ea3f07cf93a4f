"""Indexes that a command can load: stood up, observed, described and taken down, wherever they are.

`IndexUnderTest` is the seam between the commands and every place an index can be in. `local` runs a stack on this
machine, `live` is an index that exists already, `reference` has the indexes that a stack is compared with. A command
uses this module and `description`, and nothing below them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from bench.deployment.description import Description, TaskMemory
from bench.deployment.graph import Resource
from bench.deployment.observe.series import Series
from bench.index.target import Target

T = TypeVar("T")


class RunContext(Protocol):
    """The run that `up` is part of, as far as it needs it."""

    @property
    def scratch_folder(self) -> Path:
        """An existing folder of this index alone. The run removes it after `down`."""

    def step(self, name: str) -> None:
        """Begin a step, which the user sees. A signal that came before ends the run here."""

    def note(self, text: str) -> None:
        """Show a fact about the step."""

    def show_progress(self, done: float, total: float) -> None:
        """Show how much of the step is done. Cheap enough to be called all the time."""

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, which a signal cancels."""

    def keep_secret(self, secrets: Collection[str]) -> None:
        """Texts that no report and no message may quote."""

    def pause(self, duration_s: float) -> None:
        """Do nothing for so long, unless a signal comes."""

    def write_text(self, name: str, text: str) -> None:
        """Write a file into the results folder, secrets hidden."""

    def open_log(self, name: str) -> IO[bytes]:
        """A file of the results folder, for what a process that outlives the run has to say."""

    def write_infrastructure(self, resources: Iterable[Resource]) -> None:
        """Write the resources to infrastructure.json, secrets hidden."""


@dataclass
class Observation:
    """Work of the tasks and the balancer during a load; complete once `observe` is left without an exception."""

    tasks_cpu_s: dict[str, float] = field(default_factory=dict)
    """CPU time of each task in seconds. A task that ended has none."""
    balancer_cpu_s: float | None = None
    requests_by_task: dict[str, int] = field(default_factory=dict)
    """Requests that the balancer sent to each task, health checks excluded; empty where the balancer does not tell."""
    memory: list[TaskMemory] = field(default_factory=list)
    """Memory peak of each task; empty where it is not measured."""
    series: list[Series] = field(default_factory=list)
    """Measurements over time, by the metric names of docs/metrics.md. One that cannot be had says why."""
    sampling_cpu_s: float | None = None
    """CPU time that reading them took on the machine of the load generator; None where others read them."""


@dataclass(frozen=True)
class TaskFailures:
    """Failures of the tasks since `up`, in sentences."""

    ended: tuple[str, ...] = ()
    """Processes that ended although nobody stopped them."""
    oom_kills: tuple[str, ...] = ()
    """Tasks in which the kernel killed processes for want of memory."""
    lost_tasks: tuple[str, ...] = ()
    """Tasks that ended with an OOM kill, by id. ECS would have replaced them."""


@dataclass(frozen=True)
class TaskAccess:
    """The tasks behind the balancer, for probes that bypass it."""

    urls: tuple[str, ...]
    health_check_path: str
    requests_by_task: Callable[[], Mapping[str, int]]
    """Requests that each task has had so far, as the balancer counts them."""


class IndexUnderTest(Protocol):
    """A package index that a command loads."""

    @property
    def is_temporary(self) -> bool:
        """True where the run makes, fills and removes the index; False where the index exists before and after."""

    def up(self, run: RunContext) -> Target:
        """Make the index, wait until it is healthy, and return its URL and credentials, which nobody knows before.

        It reports each step to the run, and writes only into that run's scratch folder.

        Raises:
            UsageError: a setting or an option has a wrong value. This sentence and the next name the way out.
            UnavailableError: the index cannot be made, or does not answer.
        """

    def describe(self) -> Description:
        """Describe the index, at any time, also after an `up` that failed halfway: None or empty is not known yet."""

    def observe(self) -> AbstractContextManager[Observation]:
        """A context for one load; its `Observation` is complete when the context is left.

        Leaving it may wait for metrics that arrive late, but only where the load ended without an exception.
        """

    def task_failures(self) -> TaskFailures:
        """Tasks that ended or ran out of memory since `up`, at any time."""

    def task_access(self) -> TaskAccess | None:
        """The tasks, for probes that bypass the balancer; None where they cannot be reached."""

    def down(self) -> tuple[str, ...]:
        """Remove all that `up` got to, and return what remains, in words. Does not raise.

        It may be called where `up` never began, or was interrupted at any line.
        """
