"""Uploads over real sockets, through the task's gunicorn: real clients, slow ones, and those that go away."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import json
import os
import socket
import subprocess
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import requests
from twine.commands.upload import skip_upload
from twine.package import PackageFile

from tests.pypiserver_stack.container.package_content import package_content
from tests.pypiserver_stack.container.running_task import PASSWORD, USERNAME, RunningTask, await_condition, start_task

APPLICATION = """
import os
from pathlib import Path

import pypiserver
from pypiserver_stack.container.base.records import RecordStore
from pypiserver_stack.container.files.existing_files import ExistingFiles
from pypiserver_stack.container.files.package_store import PackageStore
from pypiserver_stack.container.files.uploads import Uploads

root = Path(os.environ["PYPISERVER_PACKAGES"])
packages = pypiserver.app(roots=[root], backend_arg="simple-dir", authenticate=[], password_file=".")
limit_bytes = int(os.environ["PYPISERVER_UPLOAD_LIMIT_MB"]) * 2**20
uploads = Uploads(
    PackageStore(root, RecordStore(root)),
    ExistingFiles(packages._pypiserver_config, builds_allowed=False),
    overwrite=False,
    limit_bytes=limit_bytes,
)


def application(environ, start_response):
    answer = uploads(environ) if environ["REQUEST_METHOD"] == "POST" else None
    if answer is None:
        return packages(environ, start_response)
    start_response(answer.status, answer.headers)
    return answer.body
