"""Loads from a Dask scheduler and workers, each a process of its own: what is lost, refused, hidden and left behind."""

from __future__ import annotations

import asyncio
import base64
import shutil
import socket
import subprocess
from pathlib import Path

import numpy as np
import psutil
import pytest
import uvloop
from distributed import Event

from bench.common.failures import ExitCode, UnavailableError, UsageError
from bench.load.generators import dask_workers, loader
from bench.load.generators.dask_cluster import scheduler_at
from bench.load.generators.dask_workers import ClockUncertainError, DaskLoaders, count_workers
from bench.load.generators.messages import Failure
from bench.load.generators.protocol import GeneratorLostError
from bench.load.samples import Operation
from bench.load.sending import Load
from tests.bench.command_line import command_line
from tests.bench.load.generators.dask_processes import GENERATOR, DaskProcesses, dask_processes
from tests.bench.load.generators.test_generators import BURST, STALLED, all_stalled
from tests.bench.scripted_index import DOWNLOADED, LISTED, REDIRECTED, ScriptedIndex, rows, scripted_index, spec

pytestmark = pytest.mark.usefixtures("short_lead")


async def sent_until_stalled(index: ScriptedIndex, load: Load) -> asyncio.Task[None]:
    running = asyncio.create_task(load.run())
    stalled = asyncio.create_task(all_stalled(index, 12))
    await asyncio.wait([running, stalled], return_when=asyncio.FIRST_COMPLETED)
    assert stalled.done()
    return running


def test_a_worker_that_is_killed_is_an_error_that_names_it_and_ends_the_others(
    tmp_path: Path, dask: DaskProcesses
) -> None:
    killed = sorted(dask.workers)[1]

    async def run() -> None:
        async with scripted_index(STALLED) as index:
            load = Load(spec(index.url, tmp_path, BURST), DaskLoaders(3, dask.address))
            running = await sent_until_stalled(index, load)
            dask.workers[killed].process.kill()
            with pytest.raises(GeneratorLostError, match=rf"loader {killed} is lost"):
                await running
            await index.nobody_connected.wait()

        result = load.result()
        assert sorted(rows(result)) == [LISTED] * 8 + [REDIRECTED] * 8, "what the other two had measured"
        assert [link.name for link in result.generator.loaders] == sorted(dask.workers.keys() - {killed})

    uvloop.run(run())
    dask.end_workers(killed)
    dask.wait_until_idle()


def test_a_process_beside_a_worker_that_is_killed_is_an_error_too(tmp_path: Path, dask: DaskProcesses) -> None:
    async def run() -> None:
        async with scripted_index(STALLED) as index:
            load = Load(spec(index.url, tmp_path, BURST), DaskLoaders(3, dask.address))
            running = await sent_until_stalled(index, load)
            dask.generators()[0].kill()
            with pytest.raises(GeneratorLostError, match=r"loader tcp://.*: process \d of 3 .* ended with status -9"):
                await running
            await index.nobody_connected.wait()

    uvloop.run(run())
    dask.wait_until_idle()


def test_a_scheduler_that_is_killed_is_an_error_and_ends_the_load(tmp_path: Path) -> None:
    async def run(dask: DaskProcesses) -> None:
        async with scripted_index(STALLED) as index:
            load = Load(spec(index.url, tmp_path, BURST), DaskLoaders(1, dask.address))
            running = await sent_until_stalled(index, load)
            dask.scheduler.kill()
            with pytest.raises(GeneratorLostError, match=r"loader tcp://\S+ is lost"):
                await running
            await index.nobody_connected.wait()

    folder = tmp_path / "dask"
    folder.mkdir()
    with dask_processes(folder) as dask:
        dask.have_workers(1)
        uvloop.run(run(dask))


