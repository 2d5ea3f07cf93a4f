"""Running tasks behind a balancer, which they join once it finds them healthy."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from bench.common.failures import UnavailableError
from bench.deployment.local_processes import local_http
from bench.deployment.local_processes.balancer import Balancer, start_balancer
from bench.deployment.local_processes.load_balancer import BalancerSpec, HealthCheck
from bench.deployment.local_processes.processes import Child, stop
from bench.deployment.local_processes.task_definition import TaskSpec
from bench.deployment.local_processes.tasks import Task

T = TypeVar("T")

START_TIMEOUT_S = 60.0
STOP_PATIENCE_S = 10.0
_POLL_S = 0.05


class StoppedError(UnavailableError):
    """A change that ended because the stack was stopped."""

    def __init__(self) -> None:
        super().__init__("the stack was stopped meanwhile")


class RunningTasks:
    """A balancer and its tasks. `stop` may be called any time, from any thread, and ends all that was started."""

    def __init__(self, spec: BalancerSpec, start_task: Callable[[int, TaskSpec], Task]) -> None:
        """`start_task` starts a task, given a number that no other one has."""
        self.tasks: list[Task] = []
        """Those that serve."""
        self._spec = spec
        self._start_task = start_task
        self._task_numbers = itertools.count(1)
        self._balancer: Balancer | None = None
        self._children: list[Child] = []
        self._stopped = False
        # A signal may strike the very call that holds it, and lead to `stop` in the same thread.
        self._lock = threading.RLock()

    @property
    def balancer(self) -> Balancer:
        """What stands in front of the tasks."""
        assert self._balancer is not None, "start_balancer comes first"
        return self._balancer

    def start_balancer(self, folder: Path) -> str:
        """Start it and wait until it listens; returns its URL.

        Raises:
            UnavailableError: it ended, or does not listen.
        """
        with self._lock:
            self._check_not_stopped()
            self._balancer = start_balancer(self._spec, folder)
            self._children.append(self._balancer.child)
        return self._wait_for_balancer(self.balancer.url, "the balancer does not listen")

    def add(self, spec: TaskSpec, count: int) -> list[str]:
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

    def stop(self) -> None:
        """Stop the balancer first: the tasks then have no idle connection to wait for."""
        with self._lock:
            self._stopped = True
            children, self._children, self.tasks = self._children, [], []
        stop(children[:1], STOP_PATIENCE_S)
        stop(children[1:], STOP_PATIENCE_S)

    def ended(self, expected: Collection[str] = ()) -> list[str]:
        """In words, which processes ended although nobody asked them to, but for the tasks whose end is `expected`."""
        children = [task.child for task in self.tasks if task.id not in expected] + self._children[:1]
        return [_ending(child) for child in children if child.exit_status is not None]

    def has_ended(self, task_id: str) -> bool:
        """Whether a serving task has ended by itself."""
        return any(task.id == task_id and task.child.exit_status is not None for task in self.tasks)

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
        check = self._spec.health_check
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
                    f"{complaint} within {START_TIMEOUT_S:g} s: {last_error}; {child.name} logged: {_log_end(child)}"
                ) from last_error
            self._pause()

    def _pause(self) -> None:
        self._check_not_stopped()
        time.sleep(_POLL_S)

    def _check_not_stopped(self) -> None:
        if self._stopped:
            raise StoppedError


def _check_health(check: HealthCheck, port: int) -> None:
    status = local_http.get(f"127.0.0.1:{port}", check.path, check.timeout_s).status
    lowest, highest = check.statuses
    if not lowest <= status <= highest:
        healthy = f"{lowest}" if lowest == highest else f"{lowest} to {highest}"
        raise UnavailableError(f"status {status}, where {healthy} is healthy")


def _ending(child: Child) -> str:
    return f"{child.name} ended with status {child.exit_status}: {_log_end(child)}"


def _log_end(child: Child) -> str:
    return child.last_log_lines() or "nothing"
