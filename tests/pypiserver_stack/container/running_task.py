"""A task for tests: the container's files in a folder of their own, run by the real gunicorn as ECS would run them.

    from tests.pypiserver_stack.container.running_task import start_task

    def test_something(tmp_path: Path) -> None:
        with start_task(tmp_path / "task", packages=tmp_path / "packages", PYPISERVER_BACKEND="validated") as task:
            status, headers, body = task.request("GET", "/simple/")

An application of the test's own: write `echo.py` into the folder first and pass `app="echo:application"`. It is
preloaded, so whatever it sets in the modules of the task while it is imported holds in every worker. Several tasks
over one directory: start each in a folder of its own, with the same `packages`.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sysconfig
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from urllib3 import encode_multipart_formdata

from pypiserver_stack.container.base.project_folders import project_folder
from pypiserver_stack.container.base.releases import release_of
from pypiserver_stack.tasks.container_definition import APPLICATION, GUNICORN_CONFIG
from pypiserver_stack.tasks.server_files import packed

GUNICORN = Path(os.environ.get("TASK_GUNICORN") or Path(sysconfig.get_path("scripts")) / "gunicorn")
USERNAME, PASSWORD, OLDER_PASSWORD = "pypiserver", "correct horse", "an older one"


def authorization(username: str, password: str = PASSWORD) -> str:
    """The header Authorization of a user."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


READER, UPLOADER = authorization("reader"), authorization("uploader")
AUTHORIZATION = authorization(USERNAME)
"""The administrator's."""
_PATIENCE_S = 60
_packed = cache(packed)


def await_condition(condition: Callable[[], bool]) -> None:
    """Wait for it. What never comes is an error after a minute."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never came"
        time.sleep(0.01)


def send(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str] | None
) -> None:
    """Send a request as `RunningTask.request` has it."""
    wanted = {"Authorization": AUTHORIZATION, **(headers or {})}
    # No body, not an empty one: of that one http.client tells the length.
    connection.request(method, path, body or None, {name: value for name, value in wanted.items() if value})


@dataclass(frozen=True)
class RunningTask:
    """A running gunicorn, its workers, and where it listens."""

    port: int
    packages: Path
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def url(self) -> str:
        """Without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """gunicorn's master."""
        return self.process.pid

    def worker_pids(self) -> list[int]:
        """The master's children that run now, the oldest first."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def resident_mb(self) -> float:
        """What its one worker holds in memory."""
        (worker,) = self.worker_pids()
        return int(Path(f"/proc/{worker}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def connect(self) -> socket.socket:
        """A connection of one's own. What never comes is an error after a minute."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE_S)

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by lower-case name, and body of a request with the right credentials.

        Args:
            headers: more headers; an Authorization among them replaces the right one, an empty one leaves it out.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_S)
        try:
            send(connection, method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def stored(self, filename: str) -> Path:
        """Where the package lies once it is uploaded."""
        release = release_of(filename)
        assert release is not None
        return self.packages / project_folder(release.project) / filename

    def upload(self, filename: str, content: bytes) -> int:
        """Status of an upload without any field about the package."""
        form: dict[str, str | tuple[str, bytes]] = {":action": "file_upload", "content": (filename, content)}
        body, content_type = encode_multipart_formdata(form)
        return self.request("POST", "/", body, {"Content-Type": content_type})[0]

    def stop(self) -> int:
        """Stop it as ECS does, with SIGTERM to the master; its exit status once it has ended."""
        self.process.terminate()
        return self.process.wait(_PATIENCE_S)

    def kill(self) -> None:
        """End master and workers at once, as a lost host would."""
        os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(_PATIENCE_S)

    def access_log(self) -> list[dict[str, Any]]:
        """One object for each line on its stdout."""
        return [json.loads(line) for line in (self.folder / "stdout").read_text().splitlines()]

    def log(self) -> str:
        """All that it has printed so far: stderr, then stdout."""
        return (self.folder / "stderr").read_text() + (self.folder / "stdout").read_text()


@contextmanager
def start_task(
    folder: Path, *, packages: Path, workers: int = 1, app: str = APPLICATION, **environment: str
) -> Iterator[RunningTask]:
    """A task that answers; it is stopped at the end, and killed when it does not stop.

    Args:
        folder: gets the files of the task, and its output.
        packages: the root of the index; made when missing.
        app: the module and the name of the WSGI application.
        environment: variables of the task that differ from, or add to, the usual ones below.

    Raises:
        AssertionError: it did not start; carries what it printed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    packages.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(_packed()))) as archive:
        archive.extractall(folder, filter="data")
    # Handed over listening: nobody can take the port in between, and whoever connects waits until a worker runs.
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        (folder / "stdout").open("wb") as stdout,
        (folder / "stderr").open("wb") as stderr,
    ):
        process = subprocess.Popen(
            [GUNICORN, "--config", GUNICORN_CONFIG, "--bind", f"fd://{listener.fileno()}", app],
            cwd=folder,
            env={**_environment(folder, packages, workers), **environment},
            pass_fds=[listener.fileno()],
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        task = RunningTask(listener.getsockname()[1], packages, process, folder)
    try:
        _await_worker(task)
        yield task
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            task.kill()
            raise


def _environment(folder: Path, packages: Path, workers: int) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "HOSTNAME": "task-7",
        "GUNICORN_WORKERS": str(workers),
        "GUNICORN_KEEPALIVE_S": "75",
        "GUNICORN_WORKER_CONNECTIONS": "2500",
        "PYPISERVER_PACKAGES": str(packages),
        "PYPISERVER_BACKEND": "simple-dir",
        "PYPISERVER_AUTHENTICATION": "sha256",
        **injected_credentials(),
        "PYPISERVER_UPLOAD_LIMIT_MB": "100",
        "PYPISERVER_OVERWRITE": "false",
        "PYPISERVER_BUILDS": "false",
        "PYPISERVER_REMOVAL": "true",
        "PYPISERVER_SHARED_CACHE": "false",
        "PYPISERVER_TIMING_HEADERS": "true",
        "PYPISERVER_INDEX_MARGIN_S": "0.1",
    }


def injected_credentials(*passwords: str) -> dict[str, Any]:
    """The variables that ECS injects the three secrets as, for users that all have the same passwords."""
    accepted = passwords or (OLDER_PASSWORD, PASSWORD)
    users = {
        "PYPISERVER_CREDENTIALS": USERNAME,
        "PYPISERVER_READ_CREDENTIALS": "reader",
        "PYPISERVER_UPLOAD_CREDENTIALS": "uploader",
    }
    return {
        name: json.dumps({"username": username, "password": accepted[-1], "accepted_passwords": accepted})
        for name, username in users.items()
    }


def _await_worker(task: RunningTask) -> None:
    # No request: a worker refuses it by itself, so that the application and its logs see nothing of it.
    try:
        with task.connect() as connection:
            connection.sendall(b"?\r\n\r\n")
            started = connection.recv(1) != b""
    except OSError:
        started = False
    if not started:
        task.process.wait(_PATIENCE_S)
        raise AssertionError(f"the task did not start:\n{task.log()}")
