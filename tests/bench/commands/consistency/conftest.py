"""An index in a thread of its own, and packages to upload to it."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from bench.commands.consistency.items import File, Project
from bench.packages.factory import Wheel
from tests.bench.commands.consistency.fake_index import FakeIndex
from tests.pypiserver_stack.container.small_packages import make_wheel


@pytest.fixture
def serving() -> Iterator[Callable[[FakeIndex], FakeIndex]]:
    """Serves an index from a thread of its own, for a check in another process."""
    running: list[tuple[threading.Thread, Callable[[], object]]] = []

    def serve(index: FakeIndex) -> FakeIndex:
        ready, loop = threading.Event(), asyncio.new_event_loop()

        async def run() -> None:
            stop = asyncio.Event()
            running.append((thread, lambda: loop.call_soon_threadsafe(stop.set)))
            async with await index.serve():
                ready.set()
                await stop.wait()

        def work() -> None:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(run())

        thread = threading.Thread(target=work)
        thread.start()
        ready.wait()
        return index

    yield serve
    for thread, stop in running:
        stop()
        thread.join()


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
