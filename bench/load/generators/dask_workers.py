"""Generators on Dask workers: one loader beside each worker."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bench.common.failures import BenchError, ExitCode, UnavailableError
from bench.load.clients import LoadSpec, ProcessMeasurement, share_of, wheels_of
from bench.load.generators import loader
from bench.load.generators.agreement import require_agreement
from bench.load.generators.clocks import ClockCorrection, ClockReading, read_clock
from bench.load.generators.dask_cluster import local_cluster, scheduler_at
from bench.load.generators.messages import Failure
from bench.load.generators.protocol import GeneratorLostError, together
from bench.load.generators.sealed import Sealed
from bench.load.health import MAX_CLOCK_RESIDUAL_S, LoaderLink, clock_problem
from sizing.counted import counted

if TYPE_CHECKING:
    from distributed import Client

# Time from when all loaders are ready to the start of the first round.
START_LEAD_S = 3.0
# The same for a further round, which starts as soon as the message can have reached every loader.
MIN_LEAD_S = 0.05
# A free worker begins its task at once.
READY_PATIENCE_S = 60.0
# Longer than any call takes, `news` and a message of wheels over a slow line included.
ANSWER_PATIENCE_S = 60.0
# Approximate size of a message that carries wheels.
MESSAGE_BYTES = 8 * 2**20


class ClockUncertainError(BenchError):
    """The clock of a loader cannot be compared with ours closely enough."""

    exit_code = ExitCode.UNTRUSTWORTHY


async def count_workers(address: str) -> int:
    """Number of workers of a scheduler, each of which can send a share of a load.

    Raises:
        UnavailableError: there is no scheduler at this address, or it has no workers.
        UsageError: their versions are not those of this program.
    """
    async with scheduler_at(address) as client:
        workers = await _agreeing_workers(client)
    if not workers:
        raise UnavailableError(
            f"--loaders {address}: this Dask scheduler has no workers: start one with `dask worker {address}` on each "
            "machine that is to send load"
        )
    return len(workers)


@dataclass
class DaskLoaders:
    """`Generators` on the workers of one Dask scheduler."""

    number: int
    """Number of loaders, which is that of the workers."""
    address: str | None = None
    """Address of the scheduler. None: a cluster of this machine is started for the load, and ends with it."""
    _cluster: AsyncExitStack = field(default_factory=AsyncExitStack, init=False)
    _loaders: list[_RemoteLoader] = field(default_factory=list, init=False)
    _has_sent: bool = field(default=False, init=False)

    @property
    def requests(self) -> int:
        return sum(each.requests for each in self._loaders)

    async def start(self, spec: LoadSpec, on_progress: Callable[[], None]) -> None:
        cluster = scheduler_at(self.address) if self.address else local_cluster(self.number, spec.spill_dir)
        client = await self._cluster.enter_async_context(cluster)
        workers = await _agreeing_workers(client)
        if len(workers) != self.number:
            raise UnavailableError(
                f"--loaders {self.address or self.number}: {counted(len(workers), 'Dask worker')} up, and "
                f"{self.number} expected: repeat the run once all of them are up"
            )
        self._loaders = [_RemoteLoader(client, worker, on_progress) for worker in workers]
        await together(each.synchronize() for each in self._loaders)
        await together(each.begin(spec, index, self.number) for index, each in enumerate(self._loaders))

    async def ready(self) -> None:
        await together(each.ready() for each in self._loaders)

    async def start_round(self) -> float:
        round_trip_s = max(each.round_trip_s for each in self._loaders)
        lead_s = max(MIN_LEAD_S, 3 * round_trip_s) if self._has_sent else START_LEAD_S
        self._has_sent = True
        started_s = perf_counter() + lead_s
        await together(each.start_round(started_s) for each in self._loaders)
        return started_s

    async def end(self) -> list[ProcessMeasurement | BaseException]:
        try:
            return await asyncio.gather(*(each.end() for each in self._loaders), return_exceptions=True)
        finally:
            # The measurement stands. What is left of a cluster of this machine, the run ends with its other processes.
            with contextlib.suppress(Exception):
                await self._cluster.aclose()


async def _agreeing_workers(client: Client) -> list[str]:
    """Addresses of all workers, whose versions are ours."""
    workers = sorted(await client.nthreads())
    await require_agreement(client, workers)
    return workers


class _RemoteLoader:
    """One loader, as the benchmark sees it."""

    def __init__(self, client: Client, worker: str, on_progress: Callable[[], None]) -> None:
        self.requests = 0
        self._client = client
        self._worker = worker
        self._on_progress = on_progress
        self._token = secrets.token_hex(8)
        self._rounds = 0
        self._news: asyncio.Queue[loader.News | Exception] = asyncio.Queue()
        self._clock: ClockReading
        self._task: Any = None
        self._following: asyncio.Task[Exception] | None = None
        self._is_ending = False

    @property
    def round_trip_s(self) -> float:
        return self._clock.round_trip_s

    async def synchronize(self) -> None:
        """Measure the offset of its clock.

        Raises:
            ClockUncertainError: it can be off by too much after correction.
        """
        self._clock = await read_clock(self._time_there)
        residual_s = ClockCorrection(self._clock, self._clock).residual_s
        if residual_s > MAX_CLOCK_RESIDUAL_S:
            raise ClockUncertainError(clock_problem(self._worker, residual_s))

    async def begin(self, spec: LoadSpec, index: int, of: int) -> None:
        """Hand over its share of the load, and start the task that sends it."""
        await self._ask(loader.take_share, self._token, Sealed((spec, index, of)))
        self._following = asyncio.create_task(self._follow())
        for wheels in _messages(spec, wheels_of(share_of(spec, index, of))):
            await self._ask(loader.take_wheels, self._token, Sealed(wheels))
        self._task = self._client.submit(
            loader.send,
            self._token,
            key=f"pypiserver-bench-{self._token}",
            workers=[self._worker],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )

    async def ready(self) -> None:
        """Wait until it has planned the next round."""
        self._rounds += 1
        try:
            async with asyncio.timeout(READY_PATIENCE_S if self._rounds == 1 else None):
                while await self._planned() < self._rounds:
                    pass
        except TimeoutError:
            raise UnavailableError(
                f"loader {self._worker} was not ready within {READY_PATIENCE_S:g} s: its worker may be busy with other "
                "tasks; use workers that do nothing else"
            ) from None

    async def start_round(self, started_s: float) -> None:
        """Start the planned round at a moment on our clock."""
        await self._ask(loader.start_round, self._token, started_s + self._clock.offset_s)

    async def end(self) -> ProcessMeasurement:
        """Stop it; returns what it measured, in times of our clock.

        Raises:
            GeneratorLostError: it is lost, or had not begun.
        """
        if self._following is None:
            raise GeneratorLostError(f"loader {self._worker} was not started")
        self._is_ending = True
        try:
            if self._following.done():
                raise self._following.result()
            if not await self._ask(loader.stop, self._token):
                raise GeneratorLostError(f"loader {self._worker} had not begun its task")
            outcome = await self._outcome(self._following)
            correction = ClockCorrection(self._clock, await read_clock(self._time_there))
        finally:
            self._following.cancel()
        round_trip_s = min(correction.before.round_trip_s, correction.after.round_trip_s)
        return replace(
            outcome,
            samples=outcome.samples.later_by(correction.later_by_s),
            loader=LoaderLink(self._worker, round_trip_s, correction.residual_s),
        )

    async def _outcome(self, following: asyncio.Task[Exception]) -> ProcessMeasurement:
        """The result of its task, unless its worker is lost first."""
        returned = asyncio.ensure_future(self._task.result())
        await asyncio.wait([returned, following], return_when=asyncio.FIRST_COMPLETED)
        if not returned.done():
            returned.cancel()
            raise following.result()
        try:
            outcome: ProcessMeasurement | Failure = returned.result()
        except Exception as error:
            raise self._lost(f"{type(error).__name__}: {error}") from error
        if isinstance(outcome, Failure):
            raise outcome.error(f"loader {self._worker}")
        return outcome

    async def _planned(self) -> int:
        """Number of rounds that it has planned, according to its next news."""
        news = await self._news.get()
        if isinstance(news, Exception):
            raise news
        if news.failure is not None:
            raise news.failure.error(f"loader {self._worker}")
        return news.planned

    async def _follow(self) -> Exception:
        """Ask for its news again and again; returns what ends that, such as its loss."""
        news: loader.News | None = None
        try:
            while True:
                news = await self._ask(loader.news, self._token, news)
                if news is not None:
                    self.requests = news.requests
                    self._on_progress()
                    self._news.put_nowait(news)
                elif not self._is_ending:
                    raise self._lost("its worker was restarted")
        except Exception as error:
            self._news.put_nowait(error)
            return error

    async def _time_there(self) -> float:
        time_s: float = await self._ask(loader.clock_s)
        return time_s

    async def _ask(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Call a function of `bench.load.generators.loader` within its worker."""
        try:
            async with asyncio.timeout(ANSWER_PATIENCE_S):
                answers = await self._client.run(function, *arguments, workers=[self._worker], on_error="return")
        except TimeoutError:
            raise self._lost(f"no answer within {ANSWER_PATIENCE_S:g} s") from None
        except Exception as error:  # Dask has errors of many kinds for a scheduler that is gone
            raise self._lost(f"{type(error).__name__}: {error}") from error
        answer = answers[self._worker]
        if isinstance(answer, Exception):
            raise self._lost(f"{type(answer).__name__}: {answer}") from answer
        return answer

    def _lost(self, why: str) -> GeneratorLostError:
        return GeneratorLostError(f"loader {self._worker} is lost, and with it what it had measured ({why})")


def _messages(spec: LoadSpec, wheels: Sequence[int]) -> Iterator[Mapping[str, bytes]]:
    """The content of these wheels of the load by file name, divided into messages."""
    message: dict[str, bytes] = {}
    for wheel in wheels:
        path = spec.uploads[wheel]
        message[path.name] = path.read_bytes()
        if sum(map(len, message.values())) >= MESSAGE_BYTES:
            yield message
            message = {}
    if message:
        yield message
