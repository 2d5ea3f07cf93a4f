"""The HTTP client of an index, built on aiohttp. Nothing else in this project sends a request to one."""

from __future__ import annotations

import math
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from time import perf_counter
from typing import Self

import aiohttp
from yarl import URL

from bench.common.failures import UnavailableError
from bench.index.connection import CONNECT_TIMEOUT_S, ClientConnection, Endpoint
from bench.index.errors import ErrorKind
from bench.index.server_timing import server_timing
from bench.index.target import Target
from bench.index.upload import Form

AGENT = "pypiserver-bench"
HTML = "text/html, */*"
"""What the load accepts: a page, or a file."""
# Another address was named, and nothing done; after 302 and 303 something may have been.
_NOTHING_DONE = (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT)

Take = Callable[[bytes], object]


@dataclass(slots=True)
class Exchange:
    """One request and its answer, or how the request failed. Times are those of `time.perf_counter`."""

    status: int = 0
    """0 where no status came."""
    location: str = ""
    served_by: str = ""
    """The value of X-Served-By."""
    server_s: float = math.nan
    """What the server says that the request cost it, as `total` in Server-Timing."""
    auth_s: float = math.nan
    """The part of it that the check of the credentials took, as `auth`."""
    sent_s: float = math.nan
    """When the request was about to be sent over an open connection, or to open one that failed."""
    first_byte_s: float = math.nan
    done_s: float = math.nan
    received_bytes: int = 0
    """Bytes of the body."""
    body: bytes = b""
    """Empty where the caller took it piece by piece."""
    error: ErrorKind = ErrorKind.NONE
    cause: OSError | None = None
    """Why there was no connection."""

    @property
    def connection_failure(self) -> str:
        """Why there was no connection, in words."""
        match self.cause:
            case ssl.SSLCertVerificationError() as error:
                return f"its certificate is not trusted here ({error.verify_message})"
            case ssl.SSLError() as error:
                return f"it does not answer with TLS ({(error.reason or 'no TLS').replace('_', ' ').lower()})"
            case OSError(errno=int(number)) if number > 0:
                return os.strerror(number)  # the event loop puts its own words in place of the system's
            case TimeoutError():
                return f"none in {CONNECT_TIMEOUT_S:g} s"
            case error:
                return str(error)

    @property
    def is_redirect(self) -> bool:
        return 300 <= self.status < 400

    @property
    def is_success(self) -> bool:
        return self.error is ErrorKind.NONE and 200 <= self.status < 300

    @property
    def is_absence(self) -> bool:
        """Whether the index says that it has no such thing: by a 404, or by sending the client elsewhere for it."""
        return self.status == HTTPStatus.NOT_FOUND or self.is_redirect

    @property
    def trouble(self) -> str | None:
        """What came in place of success or absence, in a word or two; None for one of the two."""
        if self.error is not ErrorKind.NONE:
            return self.error.name.lower()
        return None if self.is_success or self.is_absence else f"status {self.status}"

    @property
    def is_refusal(self) -> bool:
        """Whether a change was refused for good, and has not been made."""
        is_client_error = 400 <= self.status < 500 and self.status != HTTPStatus.REQUEST_TIMEOUT
        return (is_client_error and not self.is_absence) or self.takes_no_changes

    @property
    def is_turned_away(self) -> bool:
        """Whether an upload has certainly not been taken."""
        return self.is_refusal or self.status == HTTPStatus.NOT_FOUND or self.status in _NOTHING_DONE

    @property
    def takes_no_changes(self) -> bool:
        """Whether it is a server that knows no POST, such as one of plain files."""
        return self.status == HTTPStatus.NOT_IMPLEMENTED


@dataclass(frozen=True)
class IndexSession:
    """The part that all clients of one index share: its addresses, the credentials and, if asked for, a cookie jar.

    It follows no redirect, decompresses nothing, and takes no proxy from the environment.
    """

    target: Target
    endpoint: Endpoint
    jar: aiohttp.CookieJar | None
    timeout_s: float | None
    """For a request with its answer, in place of the usual `REQUEST_TIMEOUT_S`."""

    @classmethod
    async def open(cls, target: Target, *, keep_cookies: bool = False, timeout_s: float | None = None) -> Self:
        """Resolve the host of `target`, before any request has to wait for it.

        Raises:
            UnavailableError: there is no such host.
        """
        try:
            endpoint = await Endpoint.of(target)
        except OSError as error:
            raise UnavailableError(f"no connection to {target.url}: {error.strerror or error}") from error
        return cls(target, endpoint, aiohttp.CookieJar(unsafe=True) if keep_cookies else None, timeout_s)

    def client(self, number: int = 0, user_agent: str = AGENT) -> Client:
        """A new client, as each process of an installer is one. `number` spreads clients over the addresses."""
        return Client(self, number, user_agent)


