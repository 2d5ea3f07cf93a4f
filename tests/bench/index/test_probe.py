"""What a person is told when the index is not up to being loaded."""

import asyncio
import socket
from pathlib import Path
from typing import Protocol

import pytest
import uvloop

from bench.common.failures import ExitCode, UnavailableError
from bench.index import connection, probe
from bench.index.target import Target


def probe_of(answer: bytes, username: str = "") -> tuple[str, ...]:
    """The outcome of probing a server that gives this answer and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def run() -> tuple[str, ...]:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await probe.probe(Target(f"http://127.0.0.1:{port}/", username, "secret"))

    return uvloop.run(run())


PAGE = b'<!DOCTYPE html><html><body><a href="alpha/">alpha</a></body></html>'


def test_an_index_names_its_projects() -> None:
    assert probe_of(b"HTTP/1.1 200 OK\r\n\r\n" + PAGE) == ("alpha",)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "answered with status 503"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "answered with status 404"),
        (b"HTTP/1.1 301 Moved\r\nLocation: https://new.example/\r\n\r\n", "leads to https://new.example/"),
        (b"HTTP/1.1 200 OK\r\n\r\nIt works!", "no package index"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not HTTP: is it an https URL?"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nIt", "ended the connection"),
        (b"", "ended the connection"),
    ],
)
def test_what_is_no_index_is_one_sentence(answer: bytes, message: str) -> None:
    with pytest.raises(UnavailableError, match=rf"^http://127\.0\.0\.1:\d+/simple/ .*{message}") as failure:
        probe_of(answer)
    assert failure.value.exit_code is ExitCode.UNAVAILABLE
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials(status: int) -> None:
    answer = f"HTTP/1.1 {status} No\r\n\r\n".encode()
    with pytest.raises(UnavailableError, match=f"refused the credentials of 'jane' with status {status}") as failure:
        probe_of(answer, username="jane")
    assert "secret" not in str(failure.value)
    with pytest.raises(UnavailableError, match=r"refused a client without credentials.*PYPI_USERNAME"):
        probe_of(answer)


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(UnavailableError, match="no connection to http"):
            uvloop.run(probe.probe(Target(f"http://127.0.0.1:{unused.getsockname()[1]}/")))


def test_https_to_a_port_of_http() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            await probe.probe(Target(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))

    with pytest.raises(UnavailableError, match=r"/simple/ does not answer with TLS \(.*\): is it an http URL\?$"):
        uvloop.run(run())


def test_nobody_knows_the_host() -> None:
    with pytest.raises(UnavailableError, match=r"no connection to http://unknown\.invalid/: "):
        uvloop.run(probe.probe(Target("http://unknown.invalid/")))


@pytest.mark.parametrize(
    ("scheme", "timeout", "message"),
    [("http", "REQUEST_TIMEOUT_S", "did not answer in 0.05 s"), ("https", "CONNECT_TIMEOUT_S", "did not take")],
)
def test_a_server_that_says_nothing(scheme: str, timeout: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (connection, probe):
        monkeypatch.setattr(module, timeout, 0.05)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(UnavailableError, match=message),
    ):
        uvloop.run(probe.probe(Target(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/")))


class ProbedServer(Protocol):
    url: str
    username: str
    password: str
    packages: Path


def test_pypiserver_is_an_index(pypi_server: ProbedServer) -> None:
    (pypi_server.packages / "alpha-1.0-py3-none-any.whl").touch()
    target = Target(pypi_server.url, pypi_server.username, pypi_server.password)
    assert uvloop.run(probe.probe(target)) == ("alpha",)
    with pytest.raises(UnavailableError, match="refused the credentials"):
        uvloop.run(probe.probe(Target(pypi_server.url, pypi_server.username, "wrong")))
    with pytest.raises(UnavailableError, match="refused a client without credentials"):
        uvloop.run(probe.probe(Target(pypi_server.url)))
