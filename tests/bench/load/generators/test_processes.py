"""Load processes of this machine: no end leaves one of them behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import uvloop

from bench.common.failures import ExitCode
from bench.load.generators import processes
from bench.load.generators.processes import Processes
from bench.load.generators.protocol import GeneratorLostError
from bench.load.sending import Load
from tests.bench.load.generators.dask_processes import GENERATOR
from tests.bench.load.generators.test_generators import BURST, STALLED, all_stalled
from tests.bench.scripted_index import LISTED, REDIRECTED, rows, scripted_index, spec


def workers_of(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(pid).children() if GENERATOR in child.cmdline()]


def test_a_cancelled_load_ends_its_processes(tmp_path: Path) -> None:
    async def run() -> None:
        async with scripted_index(STALLED) as index:
            load = Load(spec(index.url, tmp_path, BURST), Processes(2))
            running = asyncio.create_task(load.run())
            await all_stalled(index, 12)
            workers = workers_of(psutil.Process().pid)
            assert len(workers) == 2
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert not any(worker.is_running() for worker in workers)
            await index.nobody_connected.wait()

    uvloop.run(run())


def test_a_process_that_is_killed_is_an_error_and_ends_the_others(tmp_path: Path) -> None:
    async def run() -> None:
        async with scripted_index(STALLED) as index:
            load = Load(spec(index.url, tmp_path, BURST), Processes(3))
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
    monkeypatch.setattr(processes, "END_PATIENCE_S", 0.1)

    async def run() -> None:
        async with scripted_index(STALLED) as index:
            load = Load(spec(index.url, tmp_path, BURST), Processes(1))
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
        "from bench.load.generators.processes import Processes\n"
        "from bench.load.sending import Load\n"
        "from tests.bench.scripted_index import spec\n"
        "from bench.load.workloads import WORKLOADS, with_options\n"
        "workload = with_options(WORKLOADS['burst'], clients=12)\n"
        "uvloop.run(Load(spec(sys.argv[1], pathlib.Path(sys.argv[2]), workload), Processes(2)).run())\n"
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
