"""Downloads from a file system that moves, fails, or has not settled, through a real task."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.pypiserver_stack.container.package_content import package_content
from tests.pypiserver_stack.container.running_task import AUTHORIZATION, RunningTask, start_task

# Opening `errno-5.0.zip` fails with error 5; whoever asks for the size of `shrinking-1.0.zip` finds less than that.
FAULTY = """
import os
from pathlib import Path

from pypiserver_stack.container.entry.wsgi import application

path_open, fstat = Path.open, os.fstat


def open_or_fail(path, *arguments, **named):
    if path.name.startswith("errno-"):
        number = int(path.name[len("errno-") : -len(".0.zip")])
        raise OSError(number, os.strerror(number), str(path))
    return path_open(path, *arguments, **named)


def shrinking_fstat(descriptor):
    status = fstat(descriptor)
    path = os.readlink(f"/proc/self/fd/{descriptor}")
    if path.endswith("/shrinking-1.0.zip"):
        os.truncate(path, 10)
    return status


Path.open, os.fstat = open_or_fail, shrinking_fstat
"""
FAILURES = [errno.EIO, errno.ESTALE, errno.EACCES, errno.EMFILE]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    folder = tmp_path_factory.mktemp("faulty")
    packages = folder / "packages"
    packages.mkdir()
    for name in (*(f"errno-{number}.0.zip" for number in FAILURES), "good-1.0.zip", "shrinking-1.0.zip"):
        (packages / name).write_bytes(b"x" * 1000)
    (folder / "faulty.py").write_text(FAULTY)
    with start_task(folder, packages=packages, app="faulty:application", PYPISERVER_BACKEND="validated") as task:
        yield task


@pytest.mark.parametrize("number", FAILURES, ids=errno.errorcode.get)
def test_an_error_of_the_file_system_is_not_the_end_of_a_package(faulty: RunningTask, number: int) -> None:
    status, headers, _ = faulty.request("GET", f"/packages/errno-{number}.0.zip")
    assert status == 503
    assert int(headers["retry-after"]) > 0
    assert faulty.request("GET", "/packages/good-1.0.zip")[::2] == (200, b"x" * 1000)


def test_a_file_that_shrinks_while_it_is_opened_is_sent_as_it_is_then(faulty: RunningTask) -> None:
    status, headers, content = faulty.request("GET", "/packages/shrinking-1.0.zip")
    assert (status, headers["content-length"], content) == (200, "10", b"x" * 10)


def replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_its_folder_by_a_file(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.touch()


def replace_by_a_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    "change", [Path.unlink, replace_by_a_folder, replace_its_folder_by_a_file, replace_by_a_link_to_itself]
)
def test_what_lies_there_no_more_is_not_found(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = tmp_path / "packages" / "sub" / "demo-1.0.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PK")
    with start_task(tmp_path / "task", packages=tmp_path / "packages", PYPISERVER_BACKEND="validated") as task:
        assert task.request("GET", "/packages/sub/demo-1.0.zip")[::2] == (200, b"PK")
        change(path)
        assert task.request("GET", "/packages/sub/demo-1.0.zip")[0] == 404
        assert "Traceback" not in task.log()


@pytest.mark.parametrize("form", ["plain", "with a body"])
def test_downloads_that_nobody_reads_hold_little_memory(tmp_path: Path, form: str) -> None:
    """Of what leaves with the head, 64 KiB each, nothing stays."""
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "large-1.0.zip").write_bytes(bytes(30_000_000))
    head = f"GET /packages/large-1.0.zip HTTP/1.1\r\nHost: index\r\nAuthorization: {AUTHORIZATION}\r\n"
    head += "\r\n" if form == "plain" else "Content-Length: 0\r\n\r\n"
    with start_task(tmp_path / "task", packages=packages, PYPISERVER_BACKEND="validated") as task, ExitStack() as stack:
        task.request("GET", "/packages/large-1.0.zip")
        before_mb = task.resident_mb()
        for _ in range(400):
            connection = stack.enter_context(task.connect())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(head.encode())
            assert connection.recv(12) == b"HTTP/1.1 200"
        held_mb = task.resident_mb() - before_mb
    assert held_mb < 15  # 25 MB with the first bytes


def test_only_a_file_that_is_known_to_be_at_rest_may_be_kept(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    with start_task(
        tmp_path / "task", packages=packages, PYPISERVER_BACKEND="validated", PYPISERVER_INDEX_MARGIN_S="3600"
    ) as task:
        copied, uploaded = "copied-1.0.zip", "uploaded-1.0.zip"
        (packages / copied).write_bytes(os.urandom(10))
        assert task.upload(uploaded, package_content(uploaded)) == 200
        listing = task.request("GET", "/simple/copied/")[2]
        assert hashlib.sha256((packages / copied).read_bytes()).hexdigest().encode() in listing
        assert task.request("GET", f"/packages/{copied}")[1]["cache-control"] == "private, no-cache"
        assert "immutable" in task.request("GET", f"/packages/by-project/uploaded/{uploaded}")[1]["cache-control"]


def test_a_name_alone_leads_to_an_upload_until_a_file_has_that_very_path(tmp_path: Path) -> None:
    """Workers that have not looked since must not send the one's bytes for the other."""
    name = "named-1.0.zip"
    with start_task(
        tmp_path / "task", packages=tmp_path / "packages", workers=2, PYPISERVER_BACKEND="validated"
    ) as task:
        assert task.upload(name, package_content(name)) == 200
        for _ in range(20):  # both workers know it
            status, headers, body = task.request("GET", f"/packages/{name}")
            assert (status, body) == (200, package_content(name))
            assert headers["cache-control"] == "private, no-cache"
        metadata = task.request("GET", f"/packages/by-project/named/{name}")[1]
        assert "immutable" in metadata["cache-control"]

        (task.packages / ".copied").write_bytes(b"copied")
        (task.packages / ".copied").rename(task.packages / name)

        assert {task.request("GET", f"/packages/{name}")[2] for _ in range(20)} == {b"copied"}