class Client:
    """One client, with one connection, which it opens when it needs one and keeps for its next request.

    As a context manager it drops the connection at the end.
    """

    def __init__(self, session: IndexSession, number: int, user_agent: str) -> None:
        self._session = session
        self._number = number
        self._user_agent = user_agent
        self._connection: ClientConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()

    async def get(self, path: str, accept: str = "*/*", take: Take | None = None) -> Exchange:
        """Read a page or a file; `take` gets the body, piece by piece, and without it the body is kept."""
        headers = self._headers(accept)
        kept = self._connection
        if kept is not None and kept.is_usable:
            exchange = await self._exchange(kept, "GET", path, headers, take=take)
            # The server may end an idle connection at the very moment a request is sent on it. Like every installer,
            # ask again: the question changes nothing, and not a byte of an answer had come.
            if exchange.error is not ErrorKind.DISCONNECTED or not math.isnan(exchange.first_byte_s):
                return exchange
        return await self._connect_and_exchange("GET", path, headers, take=take)

    async def post(self, form: Form) -> Exchange:
        """Send a form to the root of the index.

        It always takes a new connection: a change could not be sent again where an idle connection had ended.
        """
        self.close()
        headers = self._headers("*/*")
        headers |= {"Content-Type": form.content_type, "Content-Length": str(form.length_bytes)}
        return await self._connect_and_exchange("POST", f"{self._session.target.base_path}/", headers, form=form)

    def close(self) -> None:
        """End the connection as a program does that has all it wanted."""
        if self._connection is not None:
            self._connection.finish()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._connection is not None:
            self._connection.close()

    def _headers(self, accept: str) -> dict[str, str]:
        # Compressed bytes could not be held against the digest of the listing.
        headers = {"User-Agent": self._user_agent, "Accept": accept, "Accept-Encoding": "identity"}
        headers["Connection"] = "keep-alive"
        if authorization := self._session.target.authorization:
            headers["Authorization"] = authorization
        return headers

    async def _connect_and_exchange(
        self, method: str, path: str, headers: dict[str, str], *, take: Take | None = None, form: Form | None = None
    ) -> Exchange:
        begun_s = perf_counter()
        try:
            connection = await self._session.endpoint.connect(self._number)
        except OSError as error:
            return Exchange(sent_s=begun_s, done_s=perf_counter(), error=ErrorKind.CONNECT, cause=error)
        self._connection = connection
        return await self._exchange(connection, method, path, headers, take=take, form=form)

    async def _exchange(
        self,
        connection: ClientConnection,
        method: str,
        path: str,
        headers: dict[str, str],
        *,
        take: Take | None = None,
        form: Form | None = None,
    ) -> Exchange:
        """Send one request and wait for its answer; no failure of the index is an exception."""
        session, wire = self._session, connection.wire
        url = _url(session.target.origin + path)
        request = aiohttp.ClientRequest(
            method,
            url,
            headers=headers,
            data=form.stream() if form else None,
            cookies=session.jar.filter_cookies(url) if session.jar is not None else None,
            loop=wire.event_loop,
        )
        exchange = Exchange(sent_s=perf_counter())
        wire.begin(session.timeout_s)
        response: aiohttp.ClientResponse | None = None
        try:
            response = await request.send(connection)
            await response.start(connection)
            wire.follow(response.content)
            _read_head(exchange, response)
            await _read_body(exchange, response, take)
        except aiohttp.ClientError:
            exchange.error = wire.error or ErrorKind.DISCONNECTED
        else:
            exchange.error = wire.error or _error_of(response, was_reset=wire.was_reset)
            if session.jar is not None:
                session.jar.update_cookies_from_headers(response.headers.getall("Set-Cookie", ()), url)
        finally:
            if wire.is_busy:
                # There is no whole answer, or it came before the whole request was sent.
                connection.close()
                if response is not None:
                    response.close()
        exchange.first_byte_s = wire.first_byte_s
        exchange.done_s = perf_counter() if math.isnan(wire.last_byte_s) else wire.last_byte_s
        return exchange


def _read_head(exchange: Exchange, response: aiohttp.ClientResponse) -> None:
    headers = response.headers
    exchange.status = response.status
    exchange.location = headers.get("Location", "")
    exchange.served_by = headers.get("X-Served-By", "")
    if timing := headers.get("Server-Timing"):
        exchange.server_s, exchange.auth_s = server_timing(timing)


async def _read_body(exchange: Exchange, response: aiohttp.ClientResponse, take: Take | None) -> None:
    pieces: list[bytes] = []
    take = take or pieces.append
    while piece := await response.content.readany():
        exchange.received_bytes += len(piece)
        take(piece)
    exchange.body = b"".join(pieces)


def _error_of(response: aiohttp.ClientResponse, *, was_reset: bool) -> ErrorKind:
    """What is wrong with an answer that aiohttp holds to be complete."""
    if response.status < HTTPStatus.OK:
        return ErrorKind.PROTOCOL  # a change of protocols, for which nobody asked
    ends_with_connection = not {"Content-Length", "Transfer-Encoding"} & response.headers.keys()
    return ErrorKind.DISCONNECTED if was_reset and ends_with_connection else ErrorKind.NONE


# Parsing the same URL again for each client would cost a tenth of a request.
@lru_cache(maxsize=4096)
def _url(url: str) -> URL:
    return URL(url, encoded=True)
