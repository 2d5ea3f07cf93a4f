"""A worker that is killed in the middle of a burst takes with it what it had under way, and nothing else."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.pypiserver_stack.container.package_content import package_content
from tests.pypiserver_stack.container.running_task import AUTHORIZATION, RunningTask, await_condition, start_task

# The index of the task; every answer names the worker.
TELLING = """
import os

from pypiserver_stack.container.entry.wsgi import application as index


def application(environ, start_response):
    def start(status, headers, exc_info=None):
        return start_response(status, [*headers, ("X-Process", str(os.getpid()))], exc_info)

    return index(environ, start)
"""
READERS, PUBLISHERS = 15, 10
KNOWN = "known-1.0.zip"
CONTENT_BYTES = 100_000
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
PATIENCE_S = 60


def form(name: str) -> bytes:
    return (
        b'--b\r\nContent-Disposition: form-data; name=":action"\r\n\r\nfile_upload\r\n'
        b'--b\r\nContent-Disposition: form-data; name="content"; filename="%s"\r\n\r\n%s\r\n--b--\r\n'
    ) % (name.encode(), content(name))


def content(name: str) -> bytes:
    return package_content(name, name.encode().ljust(CONTENT_BYTES, b"."))


class Burst:
    """Clients that go on until it is over."""

    def __init__(self, task: RunningTask) -> None:
        self.over = threading.Event()
        self.answered_by: list[int] = []
        """One worker for each answer to a reader."""
        self.broken: list[int] = []
        """By whom, one for each connection of a reader."""
        self.recovered: list[int] = []
        """By whom, one for each reader whose connection broke."""
        self.published: list[str] = []
        self.unanswered: list[str] = []
        self._task = task

    def connect(self) -> tuple[int, http.client.HTTPConnection]:
        """A connection, and the worker at its other end."""
        connection = http.client.HTTPConnection("127.0.0.1", self._task.port, timeout=PATIENCE_S)
        return self._read_once(connection), connection

    def read(self, worker: int, connection: http.client.HTTPConnection) -> None:
        """On this connection, and once it breaks on another one, which must not."""
        with contextlib.closing(connection):
            try:
                self._read_on(connection)
            except (OSError, http.client.HTTPException):
                self.broken.append(worker)
        if not self.over.is_set():
            worker, connection = self.connect()
            self.recovered.append(worker)
            with contextlib.closing(connection):
                self._read_on(connection)

    def publish(self, number: int) -> None:
        """One package after the other. Each upload is the last request of its connection."""
        for version in itertools.count():
            if self.over.is_set():
                return
            name = f"published_{number}-{version}.0.zip"
            try:
                status, _, _ = self._task.request("POST", "/", form(name), FORM)
                assert status == 200
                self.published.append(name)
            except (OSError, http.client.HTTPException):
                self.unanswered.append(name)

    def _read_on(self, connection: http.client.HTTPConnection) -> None:
        while not self.over.is_set():
            self.answered_by.append(self._read_once(connection))

    def _read_once(self, connection: http.client.HTTPConnection) -> int:
        connection.request("GET", f"/packages/{KNOWN}", headers={"Authorization": AUTHORIZATION})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, content(KNOWN))
        return int(answer.headers["X-Process"])


def test_a_worker_killed_in_a_burst_loses_no_package_and_no_request_of_another(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / KNOWN).write_bytes(content(KNOWN))
    (tmp_path / "telling.py").write_text(TELLING)
    with (
        start_task(
            tmp_path, packages=packages, workers=2, app="telling:application", PYPISERVER_BACKEND="validated"
        ) as task,
        ThreadPoolExecutor(2 * READERS + PUBLISHERS) as pool,
    ):
        burst = Burst(task)
        readers: dict[int, list[http.client.HTTPConnection]] = {}
        while len(readers) < 2 or min(map(len, readers.values())) < READERS:
            worker, connection = burst.connect()
            of_worker = readers.setdefault(worker, [])
            if len(of_worker) < READERS:
                of_worker.append(connection)
            else:
                connection.close()
        victim, survivor = readers
        clients = [pool.submit(burst.read, worker, each) for worker in readers for each in readers[worker]]
        clients += [pool.submit(burst.publish, number) for number in range(PUBLISHERS)]
        try:
            await_condition(lambda: {victim, survivor} <= set(burst.answered_by) and len(burst.published) > PUBLISHERS)
            os.kill(victim, signal.SIGKILL)
            await_condition(lambda: len(burst.recovered) == READERS)
            await_condition(lambda: len(set(task.worker_pids()) - {victim}) == 2)
            answers, uploads = len(burst.answered_by), len(burst.published)
            await_condition(lambda: survivor in burst.answered_by[answers:])
            await_condition(lambda: len(burst.published) > uploads + PUBLISHERS)
            await_condition(lambda: int(task.request("GET", "/simple/")[1]["x-process"]) not in readers)
        finally:
            burst.over.set()
        for client in clients:
            client.result()

        assert burst.broken == [victim] * READERS
        for name in burst.published:
            assert task.request("GET", f"/packages/{name}")[::2] == (200, content(name))
        for name in burst.unanswered:
            path = packages / name
            assert not path.exists() or path.read_bytes() == content(name)
