"""What idle workers and connections hold, against what `sizing` counts on. Measured on real processes and sockets."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pypiserver_stack.container.base.yanks import INCOMING
from sizing.connections import CONNECTION_MEMORY_KB, IDLE_WORKER_MEMORY_MB, MASTER_MEMORY_MB
from tests.pypiserver_stack.container.running_task import AUTHORIZATION, RunningTask, await_condition, start_task

WHEEL = "large-1.0-py3-none-any.whl"
HEAD = f"Host: index\r\nAuthorization: {AUTHORIZATION}\r\n"
DOWNLOAD = f"GET /packages/{WHEEL} HTTP/1.1\r\n{HEAD}\r\n".encode()
FORM = (
    f"POST / HTTP/1.1\r\n{HEAD}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n"
    "--b\r\nContent-Disposition: form-data; name=content; filename=other-1.0-py3-none-any.whl\r\n\r\n"
).encode()
LISTING = f"GET /simple/large/ HTTP/1.1\r\n{HEAD}\r\n".encode()


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / WHEEL).write_bytes(bytes(16_000_000))
    return folder


@pytest.fixture
def task(tmp_path: Path, packages: Path) -> Iterator[RunningTask]:
    with start_task(tmp_path / "task", packages=packages, PYPISERVER_BACKEND="validated") as task:
        yield task


def proportional_kb(pid: int) -> int:
    """Memory of a process, with its share of what it shares."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def test_idle_workers_hold_no_more_than_is_kept_for_them(tmp_path: Path, packages: Path) -> None:
    workers = 4
    with start_task(tmp_path / "task", packages=packages, workers=workers, PYPISERVER_BACKEND="validated") as task:
        for _ in range(40):
            task.request("GET", "/simple/large/")
        held_kb = sum(map(proportional_kb, [task.pid, *task.worker_pids()]))
    assert held_kb < (MASTER_MEMORY_MB + workers * IDLE_WORKER_MEMORY_MB) * 1024


@pytest.mark.parametrize(
    ("first", "most_kb"),
    [
        pytest.param(b"", 20, id="idle"),
        pytest.param(LISTING, 25, id="idle after an answer"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"x" * 4000, 30, id="an unfinished head"),
        pytest.param(FORM + b"PK" * 50_000, CONNECTION_MEMORY_KB, id="an upload that stops"),
    ],
)
def test_a_connection_holds_no_more_than_is_kept_for_it(task: RunningTask, first: bytes, most_kb: int) -> None:
    count = 300
    with ExitStack() as stack:
        task.request("GET", "/simple/large/")
        before_mb = task.resident_mb()
        for _ in range(count):
            stack.enter_context(task.connect()).sendall(first)
        task.request("GET", "/simple/large/")
        if first.startswith(FORM):
            await_condition(lambda: all_have_begun(task.packages / INCOMING, count))
        held_kb = (task.resident_mb() - before_mb) * 1024 / count
    assert held_kb < most_kb


def all_have_begun(incoming: Path, count: int) -> bool:
    """Whether so many uploads have written what had come of them."""
    sizes = [path.stat().st_size for path in incoming.iterdir()] if incoming.exists() else []
    return len(sizes) == count and min(sizes) > 60_000


def test_a_download_that_nobody_reads_holds_little_of_the_kernel_s_memory(task: RunningTask) -> None:
    """It has 4 MB for a connection, which count as the container's."""
    (worker,) = task.worker_pids()
    with socket.socket() as unread:
        unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        unread.settimeout(0.5)
        unread.connect(("127.0.0.1", task.port))
        unread.sendall(DOWNLOAD)
        assert unread.recv(12) == b"HTTP/1.1 200"
        for _ in range(20):
            task.request("GET", "/simple/large/")  # time for as much as will be sent
        os.kill(worker, signal.SIGSTOP)
        try:
            held = sum(map(len, iter(lambda: _next(unread), b"")))
        finally:
            os.kill(worker, signal.SIGCONT)
    assert held < CONNECTION_MEMORY_KB * 1024


def _next(connection: socket.socket) -> bytes:
    """What the kernel still has; nothing where there is no more."""
    try:
        return connection.recv(65536)
    except TimeoutError:
        return b""
