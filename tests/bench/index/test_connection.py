"""What one connection does that no count of a load shows, and the places where it relies on the insides of aiohttp."""

import asyncio
import gc
import math
import socket
import struct
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp.http_parser
import aiohttp.http_writer
import pytest
import uvloop

from bench.index import connection
from bench.index.client import Client, Exchange, IndexSession
from bench.index.connection import Endpoint
from bench.index.errors import ErrorKind
from bench.index.target import Target
from bench.index.upload import Form

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def connected(serve: Serve) -> AsyncIterator[Client]:
    """A client of a server; whatever the event loop has to complain of is an error."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    served = asyncio.Event()

    async def serve_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        writer.close()
        served.set()

    async with await asyncio.start_server(serve_once, "127.0.0.1", 0) as server:
        target = Target(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        session = await IndexSession.open(target)
        client = session.client()
        try:
            yield client
        finally:
            client.abort()
            await served.wait()
    assert complaints == []


def answers(*pieces: bytes, reset: bool = False) -> Serve:
    """A server that answers one request with these pieces, and ends the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        if reset:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    return serve


async def one_answer(serve: Serve) -> Exchange:
    async with connected(serve) as client:
        return await asyncio.wait_for(client.get("/"), 10)


def endpoint(port: int, *addresses: str, fallbacks: tuple[str, ...] = ()) -> Endpoint:
    return Endpoint(addresses or ("127.0.0.1",), fallbacks, port, "127.0.0.1", None)


def test_the_parser_and_the_writer_are_those_in_c() -> None:
    assert aiohttp.http_parser.HttpResponseParser.__module__ == "aiohttp._http_parser"
    assert aiohttp.http_writer._serialize_headers.__module__ == "aiohttp._http_writer"


def test_bytes_that_come_while_nothing_is_asked_end_the_connection() -> None:
    async def run() -> None:
        answered, ended = asyncio.Event(), asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await answered.wait()
            writer.write(OK)
            assert await reader.read() == b""
            ended.set()

        async with connected(serve) as client:
            answer = await client.get("/")
            assert (answer.status, answer.body, answer.error) == (200, b"ok", ErrorKind.NONE)
            answered.set()
            await ended.wait()

    uvloop.run(run())


