"""A local stack that deploys and scales as ECS does, to see what that does to requests under way."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.common.failures import UnavailableError, UsageError
from bench.deployment.graph import Graph
from bench.deployment.local_processes.reconcile import LocalStack, desired_state
from bench.deployment.local_processes.task_definition import TaskSpec
from bench.deployment.local_processes.tasks import Task
from sizing.counted import counted
from tests.bench.deployment.local_processes.rollout import Rollout, failures_allowed, read_rollout


class DeploymentFailedError(UnavailableError):
    """The tasks of a revision do not become healthy, or the service's own limits leave none to be replaced."""


class RollingStack(LocalStack):
    """Tasks of several revisions, which leave the way ECS has them leave.

    Of `start`, `deploy` and `scale` only one may be under way.
    """

    def __init__(self, graph: Graph, run_folder: Path) -> None:
        """With as many tasks as the graph asks for."""
        state = desired_state(graph)
        super().__init__(state, run_folder, state.task_count)
        self._revisions: dict[str, TaskSpec] = {}

    def deploy(self, graph: Graph) -> None:
        """Replace the tasks by as many of another revision, the way ECS does; returns when only those are left.

        New ones serve once the balancer finds them healthy; old ones get no new request, finish those under way, and
        are stopped. The service's percentages say how many there are meanwhile. The count stays: scaling owns it. Where
        the task definition is the same, nothing is to be done.

        Raises:
            DeploymentFailedError: tasks of the new revision failed; where the service says so, the old one is back.
            UnavailableError: the balancer itself would have to change, or the stack was stopped.
        """
        state, rollout = desired_state(graph), read_rollout(graph.one("aws:ecs/service:Service"))
        if state.balancer != self.state.balancer:
            raise UnavailableError(
                "the listener or the target group has changed: the local run replaces tasks, not balancers; start anew"
            )
        try:
            self._roll_to(state.task, rollout)
        except DeploymentFailedError as failure:
            if not (rollout.circuit_breaker and rollout.rollback):
                raise
            self._roll_to(self.state.task, rollout)
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
        for failure in self._add(self.state.task, max(0, task_count - len(self.tasks))):
            raise UnavailableError(failure)
        self._remove(self.tasks[task_count:])
        self._task_count = task_count

    def _roll_to(self, spec: TaskSpec, rollout: Rollout) -> None:
        self._prepare(spec)
        failures: list[str] = []
        while True:
            old = self._not_of(spec)
            step = rollout.next_step(self._task_count, len(old), len(self.tasks) - len(old))
            if step is None:
                break
            failures += self._add(spec, step.start)
            self._remove(old[: step.stop])
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

    def _not_of(self, spec: TaskSpec) -> list[Task]:
        """The serving tasks of other revisions."""
        return [task for task in self.tasks if self._revisions[task.id] != spec]

    def _remove(self, tasks: Sequence[Task]) -> None:
        """Give tasks no new request, let them finish those under way, and stop them.

        What is not finished after the target group's deregistration delay, and after what the task takes for its stop,
        is cut off, here as with AWS.
        """
        if not tasks:
            return
        ports = {task.port for task in tasks}
        self.tasks = [task for task in self.tasks if task not in tasks]
        serving = [task.port for task in self.tasks]

        self.balancer.set_targets(serving, draining=ports)
        self._wait_for_balancer(lambda: self._check_draining(ports), "the balancer keeps tasks that are to go")
        end = time.monotonic() + self.state.balancer.deregistration_delay_s
        while not self._idle(ports) and time.monotonic() < end:
            self._pause()

        self.balancer.set_targets(serving)
        self._wait_for_balancer(lambda: self._check_balanced(serving), "the balancer keeps tasks that have finished")
        self._end(tasks, max(self._revisions[task.id].stop_timeout_s for task in tasks))

    def _spawn(self, spec: TaskSpec) -> Task:
        task = super()._spawn(spec)
        self._revisions[task.id] = spec
        return task

    def _check_draining(self, ports: Iterable[int]) -> None:
        targets = self.balancer.targets()
        if not all(port in targets and targets[port].draining for port in ports):
            raise UnavailableError("it lists some of them as serving")

    def _check_balanced(self, ports: Iterable[int]) -> None:
        targets = self.balancer.targets()
        if targets.keys() != set(ports):
            raise UnavailableError(f"it has {counted(len(targets), 'target')}")

    def _idle(self, ports: Iterable[int]) -> bool:
        with contextlib.suppress(UnavailableError):
            targets = self.balancer.targets()
            return all(port in targets and not targets[port].requests_under_way for port in ports)
        return False
