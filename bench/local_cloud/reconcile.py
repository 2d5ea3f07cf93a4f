"""From the resolved graph to running processes, and back to nothing."""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.failures import UnavailableError
from bench.graph import Graph
from bench.local_cloud.load_balancer import Balancer, BalancerSpec, HealthCheck, read_balancer, start_balancer
from bench.local_cloud.processes import Child, stop
from bench.local_cloud.task_definition import TaskSpec, read_task
from bench.local_cloud.tasks import Task, prepare_host, start_task

START_TIMEOUT_S = 60.0
STOP_PATIENCE_S = 10.0
_POLL_S = 0.05


@dataclass(frozen=True)
class DesiredState:
    """What the graph asks to run."""

    task: TaskSpec
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
        task_count=count,
        task_max_count=max([count, *(target.inputs["maxCapacity"] for target in scaling)]),
        balancer=read_balancer(graph, service),
    )


def honest_task_count(state: DesiredState, container_cpu_units: int) -> int:
    """As many tasks as this machine's processors hold; the load generator and the balancer take one of them.

    At least two, so that there is something to balance; never more than the service asks for.
    """
    cores = len(os.sched_getaffinity(0))
    return min(state.task_count, max(2, (cores - 1) * 1024 // container_cpu_units))


class LocalStack:
    """The processes of one deployment. `stop` ends all of them, whatever `start` got to."""

    def __init__(self, state: DesiredState, run_folder: Path, task_count: int) -> None:
        self.state = state
        self.tasks: list[Task] = []
        self.url = ""
        self._folder = run_folder
        self._task_count = task_count
        self._balancer: Balancer | None = None

    @property
    def balancer(self) -> Balancer:
        """What stands in front of the tasks."""
        assert self._balancer is not None, "start comes first"
        return self._balancer

    def start(self) -> None:
        """Start the tasks, wait until each is healthy, then put the balancer in front and wait until it says so too.

        Raises:
            UnavailableError: a process ended, or did not become healthy in time.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        self._prepare()
        for number in range(1, self._task_count + 1):
            self.tasks.append(self._start_task(number))
        for task in self.tasks:
            self._await_healthy(task, deadline)
        self._balancer = start_balancer(self.state.balancer, [task.port for task in self.tasks], self._folder)
        self._await_balancer(self._balancer, deadline)

    def stop(self) -> None:
        """Stop the balancer first: the tasks then have no idle connection to wait for."""
        if self._balancer is not None:
            stop([self._balancer.child], STOP_PATIENCE_S)
        stop([task.child for task in self.tasks], STOP_PATIENCE_S)
        self._balancer, self.tasks = None, []

    def ended(self) -> list[str]:
        """In words, which processes ended although nobody asked them to."""
        children = [task.child for task in self.tasks] + ([self._balancer.child] if self._balancer else [])
        return [_obituary(child) for child in children if child.exit_status is not None]

    def _prepare(self) -> None:
        """Make what the tasks find when they start."""
        prepare_host(self.state.task, self._folder)

    def _start_task(self, number: int) -> Task:
        return start_task(f"task-{number}", self.state.task, self._folder)

    def _await_healthy(self, task: Task, deadline: float) -> None:
        check = self.state.balancer.health_check
        _await(
            lambda: _passes(check, task.port),
            task.child,
            lambda: f"{task.id} did not pass the target group's health check GET {check.path}",
            deadline,
        )

    def _await_balancer(self, balancer: Balancer, deadline: float) -> None:
        def ready() -> bool:
            self.url = balancer.url() or ""
            return bool(self.url) and balancer.healthy_targets() == len(self.tasks)

        _await(
            ready,
            balancer.child,
            lambda: f"the balancer found {balancer.healthy_targets()} of {len(self.tasks)} tasks healthy",
            deadline,
        )


def _await(ready: Callable[[], bool], child: Child, complaint: Callable[[], str], deadline: float) -> None:
    while not ready():
        if child.exit_status is not None:
            raise UnavailableError(_obituary(child))
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"{complaint()} within {START_TIMEOUT_S:.0f} s: {child.last_words() or 'it logged nothing'}"
            )
        time.sleep(_POLL_S)


def _passes(check: HealthCheck, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{check.path}", timeout=check.timeout_s) as answer:
            status: int = answer.status
    except urllib.error.HTTPError as refused:
        status = refused.code
    except OSError:
        return False
    return check.statuses[0] <= status <= check.statuses[1]


def _obituary(child: Child) -> str:
    return f"{child.name} ended with status {child.exit_status}: {child.last_words() or 'it logged nothing'}"