def test_an_upload_never_goes_over_a_connection_that_was_idle(tmp_path: Path) -> None:
    async def run() -> None:
        connections = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head.startswith(b"POST"):
                    await reader.readuntil(b"--\r\n")
                writer.write(OK)

        async def serve_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(reader, writer)
            except asyncio.IncompleteReadError:
                writer.close()

        async with await asyncio.start_server(serve_all, "127.0.0.1", 0) as server:
            target = Target(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
            session = await IndexSession.open(target)
            client = session.client()
            for expected in (1, 1, 2, 3):
                form = Form.of_removal("x", "1")
                answer = await (client.post(form) if expected > 1 else client.get("/"))
                assert (answer.body, connections) == (b"ok", expected)
            client.abort()

    uvloop.run(run())


def test_an_upload_whose_connection_ends_is_not_sent_again() -> None:
    async def run() -> None:
        requests = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal requests
            requests += 1
            await reader.readuntil(b"--\r\n")

        async with connected(serve) as client:
            answer = await client.post(Form.of_removal("x", "1"))
            assert answer.error is ErrorKind.DISCONNECTED
        assert requests == 1

    uvloop.run(run())


def test_a_body_is_not_read_faster_than_the_server_takes_it() -> None:
    chunks, chunk = 2000, b"x" * 50_000
    taken = 0

    @dataclass(frozen=True)
    class Long(Form):
        async def stream(self) -> AsyncIterator[bytes]:
            nonlocal taken
            for _ in range(chunks):
                taken += 1
                yield chunk

    async def run() -> None:
        go_on = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await go_on.wait()
            await reader.readexactly(chunks * len(chunk))
            writer.write(OK)
            await reader.read()

        async with connected(serve) as client:
            sending = asyncio.create_task(client.post(Long(b"", None, b"", chunks * len(chunk))))
            seen = -1
            while taken != seen or not taken:
                seen = taken
                await asyncio.sleep(0.02)
            assert taken < chunks / 2
            go_on.set()
            assert (await sending).error is ErrorKind.NONE
            assert taken == chunks

    uvloop.run(run())


def test_an_answer_is_not_read_faster_than_it_is_taken() -> None:
    size = 50_000_000

    async def run() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(0, size, 50_000):
                writer.write(bytes(50_000))
                await writer.drain()
            await reader.read()

        held = 0

        def take(piece: bytes) -> None:
            nonlocal held
            held = max(held, len(piece))

        async with connected(serve) as client:
            answer = await client.get("/", take=take)
            assert (answer.received_bytes, answer.error, answer.body) == (size, ErrorKind.NONE, b"")
            assert held < 1_000_000

    uvloop.run(run())


def test_a_connection_that_ended_is_not_kept_in_memory() -> None:
    async def run() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await reader.read()

        async with connected(serve) as client:
            await client.get("/")
            remembered = weakref.ref(client._connection.wire)  # type: ignore[union-attr]
            client.abort()
            client._connection = None
            while remembered() is not None:
                await asyncio.sleep(0.001)
                gc.collect()

    asyncio.run(run())


def test_clients_are_spread_over_the_addresses_of_the_index() -> None:
    async def run() -> None:
        with socket.create_server(("0.0.0.0", 0)) as listener:
            port = listener.getsockname()[1]
            three = endpoint(port, "127.0.0.1", "127.0.0.2", "127.0.0.3")
            for number, address in enumerate(["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.1"]):
                made = await three.connect(number)
                accepted, _ = listener.accept()
                with accepted:
                    assert accepted.getsockname()[0] == address
                made.close()

    uvloop.run(run())


def test_an_address_that_takes_no_connection_is_passed_over() -> None:
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            for only_one in (
                endpoint(port, "127.0.0.2", "127.0.0.1"),
                endpoint(port, "127.0.0.2", fallbacks=("127.0.0.1",)),
            ):
                (await only_one.connect()).close()
            with pytest.raises(ConnectionRefusedError):
                await endpoint(port, "127.0.0.2").connect()

    uvloop.run(run())


# Answers of servers on their bad days.


@pytest.mark.parametrize(
    ("pieces", "status", "error"),
    [
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", b"nonsense\r\n\r\n"], 200, "PROTOCOL"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"], 200, "DISCONNECTED"),
        ([b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", b"x"], 101, "PROTOCOL"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"], 0, "PROTOCOL"),
        ([b"\r\n\r\n\x00\x01"], 0, "PROTOCOL"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", OK], 200, "NONE"),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], 204, "NONE"),
        ([b"HTTP/1.0 200 OK\r\n\r\no", b"k"], 200, "NONE"),
        ([b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b!!"], 200, "NONE"),
    ],
)
def test_odd_answers(pieces: list[bytes], status: int, error: str) -> None:
    answer = uvloop.run(one_answer(answers(*pieces)))
    assert (answer.status, answer.error.name) == (status, error)


def test_a_body_that_ends_with_the_connection_is_broken_where_that_was_reset() -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    reset = uvloop.run(one_answer(answers(head + b"\r\nhalf", reset=True)))
    assert (reset.status, reset.error) == (200, ErrorKind.DISCONNECTED)
    whole = uvloop.run(one_answer(answers(head + b"Content-Length: 4\r\n\r\nhalf", reset=True)))
    assert (whole.body, whole.error) == (b"half", ErrorKind.NONE)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
def test_a_body_that_does_not_come_in_time(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_TIMEOUT_S", 0.1)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + b"half")
        await reader.read()

    answer = uvloop.run(one_answer(serve))
    assert (answer.status, answer.error) == (200, ErrorKind.TIMEOUT)
    assert answer.received_bytes == len(b"half")
    assert answer.done_s - answer.sent_s >= 0.1


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert uvloop.run(one_answer(answers(OK))).body == b"ok"


def test_the_times_of_an_answer_are_those_of_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = asyncio.Event()
    data_received = connection.ResponseProtocol.data_received

    def announced(protocol: connection.ResponseProtocol, data: bytes) -> None:
        data_received(protocol, data)
        arrived.set()

    monkeypatch.setattr(connection.ResponseProtocol, "data_received", announced)
    asked_s = between_s = math.nan

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked_s, between_s
        await reader.readuntil(b"\r\n\r\n")
        asked_s = perf_counter()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
        await arrived.wait()
        between_s = perf_counter()
        writer.write(b"lf")

    answer = uvloop.run(one_answer(serve))
    assert answer.body == b"half"
    assert answer.sent_s < asked_s < answer.first_byte_s < between_s < answer.done_s
