"""Versions of the benchmark, the scheduler and the workers: they agree, or the message says what differs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

import bench
from bench.common.failures import UsageError
from bench.load.generators.dask_workers import count_workers
from tests.bench.load.generators.dask_processes import DaskProcesses


def other_package(folder: Path) -> None:
    metadata = folder / "aiohttp-0.1.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: aiohttp\nVersion: 0.1\n")


def other_code(folder: Path) -> None:
    shutil.copytree(Path(bench.__file__).parent, folder / "bench")
    with (folder / "bench" / "load" / "schedule.py").open("a") as file:
        file.write("# another version\n")


def no_code(folder: Path) -> None:
    (folder / "bench.py").touch()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (other_package, r"aiohttp is \S+ here, 0\.1 on worker tcp://\S+: install the same versions"),
        (other_code, r"worker tcp://\S+ has other code of this project \(\w{12} there, \w{12} here\)"),
        (no_code, r"worker tcp://\S+ cannot run the load \(ModuleNotFoundError.*bench.*\): install this project"),
    ],
)
def test_a_worker_of_other_versions_is_refused(
    tmp_path: Path, dask: DaskProcesses, make: Callable[[Path], None], message: str
) -> None:
    make(tmp_path)
    before = set(dask.workers)
    dask.add_workers(1, environment={"PYTHONPATH": str(tmp_path)})
    try:
        with pytest.raises(UsageError, match=message):
            uvloop.run(count_workers(dask.address))
    finally:
        dask.end_workers(*(set(dask.workers) - before))
    assert uvloop.run(count_workers(dask.address)) == 3
