"""The tasks that run behind a balancer: how one joins them, and how one leaves without a request being lost."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.failures import UnavailableError
from bench.local_cloud.balancer import Balancer, start_balancer
from bench.local_cloud.load_balancer import BalancerSpec, HealthCheck
from bench.local_cloud.processes import Child, stop
from bench.local_cloud.task_definition import TaskSpec
from bench.local_cloud.tasks import Task

START_TIMEOUT_S = 60.0
STOP_PATIENCE_S = 10.0
_POLL_S = 0.05


class StoppedError(UnavailableError):
    """Everything was stopped while something was still being changed."""

    def __init__(self) -> None:
        super().__init__("the stack was stopped meanwhile")


class RunningTasks:
    """A balancer and its tasks. `stop` may be called any time, from any thread, and ends all that was started."""

    def __init__(self, spec: BalancerSpec, start_task: Callable[[int, TaskSpec], Task]) -> None:
        """
        Args:
            start_task: starts a task, given a number that no other one has.
        """
        self.tasks: list[Task] = []
        """Those that serve."""
        self._spec = spec
        self._start_task = start_task
        self._revisions: dict[str, TaskSpec] = {}
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
        self._wait_for_balancer(lambda: self.balancer.url() is not None, lambda: "the balancer does not listen")
        return self.balancer.url() or ""

    def not_of(self, spec: TaskSpec) -> list[Task]:
        """The serving tasks of other revisions."""
        return [task for task in self.tasks if self._revisions[task.id] != spec]

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

        def found() -> int:
            targets = self.balancer.targets()
            return sum(task.port in targets and targets[task.port].healthy for task in healthy)

        self._wait_for_balancer(
            lambda: found() == len(healthy), lambda: f"the balancer found {found()} of {len(healthy)} tasks healthy"
        )
        self.tasks = [*self.tasks, *healthy]
        return failures

    def remove(self, tasks: Sequence[Task]) -> None:
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
        self._wait_for_balancer(lambda: self._draining(ports), lambda: "the balancer keeps tasks that are to go")
        end = time.monotonic() + self._spec.deregistration_delay_s
        while not self._idle(ports) and time.monotonic() < end:
            self._pause()

        self.balancer.set_targets(serving)
        self._wait_for_balancer(lambda: self._balances(serving), lambda: "the balancer keeps tasks that have finished")
        self._end(tasks, max(self._revisions[task.id].stop_timeout_s for task in tasks))

    def stop(self) -> None:
        """Stop the balancer first: the tasks then have no idle connection to wait for."""
        with self._lock:
            self._stopped = True
            children, self._children, self.tasks = self._children, [], []
        stop(children[:1], STOP_PATIENCE_S)
        stop(children[1:], STOP_PATIENCE_S)

    def ended(self) -> list[str]:
        """In words, which processes ended although nobody asked them to."""
        children = [task.child for task in self.tasks] + self._children[:1]
        return [_obituary(child) for child in children if child.exit_status is not None]

    def _spawn(self, spec: TaskSpec) -> Task:
        with self._lock:
            self._check_not_stopped()
            task = self._start_task(len(self._revisions) + 1, spec)
            self._children.append(task.child)
            self._revisions[task.id] = spec
            return task

    def _end(self, tasks: Sequence[Task], patience_s: float) -> None:
        children = [task.child for task in tasks]
        stop(children, patience_s)
        with self._lock:
            self._children = [child for child in self._children if child not in children]

    def _draining(self, ports: set[int]) -> bool:
        targets = self.balancer.targets()
        return all(port in targets and targets[port].draining for port in ports)

    def _idle(self, ports: set[int]) -> bool:
        targets = self.balancer.targets()
        return all(port in targets and not targets[port].requests_under_way for port in ports)

    def _balances(self, ports: Sequence[int]) -> bool:
        return self.balancer.targets().keys() == set(ports)

    def _wait_until_healthy(self, task: Task, deadline: float) -> None:
        check = self._spec.health_check
        complaint = f"{task.id} did not pass the target group's health check GET {check.path}"
        self._wait(lambda: _passes(check, task.port), task.child, lambda: complaint, deadline)

    def _wait_for_balancer(self, ready: Callable[[], bool], complaint: Callable[[], str]) -> None:
        self._wait(ready, self.balancer.child, complaint, time.monotonic() + START_TIMEOUT_S)

    def _wait(self, ready: Callable[[], bool], child: Child, complaint: Callable[[], str], deadline: float) -> None:
        while not ready():
            self._check_not_stopped()
            if child.exit_status is not None:
                raise UnavailableError(_obituary(child))
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"{complaint()} within {START_TIMEOUT_S:.0f} s: {child.last_words() or 'it logged nothing'}"
                )
            self._pause()

    def _pause(self) -> None:
        self._check_not_stopped()
        time.sleep(_POLL_S)

    def _check_not_stopped(self) -> None:
        if self._stopped:
            raise StoppedError


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
