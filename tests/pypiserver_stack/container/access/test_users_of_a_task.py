"""Users' passwords before a whole task: what its workers share, and what is done for clients that have gone."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.pypiserver_stack.container.access.htpasswd_files import authorization, users_file
from tests.pypiserver_stack.container.running_task import RunningTask, await_condition, start_task

GUESSES = 25
"""More than a worker takes of one client for one user."""


@contextmanager
def started(folder: Path, workers: int) -> Iterator[RunningTask]:
    with start_task(
        folder / "task",
        packages=folder / "packages",
        workers=workers,
        PYPISERVER_BACKEND="validated",
        PYPISERVER_AUTHENTICATION="htpasswd",
        PYPISERVER_HTPASSWD=str(folder / "users"),
    ) as task:
        await_condition(lambda: len(task.worker_pids()) == workers)
        yield task


@contextmanager
def only(task: RunningTask, worker: int) -> Iterator[None]:
    """All other workers of the task stand still."""
    others = [pid for pid in task.worker_pids() if pid != worker]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def status_of(task: RunningTask, username: str, password: str) -> int:
    return task.request("GET", "/simple/", headers={"Authorization": authorization(username, password)})[0]


def test_guesses_behind_an_address_lock_nobody_out_whom_any_worker_has_let_in(tmp_path: Path) -> None:
    users_file(tmp_path / "users", alice="right")
    with started(tmp_path, workers=3) as task:
        first, *others = task.worker_pids()
        with only(task, first):
            assert status_of(task, "alice", "right") == 200
        for worker in others:
            with only(task, worker):
                guesses = [status_of(task, "alice", f"guess{number}") for number in range(GUESSES)]
                assert {401, 429} == set(guesses)
                assert status_of(task, "alice", "right") == 200
        # A worker that takes the place of another knows them too.
        os.kill(others[0], signal.SIGKILL)
        await_condition(lambda: len({*task.worker_pids()} - {first, *others}) == 1)
        (newest,) = {*task.worker_pids()} - {first, *others}
        with only(task, newest):
            for number in range(GUESSES):
                status_of(task, "alice", f"guess{number}")
            assert status_of(task, "alice", "right") == 200


def test_a_line_that_changed_or_went_ends_what_was_let_in_at_every_worker(tmp_path: Path) -> None:
    users_file(tmp_path / "users", alice="right", bob="right too", carol="stays")
    with started(tmp_path, workers=2) as task:
        for username, password in (("alice", "right"), ("bob", "right too"), ("carol", "stays")):
            assert status_of(task, username, password) == 200
        users_file(tmp_path / "users", alice="changed", carol="stays")
        for worker in task.worker_pids():
            with only(task, worker):
                await_condition(lambda: status_of(task, "bob", "right too") == 401)
                assert status_of(task, "alice", "right") == 401
                assert status_of(task, "alice", "changed") == 200
                assert status_of(task, "carol", "stays") == 200


def test_nothing_is_hashed_for_clients_that_have_gone(tmp_path: Path) -> None:
    count = 15
    users_file(tmp_path / "users", rounds=10, alice="right")
    with started(tmp_path, workers=1) as task:
        assert status_of(task, "alice", "wrong") == 401
        (worker,) = task.worker_pids()
        os.kill(worker, signal.SIGSTOP)
        try:
            for number in range(count):
                with task.connect() as gone:
                    gone.sendall(_request(f"guess{number}"))
            with task.connect() as patient:
                patient.sendall(_request("right"))
                os.kill(worker, signal.SIGCONT)
                assert patient.recv(12) == b"HTTP/1.1 200"
        finally:
            os.kill(worker, signal.SIGCONT)
        await_condition(lambda: len(task.access_log()) == count + 2)
        statuses = sorted(line["status"] for line in task.access_log())
    assert statuses == [200, 401, *[503] * count]


def test_a_client_that_only_ends_its_own_half_gets_an_answer(tmp_path: Path) -> None:
    users_file(tmp_path / "users", alice="right")
    with started(tmp_path, workers=1) as task, task.connect() as half_closed:
        half_closed.sendall(_request("right"))
        half_closed.shutdown(socket.SHUT_WR)
        answer = half_closed.recv(65536)
        assert answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 "))


def _request(password: str) -> bytes:
    return f"GET /simple/ HTTP/1.1\r\nHost: index\r\nAuthorization: {authorization('alice', password)}\r\n\r\n".encode()
