"""An index in a thread of its own, and packages to upload to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.commands.consistency.items import File, Project
from bench.packages.factory import Wheel
from tests.bench import fake_index
from tests.bench.fake_index import FakeIndex
from tests.pypiserver_stack.container.small_packages import make_wheel


@pytest.fixture
def serving() -> Iterator[Callable[[FakeIndex], FakeIndex]]:
    """Serves an index from a thread of its own, for a check in another process."""
    with ExitStack() as stack:
        yield lambda index: stack.enter_context(fake_index.serving(index))


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Project]:
    """Makes a project of wheels of some size, which are told apart by their content."""

    def make(name: str, versions: Sequence[str] = ("0.0.1",)) -> Project:
        return Project(name, [File.of(_wheel(tmp_path, name, version)) for version in versions])

    return make


def _wheel(folder: Path, name: str, version: str) -> Wheel:
    noise = hashlib.shake_256(f"{name} {version}".encode()).digest(5000)
    path = make_wheel(folder, name, version, padding=noise)
    content = path.read_bytes()
    return Wheel(name, version, path, len(content), hashlib.sha256(content).hexdigest())
