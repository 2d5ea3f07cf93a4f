"""Loads that are spread over real processes: what is asked does not change, and no end leaves one of them behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import pytest
import uvloop

from bench.common.failures import ExitCode, UnavailableError
from bench.load import pool as load_pool
from bench.load.pool import GeneratorLostError, Load
from bench.load.samples import Operation
from bench.load.shapes import Rate
from bench.load.workloads import WORKLOADS, Workload, with_options
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

PACKAGES = tuple(f"package-{number}" for number in range(50))
TO_ALPHA: dict[str, Script] = {
    f"/{package}/": http("303 See Other", b"", "Location: /simple/alpha/") for package in PACKAGES
}
LISTINGS: dict[str, Script] = {f"/simple/{package}/": listing(WHEEL_HREF) for package in PACKAGES}
STALLED: dict[str, Script] = {WHEEL_PATH: Reply(b"", then="wait")}

BURST = with_options(WORKLOADS["burst"], clients=12)
STREAM = Workload("stream", "30 installs in 0.3 s", Rate(60 / 0.3 * 60, duration_s=0.3))


def workers_of(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(pid).children() if "bench.load.worker" in child.cmdline()]


async def all_stalled(index: ScriptedIndex, clients: int) -> None:
    while sum(request.path == WHEEL_PATH for request in index.requests) < clients:
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("workload", [BURST, STREAM], ids=lambda workload: workload.name)
@pytest.mark.parametrize("generators", [1, 2, 5])
def test_the_same_clients_ask_for_the_same_things_whoever_sends_them(
    tmp_path: Path, workload: Workload, generators: int
) -> None:
    async def run() -> None:
        async with scripted_index({**TO_ALPHA, **LISTINGS}) as alone, scripted_index({**TO_ALPHA, **LISTINGS}) as index:
            expected = await send(alone.url, tmp_path, workload, packages=PACKAGES)
            load = Load(spec(index.url, tmp_path, workload, packages=PACKAGES), generators)
            await load.run()

            def asked(of: ScriptedIndex) -> Counter[tuple[str, str]]:
                return Counter((request.path, request.headers["user-agent"]) for request in of.requests)

            assert asked(index) == asked(alone)
            samples = load.result().samples
            assert not samples.failed.any()
            assert len(samples) == len(expected.samples)
            assert len(load.result().generator.cpu_s) == generators
            assert np.all(np.diff(samples.done_s) >= 0), "in the order in which they ended"
            first = samples.operation == samples.operation.min()
            expected_first = expected.samples.operation == expected.samples.operation.min()
            np.testing.assert_allclose(
                np.sort(samples.due_s[first]), np.sort(expected.samples.due_s[expected_first]), rtol=0, atol=1e-6
            )

    uvloop.run(run())


@pytest.mark.parametrize("generators", [1, 2])
def test_a_repeated_burst_starts_whole_rounds_until_its_time_is_over(tmp_path: Path, generators: int) -> None:
    async def run() -> None:
        async with scripted_index(TO_ALPHA) as index:
            workload = with_options(WORKLOADS["burst"], clients=3, duration_s=0.3)
            load = Load(spec(index.url, tmp_path, workload, packages=PACKAGES), generators)
            await load.run()
            samples = load.result().samples
            assert not samples.failed.any()
            assert samples.due_s.max() > 0.1
            assert index.connections == len(samples) / 3, "each client of each round is a new one"

            starts_s, clients = np.unique(samples.due_s[samples.operation == Operation.REDIRECT], return_counts=True)
            assert set(clients.tolist()) == {3}, "all of a round start at the same moment"
            for start_s in starts_s:
                assert not np.any((samples.due_s < start_s) & (samples.done_s > start_s)), "a round ends in all of them"

            asked = [request.path for request in index.requests if request.path.startswith("/package-")]
            rounds = {tuple(sorted(asked[start : start + 3])) for start in range(0, len(asked), 3)}
            assert len(rounds) > 1, "each round chooses its packages anew"

    uvloop.run(run())


def test_a_cancelled_load_closes_its_connections_and_keeps_its_rows(tmp_path: Path) -> None:
    async def run() -> None:
        async with scripted_index(STALLED) as index:
            load = Load(spec(index.url, tmp_path, BURST), generators=2)
            running = asyncio.create_task(load.run())
            await all_stalled(index, 12)
            workers = workers_of(psutil.Process().pid)
            assert len(workers) == 2
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert not any(worker.is_running() for worker in workers)
            await index.nobody_connected.wait()

        result = load.result()
        assert sorted(rows(result)) == [LISTED] * 12 + [REDIRECTED] * 12, "the downloads had no outcome"
        assert result.generator.wall_s > 0

    uvloop.run(run())


def test_a_process_that_is_killed_is_an_error_and_ends_the_others(tmp_path: Path) -> None:
    async def run() -> None:
        async with scripted_index(STALLED) as index:
            load = Load(spec(index.url, tmp_path, BURST), generators=3)
            running = asyncio.create_task(load.run())
            await all_stalled(index, 12)
            workers = workers_of(psutil.Process().pid)
            workers[1].kill()
            with pytest.raises(GeneratorLostError, match=r"process \d of 3 of the load generator ended with status -9"):
                await running
            assert not any(worker.is_running() for worker in workers)
            await index.nobody_connected.wait()

        assert sorted(rows(load.result())) == [LISTED] * 8 + [REDIRECTED] * 8, "what the other two had measured"

    assert GeneratorLostError.exit_code == ExitCode.UNTRUSTWORTHY
    uvloop.run(run())


def test_a_process_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_pool, "END_PATIENCE_S", 0.1)

    async def run() -> None:
        async with scripted_index(STALLED) as index:
            load = Load(spec(index.url, tmp_path, BURST), generators=1)
            running = asyncio.create_task(load.run())
            await all_stalled(index, 12)
            (worker,) = workers_of(psutil.Process().pid)
            worker.suspend()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert not worker.is_running()
            await index.nobody_connected.wait()

    uvloop.run(run())


def test_no_process_outlives_a_killed_parent(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, uvloop\n"
        "from bench.load.pool import Load\n"
        "from tests.bench.scripted_index import spec\n"
        "from bench.load.workloads import WORKLOADS, with_options\n"
        "workload = with_options(WORKLOADS['burst'], clients=12)\n"
        "uvloop.run(Load(spec(sys.argv[1], pathlib.Path(sys.argv[2]), workload), generators=2).run())\n"
    )

    async def run() -> None:
        async with scripted_index(STALLED) as index:
            parent = subprocess.Popen([sys.executable, "-c", program, index.url, str(tmp_path)])
            await all_stalled(index, 12)
            workers = workers_of(parent.pid)
            assert len(workers) == 2
            parent.send_signal(signal.SIGKILL)
            parent.wait()
            await index.nobody_connected.wait()
            await asyncio.to_thread(psutil.wait_procs, workers, timeout=30)
            assert not any(worker.is_running() for worker in workers)

    uvloop.run(run())
    assert list(tmp_path.iterdir()) == []


def test_what_keeps_every_process_from_starting_is_told_once(tmp_path: Path) -> None:
    load = Load(spec("http://unknown.invalid/", tmp_path, BURST), generators=2)
    with pytest.raises(UnavailableError, match=r"http://unknown\.invalid/"):
        uvloop.run(load.run())
    result = load.result()
    assert len(result.samples) == 0
    assert result.generator.problems() == ((), False)


def test_progress_is_that_of_all_processes(tmp_path: Path) -> None:
    seen: list[tuple[float, int]] = []

    async def run() -> None:
        async def refuse_after_progress(_: Request) -> bytes:
            while not any(requests == 4 for _, requests in seen):
                await asyncio.sleep(0.001)
            return http("404 Not Found")

        async with scripted_index({"/simple/alpha/": refuse_after_progress}) as index:
            workload = with_options(WORKLOADS["burst"], clients=4)
            await Load(
                spec(index.url, tmp_path, workload), generators=2, on_progress=lambda *progress: seen.append(progress)
            ).run()

    uvloop.run(run())
    assert next(elapsed_s for elapsed_s, requests in seen if requests == 4) > 0
