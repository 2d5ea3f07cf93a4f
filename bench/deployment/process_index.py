"""What the indexes have in common whose tasks and balancer are processes of this machine."""

from __future__ import annotations

from contextlib import AbstractContextManager

from bench.common.teardown import leftovers_of
from bench.deployment import Observation, TaskAccess, TaskFailures
from bench.deployment.local_processes.reconcile import LocalStack
from bench.deployment.observe.local import observed, requests_by_task


class ProcessIndex:
    """All of an `IndexUnderTest` but `up` and `describe`, once `up` has said which processes it starts."""

    is_temporary = True
    _watches_memory = False
    _started: LocalStack | None = None
    """Known before it is started: `down` has to end what a start that is interrupted got to."""

    @property
    def processes(self) -> LocalStack:
        assert self._started is not None, "up comes first"
        return self._started

    def observe(self) -> AbstractContextManager[Observation]:
        return observed(self.processes, watch_memory=self._watches_memory)

    def task_failures(self) -> TaskFailures:
        if self._started is None:
            return TaskFailures()
        return TaskFailures(
            ended=tuple(self._started.ended()),
            oom_kills=tuple(self._started.oom_sentences()),
            lost_tasks=tuple(self._started.lost_tasks()),
        )

    def task_access(self) -> TaskAccess:
        processes = self.processes
        return TaskAccess(
            urls=tuple(f"http://127.0.0.1:{task.port}" for task in processes.tasks),
            health_check_path=processes.state.balancer.health_check.path,
            requests_by_task=lambda: requests_by_task(processes),
        )

    def down(self) -> tuple[str, ...]:
        return leftovers_of(self._stop)

    def _stop(self) -> tuple[str, ...]:
        if self._started is not None:
            self._started.stop()
        return ()