"""
LIMIT_MB = 8
PATIENCE_S = 60
HEAD = "POST / HTTP/1.1\r\nHost: index\r\nContent-Type: multipart/form-data; boundary=b\r\n"


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    folder = tmp_path_factory.mktemp("task")
    with served(folder, folder / "packages") as task:
        yield task


def served(folder: Path, packages: Path) -> contextlib.AbstractContextManager[RunningTask]:
    (folder / "uploading.py").write_text(APPLICATION)
    return start_task(folder, packages=packages, app="uploading:application", PYPISERVER_UPLOAD_LIMIT_MB=str(LIMIT_MB))


def form(filename: str, content: bytes) -> bytes:
    return (
        b'--b\r\nContent-Disposition: form-data; name=":action"\r\n\r\nfile_upload\r\n'
        b'--b\r\nContent-Disposition: form-data; name="content"; filename="%s"\r\n\r\n%s\r\n--b--\r\n'
    ) % (filename.encode(), content)


def post(task: RunningTask, filename: str, padding: bytes = b"") -> int:
    content = package_content(filename, padding)
    return task.request("POST", "/", form(filename, content), {"Content-Type": "multipart/form-data; boundary=b"})[0]


def status_of(connection: socket.socket) -> int:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    answer.close()
    return answer.status


def incoming(task: RunningTask) -> list[Path]:
    folder = task.packages / ".incoming"
    return list(folder.iterdir()) if folder.exists() else []


def on_their_way(task: RunningTask) -> list[str]:
    return [path.name for path in incoming(task)]


def test_twenty_slow_uploads_through_one_worker_arrive_byte_for_byte(task: RunningTask) -> None:
    """In turn, each sends a piece of its package: all are under way at once."""
    names = [f"slow-{number}.0.zip" for number in range(20)]
    packages = {name: package_content(name, os.urandom(300_000)) for name in names}
    connections = {name: task.connect() for name in packages}
    bodies = {name: form(name, content) for name, content in packages.items()}
    for name, connection in connections.items():
        connection.sendall(f"{HEAD}Content-Length: {len(bodies[name])}\r\n\r\n".encode())
    for start in range(0, 310_000, 31_000):
        for name, connection in connections.items():
            connection.sendall(bodies[name][start : start + 31_000])
    assert {status_of(connection) for connection in connections.values()} == {200}
    for name, connection in connections.items():
        connection.close()
        assert task.stored(name).read_bytes() == packages[name]
    assert on_their_way(task) == []


def test_others_are_served_while_an_upload_waits_for_its_client(task: RunningTask) -> None:
    content = package_content("waiting-1.0.zip", b"x" * 500_000)
    body = form("waiting-1.0.zip", content)
    with task.connect() as connection:
        connection.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body[:400_000])
        await_condition(lambda: len(on_their_way(task)) == 1)
        assert post(task, "other-1.0.zip") == 200
        assert not task.stored("waiting-1.0.zip").exists()
        connection.sendall(body[400_000:])
        assert status_of(connection) == 200
    assert task.stored("waiting-1.0.zip").read_bytes() == content


@pytest.mark.parametrize("abruptly", [True, False])
def test_whoever_goes_away_in_mid_upload_leaves_nothing(task: RunningTask, abruptly: bool) -> None:
    body = form("gone-1.0.zip", b"x" * 500_000)
    with task.connect() as connection:
        connection.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body[:400_000])
        await_condition(lambda: len(on_their_way(task)) == 1)
        if abruptly:  # a reset instead of an end
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    await_condition(lambda: on_their_way(task) == [])
    assert not task.stored("gone-1.0.zip").exists()
    assert "Traceback" not in task.log()


def test_a_body_shorter_than_it_says_is_refused(task: RunningTask) -> None:
    """Even one that is a whole form, but for what its length promised."""
    body = form("short-1.0.zip", package_content("short-1.0.zip"))
    with task.connect() as connection:
        connection.sendall(f"{HEAD}Content-Length: {len(body) + 10}\r\n\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        assert status_of(connection) == 400
    assert not task.stored("short-1.0.zip").exists()


def test_a_body_in_chunks_is_taken(task: RunningTask) -> None:
    content = package_content("chunked-1.0.zip", b"x" * 100_000)
    body = form("chunked-1.0.zip", content)
    with task.connect() as connection:
        connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        for start in range(0, len(body), 7777):
            chunk = body[start : start + 7777]
            connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        connection.sendall(b"0\r\n\r\n")
        assert status_of(connection) == 200
    assert task.stored("chunked-1.0.zip").read_bytes() == content


@pytest.mark.parametrize(
    "framing", [f"Content-Length: {2**40}\r\n\r\n", f"Transfer-Encoding: chunked\r\n\r\n{2**40:x}\r\n"]
)
def test_a_body_beyond_the_limit_is_refused_while_it_is_sent(task: RunningTask, framing: str) -> None:
    """A terabyte is announced; the answer comes after a few megabytes at most."""
    start = form("endless-1.0.zip", b"")[:-9]
    with task.connect() as connection:
        connection.sendall(f"{HEAD}{framing}".encode() + start)
        try:
            for _ in range(LIMIT_MB + 1):
                connection.sendall(bytes(2**20))
        except ConnectionError:
            pass
        assert status_of(connection) == 413
    await_condition(lambda: on_their_way(task) == [])
    assert not task.stored("endless-1.0.zip").exists()


def test_a_hundred_uploads_at_once_hold_little_memory(tmp_path: Path) -> None:
    """Half of what one worker has for everything: docs/sizing.md."""
    (tmp_path / "task").mkdir()
    with served(tmp_path / "task", tmp_path / "packages") as task, contextlib.ExitStack() as stack:
        assert post(task, "first-1.0.zip") == 200
        before_mb = task.resident_mb()
        names = [f"held-{number}.0.zip" for number in range(100)]
        bodies = [form(name, package_content(name, bytes(1_500_000))) for name in names]
        connections = [stack.enter_context(task.connect()) for _ in bodies]
        for connection, body in zip(connections, bodies, strict=True):
            connection.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-1])
        await_condition(lambda: sum(path.stat().st_size for path in incoming(task)) > 100 * 1_400_000)
        held_mb = task.resident_mb() - before_mb
        for connection, body in zip(connections, bodies, strict=True):
            connection.sendall(body[-1:])
            assert status_of(connection) == 200
    assert held_mb < 64


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_said_to_the_client_and_downloads_go_on(tmp_path: Path, small_disk: Path) -> None:
    (tmp_path / "task").mkdir()
    with served(tmp_path / "task", small_disk) as task:

        def path_of(filename: str) -> str:
            return f"/packages/{task.stored(filename).relative_to(small_disk)}"

        assert post(task, "first-1.0.zip") == 200
        assert {post(task, "large-1.0.zip", b"x" * 3_000_000) for _ in range(3)} == {507}
        assert task.request("GET", path_of("first-1.0.zip"))[::2] == (200, package_content("first-1.0.zip"))
        assert post(task, "second-1.0.zip") == 200
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
        assert {post(task, "third-1.0.zip") for _ in range(3)} == {503}
        assert task.request("GET", path_of("second-1.0.zip"))[::2] == (200, package_content("second-1.0.zip"))
        complaints = [line for line in task.log().splitlines() if "upload failed" in line]
    assert [
        os.strerror(number) in line for number, line in zip((errno.ENOSPC, errno.EROFS), complaints, strict=True)
    ] == [
        True,
        True,
    ]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel that clients accept."""
    path, info = tmp_path / "real_project-1.0-py3-none-any.whl", "real_project-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("real_project.py", "")
        made.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: real-project\nVersion: 1.0\n\n" + "A description.\n" * 1000,
        )
        made.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{info}/RECORD", "real_project.py,,\n")
    return path


