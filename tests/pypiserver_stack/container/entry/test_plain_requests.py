"""Requests that are answered without gunicorn's parser: the same requests, and the same answers."""

from __future__ import annotations

import http.client
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from gunicorn.http.wsgi import create
from hypothesis import example, given
from hypothesis import strategies as st

from pypiserver_stack.container.entry.plain_requests import environ_of
from tests.pypiserver_stack.container.open_files import open_files
from tests.pypiserver_stack.container.running_task import AUTHORIZATION, RunningTask, await_condition, send, start_task

WHEEL = "demo-1.0-py3-none-any.whl"
LARGE = "demo-2.0.tar.gz"
# gunicorn's own way: the worker drops the header, and the plain way knows nothing of underscores.
NOT_PLAIN = {"X_Other": "1"}


def as_gunicorn_reads_it(data: bytes) -> dict[str, Any] | None:
    """The environ that gunicorn makes of the bytes; None where it refuses them, or where they are more than a head."""
    unreader = IterUnreader([data])
    try:
        request = Request(Config(), unreader)
        _, environ = create(request, SimpleNamespace(send=lambda data: None), ("10.0.0.1", 1), ("host", 80), Config())
    except Exception:
        return None
    return environ if not unreader.buf.getvalue() else None


names = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789-_.~!", min_size=1, max_size=12)
values = st.text("".join(map(chr, range(32, 127))) + "\t", max_size=20)
common = st.sampled_from(
    ["Host", "Accept", "Authorization", "Range", "Connection", "Content-Length", "Expect", "Cookie"]
)
lines = st.tuples(common | names, st.sampled_from([":", ": ", ":\t ", " :"]), values | st.sampled_from(["close", "0"]))
paths = st.text("/abc-_.%20C3a9?&=#;+~\"'", max_size=20).map(lambda path: f"/{path}")


@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "get", "OPTIONS"]),
    path=paths | st.just("*") | st.just("http://other/simple/"),
    version=st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "http/1.1"]),
    headers=st.lists(lines, max_size=6),
    more=st.sampled_from([b"", b"", b"", b"GET /", b"\r\n", b" folded\r\n\r\n"]),
)
@example(method="GET", path="//simple/", version="HTTP/1.1", headers=[], more=b"")
@example(method="GET", path="/a%2Fb%zz", version="HTTP/1.1", headers=[("A", ":", " b ")], more=b"")
def test_a_plain_request_is_read_as_gunicorn_reads_it(
    method: str, path: str, version: str, headers: list[tuple[str, str, str]], more: bytes
) -> None:
    head = f"{method} {path} {version}\r\n" + "".join(f"{name}{colon}{value}\r\n" for name, colon, value in headers)
    data = head.encode() + b"\r\n" + more
    environ = environ_of(data)
    if environ is None:
        return
    expected = as_gunicorn_reads_it(data)
    assert expected is not None
    assert environ == {key: expected.get(key) for key in environ}
    assert {key for key in expected if key.startswith("HTTP_")} <= environ.keys()
    assert "CONTENT_LENGTH" not in expected


def test_what_clients_send_is_plain() -> None:
    head = (
        b"GET /simple/demo/?x=1 HTTP/1.1\r\nhost: pypi.example\r\nuser-agent: pip/25.3\r\n"
        b"accept: application/vnd.pypi.simple.v1+json, text/html; q=0.01\r\nconnection: keep-alive\r\n"
        b"authorization: Basic eDp5\r\nx-forwarded-for: 10.1.2.3\r\nx-amzn-trace-id: Root=1-67891233-abcdef\r\n\r\n"
    )
    environ = environ_of(head)
    assert environ is not None
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/simple/demo/", "x=1")
    assert (environ["HTTP_AUTHORIZATION"], environ["HTTP_X_FORWARDED_FOR"]) == ("Basic eDp5", "10.1.2.3")


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nSec-WebSocket-Key1: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: 1\r\nA: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: 1\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nX_Forwarded_For: 1.2.3.4\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: \xe9\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: 1\n\r\n",
        b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: 1\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"A%d: 1\r\n" % number for number in range(65)) + b"\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"",
    ],
)
def test_what_is_not_plain_is_left_to_gunicorn(data: bytes) -> None:
    assert environ_of(data) is None


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    packages = tmp_path_factory.mktemp("packages")
    (packages / WHEEL).write_bytes(os.urandom(20_000))
    (packages / LARGE).write_bytes(os.urandom(3_000_000))
    folder = tmp_path_factory.mktemp("task")
    with start_task(folder, packages=packages, PYPISERVER_BACKEND="validated", GUNICORN_KEEPALIVE_S="2") as task:
        yield task


class Sent:
    """What would be sent, in place of a socket."""

    data = b""

    def sendall(self, data: bytes) -> None:
        self.data += data


