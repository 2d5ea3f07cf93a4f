"""What the tasks of a local run used: the peak of each one's memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from bench.deployment.local_processes.tasks import Task, proportional_memory_mb

_INTERVAL_S = 0.5


class MemoryObserver:
    """Samples the memory of each task while it is entered; `peak_mb` is by task id, in MB of proportional set size."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.peak_mb = {task.id: 0.0 for task in tasks}
        self._tasks = tuple(tasks)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._observe, name="memory-observer", daemon=True)

    def __enter__(self) -> Self:
        self._sample()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        self._sample()

    def _observe(self) -> None:
        while not self._done.wait(_INTERVAL_S):
            self._sample()

    def _sample(self) -> None:
        for task in self._tasks:
            self.peak_mb[task.id] = max(self.peak_mb[task.id], proportional_memory_mb(task))
