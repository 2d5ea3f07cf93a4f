"""Dask processes that the tests of one run share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.load.generators import dask_workers
from tests.bench.load.generators.dask_processes import DaskProcesses, dask_processes


@pytest.fixture(scope="session")
def dask_scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    with dask_processes(tmp_path_factory.mktemp("dask")) as processes:
        yield processes


@pytest.fixture
def short_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where everything is on one machine, loaders need no seconds to know of a start."""
    monkeypatch.setattr(dask_workers, "START_LEAD_S", 0.2)


@pytest.fixture
def dask(dask_scheduler: DaskProcesses) -> DaskProcesses:
    """A scheduler with three workers."""
    dask_scheduler.have_workers(3)
    return dask_scheduler