def is_plain(method: str, path: str, headers: dict[str, str]) -> bool:
    """Whether the task reads a request in the plain way, as `task.request` sends it."""
    connection = http.client.HTTPConnection("127.0.0.1")
    connection.sock = sent = Sent()
    send(connection, method, path, b"", headers)
    return environ_of(sent.data) is not None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/simple/demo/", {}),
        ("/simple/demo/", {"Accept": "application/vnd.pypi.simple.v1+json"}),
        ("/simple/Demo/", {}),
        ("/simple/nothing/", {}),
        ("/simple/", {}),
        ("/demo/", {"Authorization": ""}),
        ("/health", {"Authorization": ""}),
        ("/", {"Authorization": ""}),
        ("/simple/demo/", {"Authorization": ""}),
        ("/simple/demo/", {"Authorization": "Basic eDp5"}),
        (f"/packages/{WHEEL}", {}),
        (f"/packages/{WHEEL}", {"Range": "bytes=5-9"}),
        (f"/packages/{WHEEL}", {"Range": "bytes=99999-"}),
        (f"/packages/{WHEEL}", {"If-Match": '"another"'}),
        (f"/packages/{LARGE}", {}),
        (f"/packages/{LARGE}", {"Range": "bytes=100000-"}),
        ("/packages/%2e%2e/%2e%2e/etc/passwd", {}),
        ("/packages/nothing-1.0.zip", {}),
    ],
)
def test_either_way_the_answer_is_the_same(task: RunningTask, method: str, path: str, headers: dict[str, str]) -> None:
    assert is_plain(method, path, headers)
    assert not is_plain(method, path, {**headers, **NOT_PLAIN})

    def answer(more: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        status, response_headers, body = task.request(method, path, headers={**headers, **more})
        return (
            status,
            {name: value for name, value in response_headers.items() if name not in ("date", "server-timing")},
            body,
        )

    assert answer({}) == answer(NOT_PLAIN)


def test_the_access_log_says_the_same(task: RunningTask) -> None:
    def line(more: dict[str, str]) -> dict[str, Any]:
        task.request("GET", f"/packages/{LARGE}", headers={"User-Agent": f"logged{len(more)}", **more})
        while not (found := [line for line in task.access_log() if line["user_agent"] == f"logged{len(more)}"]):
            pass
        return {name: type(value) if isinstance(value, float) else value for name, value in found[0].items()}

    plain, other = line({}), line(NOT_PLAIN)
    differing = {"time", "user_agent"}
    assert {k: v for k, v in plain.items() if k not in differing} == {
        k: v for k, v in other.items() if k not in differing
    }


def _ask(connection: socket.socket, path: str = "/health", more: str = "") -> bytes:
    connection.sendall(f"GET {path} HTTP/1.1\r\nAuthorization: {AUTHORIZATION}\r\n{more}\r\n".encode())
    return _answer(connection)


def _answer(connection: socket.socket) -> bytes:
    """One answer with a Content-Length, and nothing of what comes behind it."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and (received := connection.recv(1)):
        head += received
    lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return head + connection.recv(sum(lengths), socket.MSG_WAITALL)


def test_plain_and_other_requests_share_a_connection(task: RunningTask) -> None:
    with closing(task.connect()) as connection:
        for more in ("", "X_Other: 1\r\n", "", "", "X_Other: 1\r\n"):
            assert _ask(connection, more=more).startswith(b"HTTP/1.1 200 OK\r\n")
            assert _ask(connection, f"/packages/{WHEEL}", more).endswith((task.packages / WHEEL).read_bytes())


def test_two_requests_in_one_segment_and_one_in_many(task: RunningTask) -> None:
    request = f"GET /health HTTP/1.1\r\nAuthorization: {AUTHORIZATION}\r\n\r\n".encode()
    with closing(task.connect()) as connection:
        connection.sendall(request + request)
        assert [_answer(connection)[:15] for _ in range(2)] == [b"HTTP/1.1 200 OK"] * 2
        for byte in request:
            connection.sendall(bytes([byte]))
        assert _answer(connection).startswith(b"HTTP/1.1 200 OK")
        assert _ask(connection).startswith(b"HTTP/1.1 200 OK")


def test_a_connection_that_is_used_outlives_the_keepalive_and_an_idle_one_does_not(task: RunningTask) -> None:
    """gunicorn counts from the last request that it has read itself."""
    with closing(task.connect()) as used, closing(task.connect()) as idle:
        _ask(idle)
        idle.settimeout(0.05)
        ended = False
        while not ended:  # the task keeps it for 2 s
            assert _ask(used).startswith(b"HTTP/1.1 200 OK")
            try:
                ended = idle.recv(1) == b""
            except TimeoutError:
                continue
        assert _ask(used).startswith(b"HTTP/1.1 200 OK")


def test_a_download_that_the_client_gives_up_leaves_no_file_open(task: RunningTask) -> None:
    for _ in range(20):
        with closing(task.connect()) as connection:
            connection.sendall(f"GET /packages/{LARGE} HTTP/1.1\r\nAuthorization: {AUTHORIZATION}\r\n\r\n".encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def held() -> bool:
        return any(name.endswith(LARGE) for pid in task.worker_pids() for name in open_files(pid))

    await_condition(lambda: not held())


def test_a_request_under_way_at_a_stop_is_answered_and_ends_its_connection(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / LARGE).write_bytes(os.urandom(30_000_000))
    with (
        start_task(tmp_path / "task", packages=packages, PYPISERVER_BACKEND="validated") as task,
        closing(task.connect()) as connection,
    ):
        connection.sendall(f"GET /packages/{LARGE} HTTP/1.1\r\nAuthorization: {AUTHORIZATION}\r\n\r\n".encode())
        begun = connection.recv(1000)  # and far more than a socket holds is still to come
        task.process.terminate()
        received = begun
        while data := connection.recv(2**20):
            received += data
        assert received.partition(b"\r\n\r\n")[2] == (packages / LARGE).read_bytes()
        assert task.process.wait(60) == 0


def test_an_error_of_ours_is_answered_with_500(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "broken.py").write_text(
        "from pypiserver_stack.container.entry.wsgi import application\n\n\n"
        "def fail(environ, path, timing):\n    raise RuntimeError('as the test wants')\n\n\n"
        "application._answer = fail\n"
    )
    with start_task(folder, packages=tmp_path / "p", app="broken:application", PYPISERVER_BACKEND="validated") as task:
        assert is_plain("GET", "/health", {})
        assert [task.request("GET", "/health")[0] for _ in range(2)] == [500, 500]
        assert task.log().count("RuntimeError: as the test wants") == 2
        assert [line["status"] for line in task.access_log()] == [500, 500]
