"""An index of a test's own, and somebody's account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pypiserver_stack.container.clients.real_clients import PackageClient, start_index
from tests.pypiserver_stack.container.running_task import RunningTask


@pytest.fixture
def task(tmp_path: Path) -> Iterator[RunningTask]:
    with start_index(tmp_path / "task") as task:
        yield task


@pytest.fixture
def client(tmp_path: Path) -> PackageClient:
    return PackageClient(tmp_path / "home")
