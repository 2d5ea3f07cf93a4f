"""Processes of a deployment, started from the resolved graph and ended again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.common.cores import usable_cores
from bench.common.failures import UnavailableError, UsageError
from bench.deployment.description import Limits
from bench.deployment.graph import Graph
from bench.deployment.local_processes.balancer import Balancer
from bench.deployment.local_processes.limits import TURNED_OFF, OomKills, TaskLimits
from bench.deployment.local_processes.load_balancer import BalancerSpec, read_balancer
from bench.deployment.local_processes.rollout import Rollout, failures_allowed, read_rollout
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
    rollout: Rollout


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
        rollout=read_rollout(service),
    )


def honest_task_count(state: DesiredState, container_cpu_units: int) -> int:
    """As many tasks as this machine's processors hold; the load generator and the balancer take one of them.

    At least two, so that there is something to balance; never more than the service asks for.
    """
    cores = usable_cores()
    return min(state.task_count, max(2, (cores - 1) * 1024 // container_cpu_units))


class DeploymentFailedError(UnavailableError):
    """The tasks of a revision do not become healthy, or the service's own limits leave none to be replaced."""


class LocalStack:
    """The processes of one deployment. `stop` ends all of them, whatever the other methods got to.

    It may be called any time, from any thread; what another thread was changing then ends with an UnavailableError. Of
    `start`, `deploy` and `scale` only one may be under way.
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
        self._grow_to(self._task_count)

    def deploy(self, state: DesiredState) -> None:
        """Replace the tasks by as many of another revision, the way ECS does; returns when only those are left.

        New ones serve once the balancer finds them healthy; old ones get no new request, finish those under way, and
        are stopped. The service's percentages say how many there are meanwhile. The count stays: scaling owns it. Where
        the task definition is the same, nothing is to be done.

        Raises:
            DeploymentFailedError: tasks of the new revision failed; where the service says so, the old one is back.
            UnavailableError: the balancer itself would have to change, or the stack was stopped.
        """
        if state.balancer != self.state.balancer:
            raise UnavailableError(
                "the listener or the target group has changed: the local run replaces tasks, not balancers; start anew"
            )
        try:
            self._roll_to(state.task, state.rollout)
        except DeploymentFailedError as failure:
            if not (state.rollout.circuit_breaker and state.rollout.rollback):
                raise
            self._roll_to(self.state.task, state.rollout)
            raise DeploymentFailedError(f"{failure}; the old revision is back") from failure
        self.state = state

    def scale(self, task_count: int) -> None:
        """Have so many tasks: start further ones, or take the youngest out of the balancer and stop them.

        Raises:
            UsageError: the service may not have so many.
            UnavailableError: a new one did not become healthy, or the stack was stopped.
        """
        if not 1 <= task_count <= self.state.task_max_count:
            raise UsageError(
                f"{counted(task_count, 'task')}: the service has at most {self.state.task_max_count}, and 1 at least"
            )
        self._grow_to(task_count)
        self._running.remove(self.tasks[task_count:])
        self._task_count = task_count

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

    def _grow_to(self, task_count: int) -> None:
        for failure in self._running.add(self.state.task, max(0, task_count - len(self.tasks))):
            raise UnavailableError("; ".join([failure, *self.oom_sentences()]))

    def _roll_to(self, spec: TaskSpec, rollout: Rollout) -> None:
        self._prepare(spec)
        failures: list[str] = []
        while True:
            old = self._running.not_of(spec)
            step = rollout.next_step(self._task_count, len(old), len(self.tasks) - len(old))
            if step is None:
                break
            failures += self._running.add(spec, step.start)
            self._running.remove(old[: step.stop])
            if len(failures) >= failures_allowed(self._task_count):
                raise DeploymentFailedError(
                    f"{counted(len(failures), 'task')} of the new revision failed: {failures[-1]}"
                )
        if old:
            raise DeploymentFailedError(
                f"deployment_minimum_healthy_percent = {rollout.minimum_healthy_percent} and "
                f"deployment_maximum_percent = {rollout.maximum_percent} leave none of "
                f"{counted(self._task_count, 'task')} to replace: lower the one or raise the other"
            )
