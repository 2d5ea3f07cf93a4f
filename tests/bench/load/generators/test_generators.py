"""Loads that are sent by processes of this machine and by Dask workers: who sends them changes nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import uvloop

from bench.common.failures import UnavailableError
from bench.load.generators.dask_workers import DaskLoaders
from bench.load.generators.processes import Processes
from bench.load.generators.protocol import Generators
from bench.load.samples import Operation
from bench.load.sending import Load
from bench.load.shapes import Rate
from bench.load.workloads import WORKLOADS, Workload, with_options
from tests.bench.load.generators.dask_processes import DaskProcesses
from tests.bench.load.test_load_on_pypiserver import make_wheel
from tests.bench.scripted_index import (
    LISTED,
    REDIRECTED,
    WHEEL_HREF,
    WHEEL_PATH,
    Reply,
    Request,
    Script,
    ScriptedIndex,
    http,
    listing,
    rows,
    scripted_index,
    send,
    spec,
)
from tests.thorough import thorough

PACKAGES = tuple(f"package-{number}" for number in range(50))
TO_ALPHA: dict[str, Script] = {
    f"/{package}/": http("303 See Other", b"", "Location: /simple/alpha/") for package in PACKAGES
}
LISTINGS: dict[str, Script] = {f"/simple/{package}/": listing(WHEEL_HREF) for package in PACKAGES}
STALLED: dict[str, Script] = {WHEEL_PATH: Reply(b"", then="wait")}

BURST = with_options(WORKLOADS["burst"], clients=12)
STREAM = Workload("stream", "30 installs in 0.3 s", Rate(60 / 0.3 * 60, duration_s=0.3))
UPLOADS = with_options(WORKLOADS["uploads"], clients=12)

pytestmark = pytest.mark.usefixtures("short_lead")


@pytest.fixture(
    params=["1 process", "2 processes", "5 processes", "3 loaders of a scheduler", *thorough("2 local loaders")]
)
def generators(request: pytest.FixtureRequest) -> Generators:
    """Each kind of load generator."""
    number = int(request.param[0])
    if "process" in request.param:
        return Processes(number)
    if "local" in request.param:
        return DaskLoaders(number)
    dask: DaskProcesses = request.getfixturevalue("dask")
    return DaskLoaders(number, dask.address)


def wheels(folder: Path) -> tuple[Path, ...]:
    return tuple(make_wheel(folder, f"new-{number}", "1.0.0", 20_000) for number in range(12))


@pytest.mark.parametrize("workload", [BURST, STREAM, UPLOADS], ids=lambda workload: workload.name)
def test_the_same_clients_ask_for_the_same_things_whoever_sends_them(
    tmp_path: Path, workload: Workload, generators: Generators
) -> None:
    uploads = wheels(tmp_path) if workload is UPLOADS else ()

    def asked(of: ScriptedIndex) -> Counter[tuple[str, ...]]:
        return Counter(
            (request.method, request.path, request.headers["user-agent"], hashlib.sha256(request.body).hexdigest())
            for request in of.requests
        )

    async def run() -> None:
        async with scripted_index({**TO_ALPHA, **LISTINGS}) as alone, scripted_index({**TO_ALPHA, **LISTINGS}) as index:
            expected = await send(alone.url, tmp_path, workload, packages=PACKAGES, uploads=uploads)
            load = Load(spec(index.url, tmp_path, workload, packages=PACKAGES, uploads=uploads), generators)
            await load.run()

            assert asked(index) == asked(alone)
            samples = load.result().samples
            assert not samples.failed.any()
            assert len(samples) == len(expected.samples)
            assert samples.received_bytes.sum() == expected.samples.received_bytes.sum()
            assert np.all(np.diff(samples.done_s) >= 0), "in the order in which they ended"
            first = samples.operation == samples.operation.min()
            expected_first = expected.samples.operation == expected.samples.operation.min()
            residual_s = max((loader.clock_residual_s for loader in load.result().generator.loaders), default=1e-6)
            np.testing.assert_allclose(
                np.sort(samples.due_s[first]),
                np.sort(expected.samples.due_s[expected_first]),
                rtol=0,
                atol=residual_s,
            )

    uvloop.run(run())


def test_a_repeated_burst_starts_whole_rounds_until_its_time_is_over(tmp_path: Path, generators: Generators) -> None:
    async def run() -> None:
        async with scripted_index(TO_ALPHA) as index:
            workload = with_options(WORKLOADS["burst"], clients=6, duration_s=0.5)
            load = Load(spec(index.url, tmp_path, workload, packages=PACKAGES), generators)
            await load.run()
            samples = load.result().samples
            assert not samples.failed.any()
            assert samples.due_s.max() > 0.1

            first = np.sort(samples.due_s[samples.operation == Operation.REDIRECT])
            assert len(first) % 6 == 0, "each round is whole"
            residual_s = max((loader.clock_residual_s for loader in load.result().generator.loaders), default=0.0)
            for clients_due_s in first.reshape(-1, 6):
                assert np.ptp(clients_due_s) <= 2 * residual_s, "all of a round start at the same moment"
                start_s = clients_due_s.max() - 2 * residual_s
                under_way = (samples.due_s < start_s) & (samples.done_s > start_s + 4 * residual_s)
                assert not np.any(under_way), "a round ends in all of them"

            asked = [request.path for request in index.requests if request.path.startswith("/package-")]
            rounds = {tuple(sorted(asked[start : start + 6])) for start in range(0, len(asked), 6)}
            assert len(rounds) > 1, "each round chooses its packages anew"

    uvloop.run(run())


def test_a_cancelled_load_closes_its_connections_and_keeps_its_rows(tmp_path: Path, generators: Generators) -> None:
    async def run() -> None:
        async with scripted_index(STALLED) as index:
            load = Load(spec(index.url, tmp_path, BURST), generators)
            running = asyncio.create_task(load.run())
            await all_stalled(index, 12)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await index.nobody_connected.wait()

        result = load.result()
        assert sorted(rows(result)) == [LISTED] * 12 + [REDIRECTED] * 12, "the downloads had no outcome"
        assert result.generator.wall_s > 0

    uvloop.run(run())


def test_what_keeps_every_generator_from_starting_is_told_once(tmp_path: Path, generators: Generators) -> None:
    load = Load(spec("http://unknown.invalid/", tmp_path, BURST), generators)
    with pytest.raises(UnavailableError, match=r"http://unknown\.invalid/"):
        uvloop.run(load.run())
    result = load.result()
    assert len(result.samples) == 0
    assert result.generator.problems() == ((), False)


def test_progress_is_that_of_all_generators(tmp_path: Path, generators: Generators) -> None:
    seen: list[tuple[float, int]] = []

    async def run() -> None:
        async def refuse_after_progress(_: Request) -> bytes:
            while not any(requests == 12 for _, requests in seen):
                await asyncio.sleep(0.001)
            return http("404 Not Found")

        async with scripted_index({"/simple/alpha/": refuse_after_progress}) as index:
            await Load(spec(index.url, tmp_path, BURST), generators, lambda *progress: seen.append(progress)).run()

    uvloop.run(run())
    assert next(elapsed_s for elapsed_s, requests in seen if requests == 12) > 0


async def all_stalled(index: ScriptedIndex, clients: int) -> None:
    while sum(request.path == WHEEL_PATH for request in index.requests) < clients:
        await asyncio.sleep(0.005)
