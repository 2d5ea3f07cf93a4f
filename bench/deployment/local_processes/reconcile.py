"""Processes of a deployment, started from the resolved graph and ended again."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.common.cores import usable_cores
from bench.common.failures import UnavailableError
from bench.deployment.description import Limits
from bench.deployment.graph import Graph
from bench.deployment.local_processes import local_http
from bench.deployment.local_processes.balancer import Balancer, start_balancer
from bench.deployment.local_processes.limits import TURNED_OFF, OomKills, TaskLimits
from bench.deployment.local_processes.load_balancer import BalancerSpec, HealthCheck, read_balancer
from bench.deployment.local_processes.processes import Child, stop
from bench.deployment.local_processes.task_definition import InstanceSpec, TaskSpec, read_instance, read_task
from bench.deployment.local_processes.tasks import Task, prepare_host, start_task
from sizing.counted import counted

T = TypeVar("T")

START_TIMEOUT_S = 60.0
STOP_PATIENCE_S = 10.0
_POLL_S = 0.05


class StoppedError(UnavailableError):
    """A change that ended because the stack was stopped."""

    def __init__(self) -> None:
        super().__init__("the stack was stopped meanwhile")


@dataclass(frozen=True)
class DesiredState:
    """State that the graph describes."""

    task: TaskSpec
    instance: InstanceSpec
    task_count: int
    task_max_count: int
    balancer: BalancerSpec


def desired_state(graph: Graph) -> DesiredState:
    """State that the graph's one service, its target group and its listener ask for.

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
    """The processes of one deployment: a balancer, and tasks that join it once it finds them healthy.

    `stop` ends all of them, whatever `start` got to. It may be called any time, from any thread; what another thread
    was changing then ends with an UnavailableError.
    """

    def __init__(
        self, state: DesiredState, run_folder: Path, task_count: int, limits: TaskLimits | None = None
    ) -> None:
        self.state = state
        self.url = ""
        self.tasks: list[Task] = []
        """Those that serve."""
        self._folder = run_folder
        self._task_count = task_count
        self._limits = limits
        self._task_numbers = itertools.count(1)
        self._balancer: Balancer | None = None
        self._children: list[Child] = []
        self._stopped = False
        # A signal may strike the very call that holds it, and lead to `stop` in the same thread.
        self._lock = threading.RLock()

    @property
    def balancer(self) -> Balancer:
        assert self._balancer is not None, "start comes first"
        return self._balancer

    def start(self) -> None:
        """Start the balancer and the tasks, and wait until it finds each of them healthy.

        Raises:
            UnavailableError: a process ended, or did not become healthy in time.
        """
        self._prepare(self.state.task)
        with self._lock:
            self._check_not_stopped()
            self._balancer = start_balancer(self.state.balancer, self._folder)
            self._children.append(self._balancer.child)
        self.url = self._wait_for_balancer(self.balancer.url, "the balancer does not listen")
        for failure in self._add(self.state.task, self._task_count):
            raise UnavailableError("; ".join([failure, *self.oom_sentences()]))

    def stop(self) -> None:
        """End every process, the balancer first: the tasks then have no idle connection to wait for."""
        with self._lock:
            self._stopped = True
            children, self._children, self.tasks = self._children, [], []
        stop(children[:1], STOP_PATIENCE_S)
        stop(children[1:], STOP_PATIENCE_S)
        if self._limits is not None:
            self._limits.stop()

    def ended(self) -> list[str]:
        """In words, which processes ended although nobody asked them to, but for tasks that had OOM kills."""
        expected = self.oom_kills()
        children = [task.child for task in self.tasks if task.id not in expected] + self._children[:1]
        return [_ending(child) for child in children if child.exit_status is not None]

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
        return [task for task in self.oom_kills() if self._has_ended(task)]

    def _oom_sentence(self, task_id: str, kills: OomKills) -> str:
        ended = ", and with it the task, which ECS would have replaced and this run did not"
        return (
            f"{task_id} needed more memory than its limit of {self.state.task.memory_mb} MB: the kernel killed "
            f"{counted(kills.count, 'process', 'processes')} of it, the first at {kills.first_at:%H:%M:%S} UTC"
            f"{ended if self._has_ended(task_id) else ''}"
        )

    def _has_ended(self, task_id: str) -> bool:
        """Whether a serving task has ended by itself."""
        return any(task.id == task_id and task.child.exit_status is not None for task in self.tasks)

    def _prepare(self, spec: TaskSpec) -> None:
        """Make what the tasks find when they start."""
        prepare_host(spec, self._folder)

    def _start_task(self, number: int, spec: TaskSpec) -> Task:
        task = start_task(f"task-{number}", spec, self._folder)
        if self._limits is not None:
            self._limits.apply(task, spec)
        return task

    def _add(self, spec: TaskSpec, count: int) -> list[str]:
        """Start tasks, and have those serve that the balancer finds healthy.

        Returns:
            In words, why each of the others does not serve. They are gone.

        Raises:
            UnavailableError: the balancer does not find a task healthy that is.
        """
        if not count:
            return []
        deadline = time.monotonic() + START_TIMEOUT_S
        healthy, failures = [], []
        for task in [self._spawn(spec) for _ in range(count)]:
            try:
                self._wait_until_healthy(task, deadline)
                healthy.append(task)
            except StoppedError:
                raise
            except UnavailableError as failure:
                failures.append(str(failure))
                self._end([task], STOP_PATIENCE_S)
        self.balancer.set_targets(task.port for task in [*self.tasks, *healthy])
        self._wait_for_balancer(lambda: self._check_serving(healthy), "the balancer does not find all tasks healthy")
        self.tasks = [*self.tasks, *healthy]
        return failures

    def _spawn(self, spec: TaskSpec) -> Task:
        with self._lock:
            self._check_not_stopped()
            task = self._start_task(next(self._task_numbers), spec)
            self._children.append(task.child)
            return task

    def _end(self, tasks: Sequence[Task], patience_s: float) -> None:
        children = [task.child for task in tasks]
        stop(children, patience_s)
        with self._lock:
            self._children = [child for child in self._children if child not in children]

    def _check_serving(self, tasks: Iterable[Task]) -> None:
        targets = self.balancer.targets()
        missing = [task.id for task in tasks if task.port not in targets or not targets[task.port].healthy]
        if missing:
            raise UnavailableError(f"it does not find {', '.join(missing)} healthy")

    def _wait_until_healthy(self, task: Task, deadline: float) -> None:
        check = self.state.balancer.health_check
        complaint = f"{task.id} did not pass the target group's health check GET {check.path}"
        self._wait(lambda: _check_health(check, task.port), task.child, complaint, deadline)

    def _wait_for_balancer(self, attempt: Callable[[], T], complaint: str) -> T:
        return self._wait(attempt, self.balancer.child, complaint, time.monotonic() + START_TIMEOUT_S)

    def _wait(self, attempt: Callable[[], T], child: Child, complaint: str, deadline: float) -> T:
        """Attempt it until it raises no UnavailableError; returns what it returns.

        Raises:
            UnavailableError: the process has ended, or the deadline has passed: `complaint`, and the last error.
        """
        while True:
            try:
                return attempt()
            except UnavailableError as error:
                last_error = error
            self._check_not_stopped()
            if child.exit_status is not None:
                raise UnavailableError(_ending(child))
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"{complaint} within {START_TIMEOUT_S:g} s: {last_error}; {child.name} logged: {child.log_end()}"
                ) from last_error
            self._pause()

    def _pause(self) -> None:
        self._check_not_stopped()
        time.sleep(_POLL_S)

    def _check_not_stopped(self) -> None:
        if self._stopped:
            raise StoppedError


def _check_health(check: HealthCheck, port: int) -> None:
    status = local_http.send("GET", f"127.0.0.1:{port}", check.path, check.timeout_s).status
    lowest, highest = check.statuses
    if not lowest <= status <= highest:
        healthy = f"{lowest}" if lowest == highest else f"{lowest} to {highest}"
        raise UnavailableError(f"status {status}, where {healthy} is healthy")


def _ending(child: Child) -> str:
    return f"{child.name} ended with status {child.exit_status}: {child.log_end()}"