def test_a_worker_that_is_started_again_repeats_nothing(tmp_path: Path) -> None:
    """Its nanny starts it at the same address, for which Dask has the task still."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def run(dask: DaskProcesses) -> None:
        async with scripted_index(STALLED) as index:
            load = Load(spec(index.url, tmp_path, BURST), DaskLoaders(1, dask.address))
            running = await sent_until_stalled(index, load)
            ((address, nanny),) = dask.workers.items()
            children = psutil.Process(nanny.process.pid).children()
            (worker,) = (child for child in children if "spawn_main" in command_line(child))
            worker.kill()
            with pytest.raises(GeneratorLostError, match=f"loader {address} is lost"):
                await running
            await index.nobody_connected.wait()
            asked = len(index.requests)
            async with scheduler_at(dask.address) as client:
                await client.wait_for_workers(1)
                assert list(await client.nthreads()) == [address]
            assert len(index.requests) == asked

    folder = tmp_path / "dask"
    folder.mkdir()
    with dask_processes(folder) as dask:
        dask.add_workers(1, "--nanny", "--worker-port", str(port))
        uvloop.run(run(dask))
        dask.wait_until_idle()


def test_a_task_of_a_load_that_its_worker_does_not_know_sends_nothing() -> None:
    outcome = asyncio.run(loader.send("the token of a load that another process had"))
    assert isinstance(outcome, Failure)
    assert outcome.exit_code == ExitCode.UNTRUSTWORTHY


def test_another_clock_is_corrected(tmp_path: Path) -> None:
    """A worker whose monotonic clock is 5,000 s ahead, as that of another machine may be."""
    ahead = ("unshare", "--user", "--map-root-user", "--time", "--monotonic", "5000", "--fork")
    if shutil.which("unshare") is None or subprocess.run([*ahead, "true"], capture_output=True).returncode:
        pytest.skip("no namespace of time can be made here")

    async def run(dask: DaskProcesses) -> None:
        async with scripted_index() as index:
            load = Load(spec(index.url, tmp_path, BURST), DaskLoaders(2, dask.address))
            await load.run()

        result = load.result()
        samples = result.samples
        assert rows(result).count(DOWNLOADED) == 12
        (ours, theirs) = result.generator.loaders
        residual_s = max(ours.clock_residual_s, theirs.clock_residual_s)
        assert residual_s < 1
        assert np.all(samples.due_s >= -residual_s)
        assert np.all(samples.done_s < 60), "on our clock, which the other is far ahead of"
        first_due_s = samples.due_s[samples.operation == Operation.REDIRECT]
        assert np.all(np.abs(first_due_s) <= residual_s), "both started the burst at the same moment"

    folder = tmp_path / "dask"
    folder.mkdir()
    with dask_processes(folder) as dask:
        dask.add_workers(1)
        dask.add_workers(1, prefix=ahead)
        uvloop.run(run(dask))


def test_what_dask_sets_for_its_workers_does_not_reach_the_load(tmp_path: Path) -> None:
    """Each request would cost more CPU time than in the pool of one machine."""

    async def run() -> None:
        async with scripted_index(STALLED) as index:
            running = await sent_until_stalled(index, Load(spec(index.url, tmp_path, BURST), DaskLoaders(1)))
            family = psutil.Process().children(recursive=True)
            (generator,) = (process for process in family if GENERATOR in command_line(process))
            worker = generator.parent()
            assert worker is not None
            assert "MALLOC_TRIM_THRESHOLD_" in worker.environ()
            assert "MALLOC_TRIM_THRESHOLD_" not in generator.environ()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

    uvloop.run(run())


def test_a_clock_that_cannot_be_read_well_is_refused(
    tmp_path: Path, dask: DaskProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_workers, "MAX_CLOCK_RESIDUAL_S", 0.0)

    async def run() -> None:
        async with scripted_index() as index:
            with pytest.raises(ClockUncertainError, match=r"the clock of loader tcp://\S+ can be wrong by 0\.\d+ s"):
                await Load(spec(index.url, tmp_path, BURST), DaskLoaders(3, dask.address)).run()
            assert index.requests == []

    uvloop.run(run())
    assert ClockUncertainError.exit_code == ExitCode.UNTRUSTWORTHY
    dask.wait_until_idle()


def test_an_index_that_a_loader_cannot_reach_is_an_error_before_the_load(tmp_path: Path, dask: DaskProcesses) -> None:
    load = Load(spec("http://127.0.0.1:1/", tmp_path, BURST), DaskLoaders(3, dask.address))
    with pytest.raises(
        UnavailableError, match=r"loader tcp://\S+: no connection to http://127\.0\.0\.1:1/ \(.*refused"
    ):
        uvloop.run(load.run())
    dask.wait_until_idle()


def test_a_worker_that_is_busy_with_other_work_is_an_error(
    tmp_path: Path, dask: DaskProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_workers, "READY_PATIENCE_S", 0.5)

    async def run() -> None:
        async with scripted_index() as index, scheduler_at(dask.address) as client:
            other_work = [
                client.submit(lambda: Event("over").wait(), workers=[worker], pure=False) for worker in dask.workers
            ]
            while not all((await client.processing()).values()):
                await asyncio.sleep(0.01)
            with pytest.raises(UnavailableError, match=r"loader tcp://\S+ was not ready within 0\.5 s"):
                await Load(spec(index.url, tmp_path, BURST), DaskLoaders(3, dask.address)).run()
            assert index.requests == []
            await Event("over", client=client).set()
            await client.gather(other_work)

    uvloop.run(run())
    dask.wait_until_idle()


def test_no_log_and_no_task_shows_a_password(tmp_path: Path, dask: DaskProcesses) -> None:
    password = "a-password-that-nobody-may-see"

    async def run() -> str:
        async with scripted_index(STALLED) as index, scheduler_at(dask.address) as client:
            load = Load(spec(index.url, tmp_path, BURST, password=password), DaskLoaders(3, dask.address))
            running = await sent_until_stalled(index, load)
            tasks: str = await client.run_on_scheduler(
                lambda dask_scheduler: repr(
                    [(task.key, task.run_spec, task.annotations) for task in dask_scheduler.tasks.values()]
                )
            )
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert "Basic" in index.requests[0].headers["authorization"]
            return tasks

    shown = uvloop.run(run()) + dask.logs()
    assert "pypiserver-bench-" in shown
    assert "take_share" in shown
    for secret in (password, base64.b64encode(f"user:{password}".encode()).decode()):
        assert secret not in shown


def test_an_address_without_a_scheduler_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.load.generators.dask_cluster.CONNECT_PATIENCE_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for address in ("tcp://127.0.0.1:1", f"tcp://127.0.0.1:{silent.getsockname()[1]}"):
            with pytest.raises(UnavailableError, match=rf"--loaders {address}: no Dask scheduler answers there"):
                uvloop.run(count_workers(address))


def test_an_address_with_tls_needs_certificates() -> None:
    with pytest.raises(UsageError, match=r"--loaders tls://127\.0\.0\.1:1: TLS needs certificates: set DASK_"):
        uvloop.run(count_workers("tls://127.0.0.1:1"))


def test_a_scheduler_without_workers_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "dask"
    folder.mkdir()
    with (
        dask_processes(folder) as dask,
        pytest.raises(UnavailableError, match=rf"no workers: start one with `dask worker {dask.address}`"),
    ):
        uvloop.run(count_workers(dask.address))


def test_workers_that_came_or_went_since_the_run_began_are_an_error(tmp_path: Path, dask: DaskProcesses) -> None:
    load = Load(spec("http://127.0.0.1:1/", tmp_path, BURST), DaskLoaders(4, dask.address))
    with pytest.raises(UnavailableError, match="3 Dask workers up, and 4 expected"):
        uvloop.run(load.run())
