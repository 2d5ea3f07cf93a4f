"""Processes of a deployment, started from the resolved graph and ended again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.common.cores import usable_cores
from bench.common.failures import UnavailableError
from bench.deployment.description import Limits
from bench.deployment.graph import Graph
from bench.deployment.local_processes.balancer import Balancer
from bench.deployment.local_processes.limits import TURNED_OFF, OomKills, TaskLimits
from bench.deployment.local_processes.load_balancer import BalancerSpec, read_balancer
from bench.deployment.local_processes.running_tasks import RunningTasks
from bench.deployment.local_processes.task_definition import InstanceSpec, TaskSpec, read_instance, read_task
from bench.deployment.local_processes.tasks import Task, prepare_host, start_task
from sizing.counted import counted


@dataclass(frozen=True)
class DesiredState:
    """State that the graph describes."""

    task: TaskSpec
    instance: InstanceSpec
    task_count: int
    task_max_count: int
    balancer: BalancerSpec


def desired_state(graph: Graph) -> DesiredState:
    """What the graph's one service, its target group and its listener ask to run.

    Raises:
        UnavailableError: something in it cannot run on this machine.
    """
    service = graph.one("aws:ecs/service:Service")
    scaling = graph.of_type("aws:appautoscaling/target:Target")
    count = service.inputs["desiredCount"]
    return DesiredState(
        task=read_task(graph, service),
        instance=read_instance(graph, service),
        task_count=count,
        task_max_count=max([count, *(target.inputs["maxCapacity"] for target in scaling)]),
        balancer=read_balancer(graph, service),
    )


def honest_task_count(state: DesiredState, container_cpu_units: int) -> int:
    """As many tasks as this machine's processors hold; the load generator and the balancer take one of them.

    At least two, so that there is something to balance; never more than the service asks for.
    """
    cores = usable_cores()
    return min(state.task_count, max(2, (cores - 1) * 1024 // container_cpu_units))


class LocalStack:
    """The processes of one deployment. `stop` ends all of them, whatever `start` got to.

    It may be called any time, from any thread; what another thread was changing then ends with an UnavailableError.
    """

    def __init__(
        self, state: DesiredState, run_folder: Path, task_count: int, limits: TaskLimits | None = None
    ) -> None:
        self.state = state
        self.url = ""
        self._folder = run_folder
        self._task_count = task_count
        self._limits = limits
        self._running = RunningTasks(state.balancer, self._start_task)

    @property
    def tasks(self) -> list[Task]:
        """Those that serve."""
        return self._running.tasks

    @property
    def balancer(self) -> Balancer:
        return self._running.balancer

    def start(self) -> None:
        """Start the balancer and the tasks, and wait until it finds each of them healthy.

        Raises:
            UnavailableError: a process ended, or did not become healthy in time.
        """
        self._prepare(self.state.task)
        self.url = self._running.start_balancer(self._folder)
        for failure in self._running.add(self.state.task, self._task_count):
            raise UnavailableError("; ".join([failure, *self.oom_sentences()]))

    def stop(self) -> None:
        """End every process."""
        self._running.stop()
        if self._limits is not None:
            self._limits.stop()

    def ended(self) -> list[str]:
        """In words, which processes ended although nobody asked them to, but for tasks that had OOM kills."""
        return self._running.ended(expected=self.oom_kills().keys())

    @property
    def enforced(self) -> Limits:
        """Which limits the tasks were under."""
        return self._limits.enforced if self._limits is not None else TURNED_OFF

    def oom_kills(self) -> Mapping[str, OomKills]:
        """The OOM kills of each task that had any, by task id."""
        return self._limits.oom_kills() if self._limits is not None else {}

    def oom_sentences(self) -> list[str]:
        """The same in words."""
        return [self._oom_sentence(task, kills) for task, kills in self.oom_kills().items()]

    def lost_tasks(self) -> list[str]:
        """Ids of the tasks that ended with an OOM kill."""
        return [task for task in self.oom_kills() if self._running.has_ended(task)]

    def _oom_sentence(self, task_id: str, kills: OomKills) -> str:
        ended = ", and with it the task, which ECS would have replaced and this run did not"
        return (
            f"{task_id} needed more memory than its limit of {self.state.task.memory_mb} MB: the kernel killed "
            f"{counted(kills.count, 'process', 'processes')} of it, the first at {kills.first_at:%H:%M:%S} UTC"
            f"{ended if self._running.has_ended(task_id) else ''}"
        )

    def _prepare(self, spec: TaskSpec) -> None:
        """Make what the tasks find when they start."""
        prepare_host(spec, self._folder)

    def _start_task(self, number: int, spec: TaskSpec) -> Task:
        task = start_task(f"task-{number}", spec, self._folder)
        if self._limits is not None:
            self._limits.apply(task, spec)
        return task
