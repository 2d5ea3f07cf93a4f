"""A connection that belongs to one client, in the terms of aiohttp.

aiohttp keeps one pool of connections for all requests. Here each client has a connection of its own, as each installer
has on its machine, and the connection notes when the first and the last byte of an answer came.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from bench.index.errors import ErrorKind
from bench.index.target import Target

# Long enough for a burst to be answered late rather than never: the published bursts had a p99 of 20 s and more.
REQUEST_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 10.0
# aiohttp reads no more from a connection while twice as much waits to be taken.
_READ_BUFFER_BYTES = 1 << 17


@dataclass(frozen=True)
class Endpoint:
    """Addresses that connections go to. They are resolved once, before the load, so that no request waits for it."""

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
            tls=_tls(target) if target.is_https else None,
        )

    async def connect(self, client: int = 0) -> ClientConnection:
        """Open a connection for a client of this number.

        Raises:
            OSError: none of the addresses took the connection in time; also for a failed TLS handshake.
        """
        loop = asyncio.get_running_loop()
        first = client % len(self.addresses)
        failure = OSError("the host has no address")
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            for address in (*self.addresses[first:], *self.addresses[:first], *self.fallbacks):
                try:
                    _, protocol = await loop.create_connection(
                        lambda: ResponseProtocol(loop),
                        address,
                        self.port,
                        ssl=self.tls,
                        server_hostname=self.server_hostname if self.tls else None,
                    )
                except OSError as error:
                    failure = error
                else:
                    return ClientConnection(protocol)
        raise failure


def _tls(target: Target) -> ssl.SSLContext:
    if target.certificate_pem is None:
        return ssl.create_default_context()
    # The key behind a certificate that is its own authority is proof enough, and only its holder can have made it.
    pinned = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    pinned.check_hostname = False
    pinned.load_verify_locations(cadata=target.certificate_pem)
    return pinned


class ResponseProtocol(ResponseHandler):
    """aiohttp's protocol, which also measures, and ends a request that takes too long."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.is_busy = False
        """Whether a request is under way."""
        self.first_byte_s = math.nan
        self.last_byte_s = math.nan
        """When the latest bytes came, or the connection ended."""
        self.error = ErrorKind.NONE
        """What went wrong, where it is something else than the end of the connection."""
        self.was_reset = False
        """Whether the connection ended otherwise than by being closed."""
        self._body: aiohttp.StreamReader | None = None
        self.event_loop = loop
        self._deadline_s = math.inf
        self._deadline_timer: asyncio.TimerHandle | None = None

    def begin(self, timeout_s: float | None) -> None:
        """Prepare for the answer to a request that is about to be sent. None is for `REQUEST_TIMEOUT_S`."""
        timeout_s = timeout_s or REQUEST_TIMEOUT_S
        self.set_response_params(read_until_eof=True, auto_decompress=False, read_bufsize=_READ_BUFFER_BYTES)
        self.is_busy = True
        self._body = None
        self.first_byte_s = self.last_byte_s = math.nan
        self._deadline_s = perf_counter() + timeout_s
        if self._deadline_timer is None:
            self._deadline_timer = self.event_loop.call_later(timeout_s, self._check_deadline)

    def follow(self, body: aiohttp.StreamReader) -> None:
        """Have the reader of a body hear of what is not HTTP in it: aiohttp would leave the reader waiting."""
        self._body = body
        self._break_body()

    def data_received(self, data: bytes) -> None:
        if not data:
            # aiohttp itself, once there is room for what it held back.
            super().data_received(data)
            return
        if not self.is_busy:
            # They would be taken for the answer to the next request.
            self.abort()
            return
        if math.isnan(self.first_byte_s):
            self.first_byte_s = perf_counter()
        super().data_received(data)
        if self.exception() is not None:
            self.error = ErrorKind.PROTOCOL
            self._break_body()
        self.last_byte_s = perf_counter()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.last_byte_s = perf_counter()
        self.was_reset = exc is not None
        if self._deadline_timer is not None:
            self._deadline_timer.cancel()
        super().connection_lost(exc)

    def _break_body(self) -> None:
        if self.error is ErrorKind.PROTOCOL and self._body is not None:
            self._body.set_exception(aiohttp.ClientPayloadError("what came is not HTTP"))

    def _check_deadline(self) -> None:
        """Runs once in a while, not once per request: a timer for each would make it dearer."""
        self._deadline_timer = None
        if not self.is_busy or self.transport is None:
            return
        remaining_s = self._deadline_s - perf_counter()
        if remaining_s > 0:
            self._deadline_timer = self.event_loop.call_later(remaining_s, self._check_deadline)
        else:
            self.error = ErrorKind.TIMEOUT
            # `self.abort()` would leave the caller waiting.
            self.transport.abort()


class ClientConnection(Connection):
    """A connection that stays with its client when an answer is complete, and does not go into a pool."""

    def __init__(self, protocol: ResponseProtocol) -> None:
        no_pool: Any = None
        super().__init__(no_pool, no_pool, protocol, protocol.event_loop)
        self.wire = protocol

    @property
    def is_usable(self) -> bool:
        """Whether another request can be sent."""
        return not self.wire.is_busy and self.wire.is_connected()

    def release(self) -> None:
        """Make room for another request. aiohttp calls it when an answer is complete."""
        self.wire.is_busy = False
        if self.wire.should_close:
            self.wire.close()

    def close(self) -> None:
        """Drop the connection at once. aiohttp calls it when an answer cannot be completed."""
        self.wire.is_busy = False
        if self.wire.transport is not None:
            self.wire.transport.abort()

    def finish(self) -> None:
        """End the connection as a program does that has all it wanted."""
        self.wire.close()

    def __del__(self, _: Any = None) -> None:
        """Overridden, because there is no pool that the connection goes back to."""
