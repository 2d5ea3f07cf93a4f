"""The load: sends each client off when it is due, and keeps what was measured."""

from __future__ import annotations

import asyncio
import gc
import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Literal

from bench.failures import UnavailableError, UsageError
from bench.generator import GeneratorHealth
from bench.http_client import Endpoint
from bench.installer import CookieJar, Installer, Traffic
from bench.samples import Operation, Recorder, Samples
from bench.schedule import Kind, arrivals
from bench.target import Target
from bench.upload_form import UploadForm
from bench.workloads import Workload

Cookies = Literal["none", "shared"]

# With another agent, pypiserver answers an upload of a file that it has with another status.
UPLOADER = "twine/6.2.0"
PROGRESS_INTERVAL_S = 0.5
# Open files that are no connections of the load: those of the program around it, of its children's pipes, of logs.
OTHER_OPEN_FILES = 256


@dataclass(frozen=True)
class Progress:
    """How far a load is."""

    elapsed_s: float
    duration_s: float | None
    """How long new work keeps arriving; None for a single round."""
    requests: int
    """Those that have ended."""
    failed: int
    in_flight: int


@dataclass(frozen=True)
class LoadResult:
    """What a load measured."""

    samples: Samples
    peak_in_flight: int
    """The most requests that were under way at once, those still connecting included."""
    generator: GeneratorHealth


class Load:
    """One load. `run` it once; `result` gives what was recorded, also when `run` was cancelled or failed."""

    def __init__(
        self,
        target: Target,
        workload: Workload,
        packages: Sequence[str],
        uploads: Sequence[Path],
        seed: int,
        *,
        cookies: Cookies = "none",
        spill_dir: Path,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """
        Args:
            target: the index.
            workload: who asks for what.
            packages: names of the projects to choose from, at least one.
            uploads: new wheels, at least `workload.uploads_needed()`; each is uploaded at most once.
            seed: the same seed asks for the same packages at the same times.
            cookies: "none" keeps no cookie, as pip does; "shared" is one jar for all clients.
            spill_dir: where samples are kept that are too many for memory. Nothing is left there.
            on_progress: called on the event loop twice a second.
        """
        self._target = target
        self._workload = workload
        self._packages = packages
        self._forms = [UploadForm.of(wheel) for wheel in uploads[: workload.uploads_needed()]]
        self._seed = seed
        self._on_progress = on_progress
        self._recorder = Recorder(workload.phases, spill_dir, started_s=perf_counter())
        self._jar = CookieJar() if cookies == "shared" else None
        self._traffic: Traffic | None = None
        self._wall_s = 0.0
        self._cpu_s = 0.0

    async def run(self) -> None:
        """Send the load, and wait for the last answer. Cancelling it closes every connection at once.

        Raises:
            UsageError: this machine does not allow so many connections.
            UnavailableError: nobody knows the host of the index.
            DiskFullError: the samples could not be kept.
        """
        _allow_connections(self._workload)
        self._traffic = traffic = Traffic(self._target, await _endpoint(self._target), self._recorder, self._jar)
        # The objects of the program so far stay out of the collections that happen during the load.
        gc.collect()
        gc.freeze()
        cpu_started_s = process_time()
        self._recorder.started_s = started_s = perf_counter()
        progress = asyncio.create_task(self._report_progress(traffic), name="progress")
        try:
            round_number = 0
            await self._run_round(traffic, round_number)
            while self._workload.repeats and perf_counter() - started_s < (self._workload.duration_s or 0):
                round_number += 1
                await self._run_round(traffic, round_number)
        finally:
            self._wall_s = perf_counter() - started_s
            self._cpu_s = process_time() - cpu_started_s
            progress.cancel()
            gc.unfreeze()

    def result(self) -> LoadResult:
        """What was measured so far. Requests that were under way when the load was cancelled have no row."""
        samples = self._recorder.finish()
        traffic = self._traffic
        return LoadResult(
            samples,
            peak_in_flight=traffic.peak_in_flight if traffic else 0,
            generator=GeneratorHealth.of(
                samples, cpu_s=self._cpu_s, wall_s=self._wall_s, exhausted=traffic.exhausted if traffic else 0
            ),
        )

    async def _run_round(self, traffic: Traffic, round_number: int) -> None:
        schedule = arrivals(self._workload, self._seed, len(self._packages), round_number)
        rows = zip(
            schedule.due_s.tolist(),
            schedule.phase.tolist(),
            schedule.kind.tolist(),
            schedule.package.tolist(),
            schedule.client.tolist(),
            strict=True,
        )
        started_s = perf_counter()
        try:
            async with asyncio.TaskGroup() as clients:
                for due_s, phase, kind, package, client in rows:
                    due_s += started_s
                    # The event loop may wake a little too early.
                    while (wait_s := due_s - perf_counter()) > 0:
                        await asyncio.sleep(wait_s)
                    clients.create_task(self._client(traffic, due_s, phase, Kind(kind), package, client))
        except BaseExceptionGroup as group:
            # One client is enough to tell what is wrong: they all fail for the same reason, such as a full disk.
            raise group.exceptions[0] from None

    async def _client(self, traffic: Traffic, due_s: float, phase: int, kind: Kind, package: int, number: int) -> None:
        agents = self._workload.user_agents
        agent = UPLOADER if kind is Kind.UPLOAD else agents[number % len(agents)]
        client = Installer(traffic, number, phase, agent)
        try:
            if kind is Kind.UPLOAD:
                await client.upload(self._forms[package], due_s)
            else:
                steps = self._workload.install if kind is Kind.INSTALL else (Operation.LISTING,)
                await client.install(self._packages[package], steps, due_s)
        except BaseException:
            client.abort()
            raise
        client.close()

    async def _report_progress(self, traffic: Traffic) -> None:
        while self._on_progress:
            self._on_progress(
                Progress(
                    elapsed_s=perf_counter() - self._recorder.started_s,
                    duration_s=self._workload.duration_s,
                    requests=self._recorder.requests,
                    failed=self._recorder.failed,
                    in_flight=traffic.in_flight,
                )
            )
            await asyncio.sleep(PROGRESS_INTERVAL_S)


async def _endpoint(target: Target) -> Endpoint:
    try:
        return await Endpoint.of(target)
    except OSError as error:
        raise UnavailableError(f"nobody knows the host of {target.url}: {error}") from error


def _allow_connections(workload: Workload) -> None:
    """Raise the number of files that this process may have open to what the workload needs."""
    needed = (workload.clients or 0) + OTHER_OPEN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UsageError(
            f"--clients {workload.clients}: this machine allows a process {hard} open files (ulimit -Hn), "
            f"and so many clients need {needed}"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
