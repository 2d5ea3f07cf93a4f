"""What one connection does that no count of a load shows."""

import asyncio
import gc
import socket
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from bench.index.errors import ErrorKind
from bench.index.http_client import Endpoint, HttpConnection, connect

GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def connected(serve: Serve) -> AsyncIterator[HttpConnection]:
    """A connection to a server; whatever the event loop has to complain of is an error."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    served = asyncio.Event()

    async def serve_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        writer.close()
        served.set()

    async with await asyncio.start_server(serve_once, "127.0.0.1", 0) as server:
        connection = await connect(endpoint(server.sockets[0].getsockname()[1]))
        try:
            yield connection
        finally:
            connection.abort()
            await served.wait()
    assert complaints == []


def endpoint(port: int, *addresses: str, fallbacks: tuple[str, ...] = ()) -> Endpoint:
    return Endpoint(addresses or ("127.0.0.1",), fallbacks, port, "127.0.0.1", None)


def test_bytes_that_come_while_nothing_is_asked_end_the_connection() -> None:
    async def run() -> None:
        answered = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await answered.wait()
            writer.write(OK)
            await reader.read()

        async with connected(serve) as connection:
            answer = await connection.request(GET)
            assert (answer.status, answer.error) == (200, ErrorKind.NONE)
            assert connection.usable
            answered.set()
            while connection.usable:
                await asyncio.sleep(0.001)

    uvloop.run(run())


def test_a_connection_that_the_server_ended_answers_at_once_that_it_is_gone() -> None:
    async def run() -> None:
        async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with connected(hang_up) as connection:
            while connection.usable:
                await asyncio.sleep(0.001)
            answered = connection.request(b"POST / HTTP/1.1\r\n\r\n")
            await connection.send_body([b"nobody reads this"])
            assert answered.done()
            assert (await answered).error is ErrorKind.DISCONNECTED

    uvloop.run(run())


def test_a_body_is_not_read_faster_than_the_server_takes_it() -> None:
    chunks, chunk = 2000, b"x" * 50_000

    async def run() -> None:
        taken = 0
        go_on = asyncio.Event()

        def body() -> Iterator[bytes]:
            nonlocal taken
            for _ in range(chunks):
                taken += 1
                yield chunk

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await go_on.wait()
            await reader.readexactly(chunks * len(chunk))
            writer.write(OK)
            await reader.read()

        async with connected(serve) as connection:
            answered = connection.request(b"POST / HTTP/1.1\r\n\r\n")
            sending = asyncio.create_task(connection.send_body(body()))
            seen = -1
            while taken != seen:
                seen = taken
                await asyncio.sleep(0.02)
            assert taken < chunks / 2
            go_on.set()
            await sending
            assert taken == chunks
            assert (await answered).error is ErrorKind.NONE

    uvloop.run(run())


def test_a_connection_that_ended_is_not_kept_in_memory() -> None:
    async def run() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await reader.read()

        async with connected(serve) as connection:
            await connection.request(GET)
            remembered = weakref.ref(connection)
            del connection
        while remembered() is not None:
            await asyncio.sleep(0.001)
            gc.collect()

    asyncio.run(run())


def test_clients_are_spread_over_the_addresses_of_the_index() -> None:
    async def run() -> None:
        with socket.create_server(("0.0.0.0", 0)) as listener:
            port = listener.getsockname()[1]
            for number, address in enumerate(["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.1"]):
                connection = await connect(endpoint(port, "127.0.0.1", "127.0.0.2", "127.0.0.3"), number)
                accepted, _ = listener.accept()
                with accepted:
                    assert accepted.getsockname()[0] == address
                connection.abort()

    uvloop.run(run())


def test_an_address_that_takes_no_connection_is_passed_over() -> None:
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            for only_one in (
                endpoint(port, "127.0.0.2", "127.0.0.1"),
                endpoint(port, "127.0.0.2", fallbacks=("127.0.0.1",)),
            ):
                (await connect(only_one)).abort()
            with pytest.raises(ConnectionRefusedError):
                await connect(endpoint(port, "127.0.0.2"))

    uvloop.run(run())
