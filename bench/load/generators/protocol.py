"""Interface of the load generators, wherever their processes run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Protocol

from bench.common.failures import BenchError, ExitCode
from bench.load.clients import LoadSpec, ProcessMeasurement


class GeneratorLostError(BenchError):
    """A process of the load generator is gone, and with it what it had measured."""

    exit_code = ExitCode.UNTRUSTWORTHY


class Generators(Protocol):
    """All processes that send one load, each every n-th client.

    `start` once; then, for each round, wait until they are `ready` and `start_round`; `end` in any case. Each error is
    a `BenchError`.
    """

    @property
    def requests(self) -> int:
        """Number of requests that have ended, by the latest messages of the processes."""

    async def start(self, spec: LoadSpec, on_progress: Callable[[], None]) -> None:
        """Start them; each plans the first round. `on_progress` is called whenever `requests` may have changed."""

    async def ready(self) -> None:
        """Wait until all have ended the round before, and have planned the next one."""

    async def start_round(self) -> float:
        """Start a round in all of them at one moment; returns that moment on the clock of `time.perf_counter`."""

    async def end(self) -> Sequence[ProcessMeasurement | BaseException]:
        """Stop each, with the requests that are under way; returns what each has measured, or why that is lost.

        It may follow a `start` that failed or was cancelled halfway.
        """


async def together(work: Iterable[Coroutine[Any, Any, object]]) -> None:
    """Do all of `work` at once. The first failure cancels the rest, and is raised: one says what is wrong."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for part in work:
                tasks.create_task(part)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
