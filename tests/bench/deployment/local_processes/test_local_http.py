"""Requests to processes on this machine: what is answered, and why nothing is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.common.failures import UnavailableError
from bench.deployment.local_processes.local_http import Response, send
from tests.dead_proxy import DEAD_PROXY


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The address of a process that answers one request so, and the next ones never."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        server.join()


@pytest.fixture(autouse=True)
def behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in DEAD_PROXY.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "503 Service Unavailable"])
def test_an_answer_is_given_as_it_came(status: str) -> None:
    head = f"HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 2\r\n\r\n"
    with answering(head.encode() + b"ok") as address:
        assert send("GET", address, "/", timeout_s=20) == Response(int(status[:3]), b"ok")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "closed connection without response"),
        (b"220 mail ready\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "not HTTP"),
    ],
)
def test_what_is_no_answer_is_named(answer: bytes, reason: str) -> None:
    with (
        answering(answer) as address,
        pytest.raises(UnavailableError, match=rf"GET http://{address}/status: .*{reason}"),
    ):
        send("GET", address, "/status", timeout_s=20)


def test_nobody_there_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(UnavailableError, match="Connection refused"):
            send("GET", f"127.0.0.1:{unused.getsockname()[1]}", "/", timeout_s=20)
