"""Loader: the part of the load generator that runs within a Dask worker.

The loader starts the same process that sends a load on one machine. Dask's own work takes no time from that process,
and the CPU time of the process is that of the load alone. `send` is the one task of a worker; the benchmark calls the
other functions through `Client.run`. All of them run on the worker's event loop.

A token identifies one share of one load. Where Dask repeats the task on a restarted worker, the task finds no share of
that token, and sends nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from bench.common.failures import BenchError, ExitCode, UnavailableError
from bench.index.client import Exchange, IndexSession
from bench.index.target import Target
from bench.load.clients import LoadSpec, ProcessMeasurement
from bench.load.generators.messages import Failure
from bench.load.generators.processes import GeneratorProcess
from bench.load.generators.protocol import GeneratorLostError
from bench.load.generators.sealed import Sealed

if TYPE_CHECKING:
    from distributed import Worker

# Longest time that a call of `news` waits for some.
HOLD_S = 2.0
# A loader that gets no call for so long has lost the benchmark, and ends.
LEASE_S = 20.0


@dataclass(frozen=True)
class News:
    """Progress of a loader."""

    planned: int
    """Number of rounds that it has planned. It sends the last of them, or is ready to."""
    requests: int
    """Number of requests that have ended."""
    failure: Failure | None
    """Why it sends no more."""


_shares: dict[str, _LoaderShare] = {}


def clock_s() -> float:
    """Time of the clock that the samples of this machine are taken with."""
    return perf_counter()


def take_share(token: str, sealed: Sealed[tuple[LoadSpec, int, int]], dask_worker: Worker) -> None:
    """Accept a share of a load: the load, the number of the share, and the number of all shares."""
    folder = TemporaryDirectory(prefix="pypiserver-bench-", dir=dask_worker.local_directory)
    _shares[token] = _LoaderShare(*sealed.open(), folder)
    _renew(token)


def take_wheels(token: str, sealed: Sealed[Mapping[str, bytes]]) -> None:
    """Accept wheels to upload, by file name."""
    if share := _renew(token):
        for name, content in sealed.open().items():
            (share.wheels / name).write_bytes(content)


async def send(token: str) -> ProcessMeasurement | Failure:
    """The task: send the rounds of a share until `stop`, each once `start_round` has named its start."""
    share = _shares.get(token)
    if share is None:
        return Failure.of(GeneratorLostError("its worker was restarted"))
    try:
        return await share.send()
    finally:
        _forget(token)


async def news(token: str, known: News | None) -> News | None:
    """News of a share, as soon as it differs from `known`, or after `HOLD_S`; None: this worker has no such share."""
    share = _renew(token)
    if share is None:
        await asyncio.sleep(HOLD_S)
        return None
    return await share.news(known)


def start_round(token: str, started_s: float) -> None:
    """Start the planned round at a moment of this machine's clock."""
    if share := _renew(token):
        share.starts.put_nowait(started_s)


def stop(token: str) -> bool:
    """End a share; returns whether its task has begun, and so has a result."""
    share = _shares.get(token)
    if share is None:
        return True
    share.stopped.set()
    if not share.has_begun:
        _forget(token)
    return share.has_begun


class _LoaderShare:
    """A share of a load, from `take_share` to the end of its task."""

    def __init__(self, spec: LoadSpec, index: int, of: int, folder: TemporaryDirectory[str]) -> None:
        self.wheels = Path(folder.name)
        self.starts: asyncio.Queue[float] = asyncio.Queue()
        self.stopped = asyncio.Event()
        self.has_begun = False
        self.lease: asyncio.TimerHandle | None = None
        # The paths in it are those of another machine.
        uploads = tuple(self.wheels / wheel.name for wheel in spec.uploads)
        self._spec = replace(spec, spill_dir=self.wheels, uploads=uploads)
        self._place = index, of
        self._folder = folder
        self._process: GeneratorProcess | None = None
        self._planned = 0
        self._failure: Failure | None = None
        self._changed = asyncio.Event()

    async def send(self) -> ProcessMeasurement | Failure:
        self.has_begun = True
        rounds = asyncio.create_task(self._send_rounds())
        await self.stopped.wait()
        rounds.cancel()
        await asyncio.wait([rounds])
        if self._process is None:
            return self._failure or Failure.of(GeneratorLostError("it was stopped before it began"))
        try:
            return await self._process.end()
        except BenchError as error:
            return Failure.of(error)

    async def news(self, known: News | None) -> News:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HOLD_S):
                while known and (self._planned, self._failure) == (known.planned, known.failure):
                    self._changed.clear()
                    await self._changed.wait()
        return News(self._planned, self._process.requests if self._process else 0, self._failure)

    def remove(self) -> None:
        if self.lease is not None:
            self.lease.cancel()
        self._folder.cleanup()

    async def _send_rounds(self) -> None:
        """Send one round after the other until cancelled; a failure is news."""
        try:
            await _connect_once(self._spec.target)
            process = await GeneratorProcess.start(self._spec, *self._place, lambda: None, _environment())
            self._process = process
            while True:
                await process.ready()
                self._planned += 1
                self._changed.set()
                process.start_round(await self.starts.get())
        except BenchError as error:
            self._failure = Failure.of(error)
        except Exception as error:
            self._failure = Failure(ExitCode.INTERNAL, f"{type(error).__name__}: {error}")
        self._changed.set()


async def _connect_once(target: Target) -> None:
    """Refuse a load on an index that cannot be reached from this machine: every request would fail."""
    session = await IndexSession.open(target)
    try:
        connection = await session.endpoint.connect()
    except OSError as error:
        why = Exchange(cause=error).connection_failure
        raise UnavailableError(f"no connection to {target.url} ({why}): every loader must reach the index") from error
    connection.close()


def _environment() -> dict[str, str]:
    """The environment without what Dask adds for its workers: with its trimming of memory, a request costs more CPU."""
    import dask

    added: Mapping[str, str] = dask.config.get("distributed.nanny.pre-spawn-environ")
    return {name: value for name, value in os.environ.items() if name not in added}


def _renew(token: str) -> _LoaderShare | None:
    """The share of a token, its lease renewed; None where there is none."""
    share = _shares.get(token)
    if share is not None:
        if share.lease is not None:
            share.lease.cancel()
        share.lease = asyncio.get_running_loop().call_later(LEASE_S, stop, token)
    return share


def _forget(token: str) -> None:
    if share := _shares.pop(token, None):
        share.remove()
