"""A web server that is no index: it takes no upload, so nothing is left on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.commands.consistency.job import ConsistencyCheck
from bench.commands.consistency.model import CheckParameters
from bench.deployment.live import LiveIndex
from bench.index.target import Target
from bench.runtime.progress import Progress
from bench.runtime.run import conduct


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def files(tmp_path: Path) -> Iterator[str]:
    """The URL of a folder with a page /simple/, as Python's own server has it."""
    (tmp_path / "site" / "simple").mkdir(parents=True)
    (tmp_path / "site" / "simple" / "index.html").write_text('<!DOCTYPE html><a href="alpha/">alpha</a>')
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path / "site"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_of_files_is_unavailable_and_keeps_nothing(files: str, tmp_path: Path) -> None:
    asked = CheckParameters(uploads=2, readers=2, time_limit_s=10, keep_packages=False, tasks=None)
    report = conduct(tmp_path / "results", ["bench"], Progress(), ConsistencyCheck(LiveIndex(Target(files)), asked))

    assert (report.exit_code, report.verdict, report.remaining) == (4, "unavailable", [])
    assert report.failure is not None
    assert report.failure.startswith(f"the index at {files} did not take the upload of ")
    assert report.teardown is not None
    assert report.teardown.complete
