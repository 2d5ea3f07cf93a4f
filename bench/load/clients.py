"""The clients of one process: each is sent off when it is due, and what it meets with is recorded."""

from __future__ import annotations

import asyncio
import math
import resource
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Literal

from bench.common.failures import UsageError
from bench.index.client import IndexSession
from bench.index.target import Target
from bench.index.upload import Form
from bench.load.health import LoaderLink
from bench.load.installer import Installer, Traffic
from bench.load.samples import Operation, Recorder, Samples
from bench.load.schedule import Action, Arrivals
from bench.load.workloads import Workload

Cookies = Literal["none", "shared"]

# With another agent, pypiserver answers an upload of a file that it has with another status.
UPLOADER = "twine/6.2.0"
# Open files that are no connections of the load: those of the program around it, of its pipes, of logs.
OTHER_OPEN_FILES = 256


@dataclass(frozen=True)
class LoadSpec:
    """The load to send."""

    target: Target
    workload: Workload
    packages: tuple[str, ...]
    """Names of the projects to choose from, at least one."""
    uploads: tuple[Path, ...]
    """New wheels, at least `workload.shape.uploads`; each is uploaded at most once."""
    seed: int
    """The same seed asks for the same packages at the same times."""
    cookies: Cookies
    """`none` keeps no cookie, as pip does; `shared` is one jar for all clients."""
    spill_dir: Path
    """Where samples are kept that are too many for memory. Nothing is left there."""


@dataclass(frozen=True)
class ProcessMeasurement:
    """Samples of one process, and its CPU time."""

    samples: Samples
    cpu_s: float
    """CPU time of the whole process, from the start of the first round to the end of the last."""
    wall_s: float
    """Time between the two."""
    exhausted: int
    """Connections that could not be made for want of ports, files or memory on this side."""
    loader: LoaderLink | None = None
    """The loader whose process it was; None where the benchmark itself had started the process."""


def share_of(spec: LoadSpec, index: int, of: int, round_number: int = 0) -> Arrivals:
    """The clients of a round that the process `index` of so many sends: every `of`-th."""
    schedule = spec.workload.arrivals(spec.seed, len(spec.packages), round_number)
    return schedule.take(schedule.client % of == index)


def wheels_of(share: Arrivals) -> list[int]:
    """The wheels that these clients upload, by their places in `LoadSpec.uploads`."""
    wheels: list[int] = share.package[share.action == Action.UPLOAD].tolist()
    return wheels


class ProcessClients:
    """Every `of`-th client of a load, beginning with number `index`: the whole of it where one process sends it.

    Which process sends a client changes nothing about what that client asks for, or when. `prepare` once; then, for
    each round, `plan` it and `run` it; `measured` gives what was recorded so far, also when a round was
    cancelled.
    """

    def __init__(self, spec: LoadSpec, index: int = 0, of: int = 1) -> None:
        self._spec = spec
        self._index = index
        self._of = of
        self._recorder = Recorder(spec.workload.shape.phases, spec.spill_dir, started_s=perf_counter())
        self._traffic: Traffic
        self._round: Arrivals
        self._forms: dict[int, Form] = {}
        self._started = False
        self._wall_s = 0.0
        self._cpu_before_s = 0.0
        self._cpu_s = 0.0

    async def prepare(self) -> None:
        """Everything that can be done before the load starts.

        Raises:
            UsageError: this machine does not allow so many connections.
            UnavailableError: there is no such host.
        """
        spec = self._spec
        _allow_connections(spec.workload, self._of)
        session = await IndexSession.open(spec.target, keep_cookies=spec.cookies == "shared")
        self._traffic = Traffic(session, self._recorder)

    def plan(self, round_number: int) -> None:
        """Work out who is due when in this round, so that running it loses no time with that."""
        self._round = share_of(self._spec, self._index, self._of, round_number)
        self._forms = {wheel: Form.of_upload(self._spec.uploads[wheel]) for wheel in wheels_of(self._round)}

    async def run(self, started_s: float) -> None:
        """Send the round that was planned, and started at `started_s` of `time.perf_counter`; wait for its last answer.

        Cancelling it closes every connection at once.

        Raises:
            DiskFullError: the samples could not be kept.
        """
        if not self._started:
            self._started = True
            self._recorder.started_s = started_s
            self._cpu_before_s = process_time()
        try:
            async with asyncio.TaskGroup() as clients:
                for due_s, phase, action, package, client in self._round.rows():
                    due_s += started_s
                    # The event loop may wake a little too early.
                    while (wait_s := due_s - perf_counter()) > 0:
                        await asyncio.sleep(wait_s)
                    clients.create_task(self._client(due_s, phase, Action(action), package, client))
        except BaseExceptionGroup as group:
            # One client is enough to tell what is wrong: they all fail for the same reason, such as a full disk.
            raise group.exceptions[0] from None
        finally:
            self._wall_s = max(0.0, perf_counter() - self._recorder.started_s)
            self._cpu_s = process_time() - self._cpu_before_s

    @property
    def requests(self) -> int:
        """Number of requests that have ended."""
        return self._recorder.requests

    def measured(self) -> ProcessMeasurement:
        """The measurement so far. Requests that were under way when a round was cancelled have no row."""
        return ProcessMeasurement(self._recorder.finish(), self._cpu_s, self._wall_s, self._traffic.exhausted)

    async def _client(self, due_s: float, phase: int, action: Action, package: int, number: int) -> None:
        workload = self._spec.workload
        agent = UPLOADER if action is Action.UPLOAD else workload.user_agents[number % len(workload.user_agents)]
        client = Installer(self._traffic, number, phase, agent)
        try:
            if action is Action.UPLOAD:
                await client.upload(self._forms[package], due_s)
            else:
                steps = workload.install if action is Action.INSTALL else (Operation.LISTING,)
                await client.install(self._spec.packages[package], steps, due_s)
        except BaseException:
            client.abort()
            raise
        client.close()


def _allow_connections(workload: Workload, processes: int) -> None:
    """Raise the number of files that this process may have open to what its share of the workload needs."""
    needed = math.ceil((workload.shape.clients or 0) / processes) + OTHER_OPEN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UsageError(
            f"--clients {workload.shape.clients}: this machine allows a process {hard} open files (ulimit -Hn), "
            f"and so many clients need {needed}; lower it, or spread them with --generators"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
