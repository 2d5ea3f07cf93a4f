"""HTTP/1.1 on one connection, at the level where a request costs the least: a protocol on the event loop and a parser
in C. Why so low: docs/decisions/load-client.md.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import cast

import httptools

from bench.index.errors import ErrorKind
from bench.index.server_timing import total_s
from bench.index.target import Target

# Long enough for a burst to be answered late rather than never: the published bursts had a p99 of 20 s and more.
REQUEST_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 10.0


class Answer:
    """What came back for one request, or how it failed. Times are those of `time.perf_counter`."""

    __slots__ = (
        "cookies",
        "done_s",
        "error",
        "first_byte_s",
        "location",
        "received_bytes",
        "sent_s",
        "served_by",
        "server_s",
        "status",
    )

    def __init__(self) -> None:
        self.status = 0
        self.location = ""
        self.served_by = ""
        self.server_s = math.nan
        self.cookies: list[str] = []
        self.sent_s = math.nan
        self.first_byte_s = math.nan
        self.done_s = math.nan
        self.received_bytes = 0
        self.error = ErrorKind.NONE

    @classmethod
    def failed(cls, error: ErrorKind) -> Answer:
        """The answer that did not come, as of now."""
        answer = cls()
        answer.error = error
        answer.done_s = perf_counter()
        return answer

    @property
    def is_redirect(self) -> bool:
        return 300 <= self.status < 400


@dataclass(frozen=True)
class Endpoint:
    """Where connections go. The name is resolved once, before the load, so that no request waits for it."""

    addresses: tuple[str, ...]
    """Clients are spread over these."""
    fallbacks: tuple[str, ...]
    """Tried where none of those takes a connection: the addresses of the other kind, IPv4 or IPv6."""
    port: int
    server_hostname: str
    tls: ssl.SSLContext | None

    @classmethod
    async def of(cls, target: Target) -> Endpoint:
        """Resolve the host of `target`.

        Raises:
            OSError: there is no such host.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        preferred = found[0][0]
        return cls(
            addresses=tuple(str(address[0]) for family, *_, address in found if family == preferred),
            fallbacks=tuple(str(address[0]) for family, *_, address in found if family != preferred),
            port=target.port,
            server_hostname=target.host,
            tls=ssl.create_default_context() if target.is_https else None,
        )


async def connect(endpoint: Endpoint, client: int = 0) -> HttpConnection:
    """A new connection for a client of this number.

    Raises:
        OSError: none of the addresses took the connection in time; also for a failed TLS handshake.
    """
    loop = asyncio.get_running_loop()
    first = client % len(endpoint.addresses)
    failure = OSError("the host has no address")
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        for address in (*endpoint.addresses[first:], *endpoint.addresses[:first], *endpoint.fallbacks):
            try:
                _, connection = await loop.create_connection(
                    lambda: HttpConnection(loop),
                    address,
                    endpoint.port,
                    ssl=endpoint.tls,
                    server_hostname=endpoint.server_hostname if endpoint.tls else None,
                )
            except OSError as error:
                failure = error
            else:
                return connection
    raise failure


class HttpConnection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.usable = False
        """Whether another request can be sent."""
        self._loop = loop
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._answer: Answer | None = None
        self._answered: asyncio.Future[Answer] | None = None
        self._take: Callable[[bytes], object] | None = None
        self._ends_with_connection = True
        self._in_body = False
        self._deadline_s = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._writable: asyncio.Future[None] | None = None

    def request(self, head: bytes, take: Callable[[bytes], object] | None = None) -> asyncio.Future[Answer]:
        """Send a request; its answer, which is also what a failure ends in, comes as the result.

        Args:
            head: request line and headers, with the empty line at their end.
            take: gets the body, piece by piece. None drops it.
        """
        answered = self._loop.create_future()
        if not self.usable:
            # The server ended it after it was made, or kept, and before it was needed.
            answered.set_result(Answer.failed(ErrorKind.DISCONNECTED))
            return answered
        self._answer, self._answered, self._take = Answer(), answered, take
        self._ends_with_connection = True
        self._in_body = False
        self._deadline_s = perf_counter() + REQUEST_TIMEOUT_S
        if self._timer is None:
            self._timer = self._loop.call_later(REQUEST_TIMEOUT_S, self._check_deadline)
        self._transport.write(head)
        return answered

    async def send_body(self, chunks: Iterable[bytes]) -> None:
        """Send what follows the head, as fast as the connection takes it; stops when the answer is there already."""
        for chunk in chunks:
            if self._answer is None:
                # The rest would be taken for the next request.
                self.abort()
                return
            self._transport.write(chunk)
            if self._writable is not None:
                await self._writable

    def close(self) -> None:
        """End the connection as a client does that has all it wanted."""
        self.usable = False
        self._transport.close()

    def abort(self) -> None:
        """Drop the connection at once."""
        self.usable = False
        self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's, only alike.
        self._transport = cast(asyncio.Transport, transport)
        self.usable = True

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:
            self.abort()
            return
        if math.isnan(answer.first_byte_s):
            answer.first_byte_s = perf_counter()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(ErrorKind.PROTOCOL)

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        if self._timer is not None:
            self._timer.cancel()
        self.resume_writing()
        if exc is None and self._in_body and self._ends_with_connection:
            self._end(ErrorKind.NONE)
        else:
            self._end(ErrorKind.DISCONNECTED)

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._answer is None:
            raise ValueError("an answer to no request")

    def on_header(self, name: bytes, value: bytes) -> None:
        assert self._answer is not None
        match name.lower():
            case b"content-length" | b"transfer-encoding":
                self._ends_with_connection = False
            case b"location":
                self._answer.location = value.decode("latin-1")
            case b"x-served-by":
                self._answer.served_by = value.decode("latin-1")
            case b"server-timing":
                self._answer.server_s = total_s(value)
            case b"set-cookie":
                self._answer.cookies.append(value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        assert self._answer is not None
        self._answer.status = self._parser.get_status_code()
        self._in_body = True

    def on_body(self, data: bytes) -> None:
        assert self._answer is not None
        self._answer.received_bytes += len(data)
        if self._take is not None:
            self._take(data)

    def on_message_complete(self) -> None:
        assert self._answer is not None
        if self._answer.status < 200:
            # An interim answer: the one that counts is still to come.
            self._in_body = False
            self._ends_with_connection = True
            return
        if not self._parser.should_keep_alive():
            self.close()
        self._end(ErrorKind.NONE)

    # How a request ends.

    def _check_deadline(self) -> None:
        """Runs once in a while, not once per request: a timer of its own would cost each request more than parsing."""
        self._timer = None
        if self._answer is None:
            return
        remaining_s = self._deadline_s - perf_counter()
        if remaining_s > 0:
            self._timer = self._loop.call_later(remaining_s, self._check_deadline)
        else:
            self._fail(ErrorKind.TIMEOUT)

    def _fail(self, error: ErrorKind) -> None:
        self._end(error)
        self.abort()

    def _end(self, error: ErrorKind) -> None:
        answer, answered = self._answer, self._answered
        if answer is None or answered is None:
            return
        self._answer = self._answered = self._take = None
        if self._writable is not None:
            # The answer did not wait for the whole request, and the server may never read the rest of it.
            self.abort()
            self.resume_writing()
        answer.error = error
        answer.done_s = perf_counter()
        if not answered.done():
            answered.set_result(answer)
