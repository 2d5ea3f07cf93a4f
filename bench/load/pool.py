"""A load, spread over processes: each sends every n-th client, because one process can use one core only.

Each keeps its own samples, which are put together at the end. All of them take the start of a round from the same
moment, and a round ends when it has ended in all. Which of them sends a client changes nothing for that client.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import IO

from bench.common.failures import BenchError, ExitCode, UnavailableError, UsageError
from bench.load.clients import LoadSpec, ProcessMeasurement
from bench.load.health import GeneratorHealth
from bench.load.messages import LENGTH_BYTES, Failure, Message, Ready
from bench.load.samples import Samples

# A worker that is asked to end has its samples to send, however many they are.
END_PATIENCE_S = 30.0
_IMPORT_ROOT = Path(__file__).parents[2]


class GeneratorLostError(BenchError):
    """A process of the load generator is gone, and with it what it had measured."""

    exit_code = ExitCode.UNTRUSTWORTHY


@dataclass(frozen=True)
class LoadResult:
    """Samples of a load, and the health of its generator."""

    samples: Samples
    generator: GeneratorHealth


@dataclass
class Load:
    """One load. `run` it once; `result` gives what was recorded, also when `run` was cancelled or failed."""

    spec: LoadSpec
    generators: int = 1
    """Number of processes to spread it over."""
    on_progress: Callable[[float, int], None] | None = None
    """Called on the event loop about twice a second by each of them, with the seconds since the start and the number of
    requests that have ended."""
    _workers: list[_Worker] = field(default_factory=list, init=False)
    _measured: list[ProcessMeasurement] = field(default_factory=list, init=False)
    _started_s: float = field(default_factory=perf_counter, init=False)

    async def run(self) -> None:
        """Send the load, and wait for the last answer.

        Cancelling it closes every connection, and ends the processes. Each of its errors is a `BenchError`.
        """
        try:
            for index in range(self.generators):
                worker = await _Worker.start(self.spec, index, self.generators, self._report_progress)
                self._workers.append(worker)
            await self._send_rounds()
        finally:
            outcomes = await asyncio.gather(*(worker.end() for worker in self._workers), return_exceptions=True)
            self._measured = [outcome for outcome in outcomes if isinstance(outcome, ProcessMeasurement)]
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def result(self) -> LoadResult:
        """The measurement. Requests that were under way when the load was cancelled have no row."""
        samples = Samples.merged([part.samples for part in self._measured], self.spec.workload.shape.phases)
        return LoadResult(
            samples,
            GeneratorHealth.of(
                samples,
                cpu_s=[part.cpu_s for part in self._measured],
                wall_s=max((part.wall_s for part in self._measured), default=0.0),
                exhausted=sum(part.exhausted for part in self._measured),
            ),
        )

    async def _send_rounds(self) -> None:
        await _all_ready(self._workers)
        self._started_s = perf_counter()
        while True:
            round_started_s = perf_counter()
            for worker in self._workers:
                worker.start_round(round_started_s)
            await _all_ready(self._workers)
            workload = self.spec.workload
            if not workload.shape.repeats or perf_counter() - self._started_s >= (workload.shape.duration_s or 0):
                return

    def _report_progress(self) -> None:
        if self.on_progress is not None:
            self.on_progress(perf_counter() - self._started_s, sum(worker.requests for worker in self._workers))


@dataclass
class _Worker:
    """One process of a load, as its parent sees it."""

    process: asyncio.subprocess.Process
    log: IO[bytes]
    name: str
    on_progress: Callable[[], None]
    requests: int = 0
    _length: int | None = None

    @classmethod
    async def start(cls, spec: LoadSpec, index: int, of: int, on_progress: Callable[[], None]) -> _Worker:
        log = tempfile.TemporaryFile(dir=spec.spill_dir)  # noqa: SIM115  # closed by `end`
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.load.worker",
            cwd=_IMPORT_ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # a terminal's Ctrl-C is for us alone
        )
        assert process.stdin is not None
        process.stdin.write(pickle.dumps((spec, index, of)))
        return cls(process, log, f"process {index + 1} of {of} of the load generator", on_progress)

    async def ready(self) -> None:
        """Wait until it is ready for a round; a `BenchError` says why it sends no more."""
        while not isinstance(message := await self._next(), Ready):
            if isinstance(message, Failure):
                raise _error_of(message)

    def start_round(self, started_s: float) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{started_s!r}\n".encode())

    async def end(self) -> ProcessMeasurement:
        """Have it drop what is under way and send what it measured; kill it where it does not.

        Raises:
            GeneratorLostError: it sent nothing.
        """
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            async with asyncio.timeout(END_PATIENCE_S):
                while not isinstance(message := await self._next(), ProcessMeasurement):
                    pass
                await self.process.wait()
                return message
        except TimeoutError:
            raise GeneratorLostError(
                f"{self.name} did not end within {END_PATIENCE_S:g} s: {_last_line(self.log) or 'it said nothing'}"
            ) from None
        finally:
            if self.process.returncode is None:
                self.process.kill()
                await self.process.wait()
            self.log.close()

    async def _next(self) -> Message:
        """The next message. May be cancelled and called again: no part of a message is lost."""
        assert self.process.stdout is not None
        try:
            if self._length is None:
                self._length = int.from_bytes(await self.process.stdout.readexactly(LENGTH_BYTES))
            message: Message = pickle.loads(await self.process.stdout.readexactly(self._length))
        except asyncio.IncompleteReadError:
            status = await self.process.wait()
            raise GeneratorLostError(
                f"{self.name} ended with status {status}, and what it had measured is lost: "
                f"{_last_line(self.log) or 'it said nothing'}"
            ) from None
        self._length = None
        if isinstance(message, int):
            self.requests = message
            self.on_progress()
        return message


async def _all_ready(workers: Sequence[_Worker]) -> None:
    try:
        async with asyncio.TaskGroup() as waiting:
            for worker in workers:
                waiting.create_task(worker.ready())
    except BaseExceptionGroup as group:
        # One is enough to tell what is wrong.
        raise group.exceptions[0] from None


def _error_of(failure: Failure) -> BenchError:
    by_exit_code = {type_.exit_code: type_ for type_ in (UsageError, UnavailableError)}
    return by_exit_code.get(failure.exit_code, BenchError)(failure.sentence)


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    *_, last_line = ["", *log.read().decode(errors="replace").splitlines()]
    return last_line