def client(*command: str | Path) -> subprocess.CompletedProcess[str]:
    home = {"HOME": str(Path(command[-1]).parent), "PATH": os.defpath, "NO_COLOR": "1"}
    scripts = Path(sysconfig.get_path("scripts"))
    return subprocess.run([scripts / command[0], *command[1:]], capture_output=True, text=True, env=home)


def test_twine_uploads(tmp_path: Path, wheel: Path) -> None:
    (tmp_path / "task").mkdir()
    with served(tmp_path / "task", tmp_path / "packages") as task:
        upload = ["twine", "upload", "--non-interactive", "--repository-url", task.url, "-u", USERNAME, "-p", PASSWORD]
        first = client(*upload, wheel)
        assert first.returncode == 0, first.stdout + first.stderr
        assert task.stored(wheel.name).read_bytes() == wheel.read_bytes()
        assert client(*upload, wheel).returncode == 0  # as if the answer had been lost


@pytest.mark.parametrize("agent", ["twine/7.0.0", "twine/1.15.0", "curl/8"])
def test_twine_recognises_what_exists(task: RunningTask, agent: str) -> None:
    """By its own rule for `--skip-existing`; its command line allows that option for PyPI alone."""
    post(task, "existing-1.0.zip")
    headers = {"Content-Type": "multipart/form-data; boundary=b", "User-Agent": agent}
    answer = requests.post(task.url, form("existing-1.0.zip", b"another"), headers=headers, timeout=PATIENCE_S)
    assert answer.status_code == (400 if "twine" in agent else 409)
    assert skip_upload(answer, True, cast(PackageFile, None))


def test_uv_publishes(tmp_path: Path, wheel: Path) -> None:
    (tmp_path / "task").mkdir()
    with served(tmp_path / "task", tmp_path / "packages") as task:
        publish = ["uv", "publish", "--trusted-publishing", "never", "--publish-url", f"{task.url}/"]
        first = client(*publish, "-u", USERNAME, "-p", PASSWORD, wheel)
        assert first.returncode == 0, first.stdout + first.stderr
        assert task.stored(wheel.name).read_bytes() == wheel.read_bytes()
        assert client(*publish, "-u", USERNAME, "-p", PASSWORD, wheel).returncode == 0


def test_uploads_of_one_name_through_two_tasks_at_once_have_one_winner(tmp_path: Path) -> None:
    """Each task holds its last byte back until all are there."""
    packages = tmp_path / "packages"
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    with served(tmp_path / "one", packages) as one, served(tmp_path / "other", packages) as other:
        contents = [package_content("contended-1.0.zip", bytes([number]) * 200_000) for number in range(10)]
        bodies = [form("contended-1.0.zip", content) for content in contents]
        connections = [(one, other)[number % 2].connect() for number in range(10)]
        for connection, body in zip(connections, bodies, strict=True):
            connection.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-1])
        await_condition(lambda: len(on_their_way(one)) == 10)
        for connection, body in zip(connections, bodies, strict=True):
            connection.sendall(body[-1:])
        statuses = [status_of(connection) for connection in connections]
        for connection in connections:
            connection.close()
        assert sorted(statuses) == [200, *[409] * 9]
        stored = one.stored("contended-1.0.zip").read_bytes()
        assert stored == contents[statuses.index(200)]
        assert on_their_way(one) == []
        records = [json.loads(path.read_bytes().split(b"\n")[0]) for path in (packages / ".digests").iterdir()]
        assert [record["sha256"] for record in records] == [hashlib.sha256(stored).hexdigest()]
