"""One client, as the index sees it: looks for a package and takes its newest wheel, or publishes one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from time import perf_counter

from bench.index.errors import ErrorKind
from bench.index.http_client import Answer, Endpoint, HttpConnection, connect
from bench.index.pages import NotAListingError, WheelLink, newest_wheel
from bench.index.target import Target
from bench.index.upload import CONTENT_TYPE, UploadForm
from bench.load.health import EXHAUSTED_ERRNOS
from bench.load.samples import Operation, Recorder

# pip gives up later, after 30; an index that needs more than a few is broken.
MAX_REDIRECTS = 5


class CookieJar:
    """The cookies of one index, with none of the rules by which a browser keeps them apart."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self.header = b""

    def keep(self, set_cookies: list[str]) -> None:
        for set_cookie in set_cookies:
            name, _, value = set_cookie.partition(";")[0].partition("=")
            self._values[name.strip()] = value.strip()
        pairs = "; ".join(f"{name}={value}" for name, value in self._values.items())
        self.header = f"Cookie: {pairs}\r\n".encode("latin-1")


@dataclass
class Traffic:
    """What all clients of one load share."""

    target: Target
    endpoint: Endpoint
    recorder: Recorder
    jar: CookieJar | None = None
    """None: clients keep no cookies."""
    in_flight: int = 0
    exhausted: int = 0
    """Connections that could not be made for want of ports, files or memory on this side."""


class Installer:
    """One client with one connection, which it keeps from its first request to its last.

    Each request that ends is a row of the recorder. The first one is due when the caller says so, each further one when
    the one before it has ended. A failed request ends the install.
    """

    def __init__(self, traffic: Traffic, number: int, phase: int, user_agent: str) -> None:
        """`number` spreads clients over the addresses of the index; their requests count under `phase`."""
        self._traffic = traffic
        self._target = traffic.target
        self._number = number
        self._phase = phase
        self._connection: HttpConnection | None = None
        self._headers = f"User-Agent: {user_agent}\r\nConnection: keep-alive\r\n".encode("ascii") + self._target.headers
        # Compressed bytes could not be held against the digest of the listing.
        self._get_headers = b" HTTP/1.1\r\nAccept: text/html, */*\r\nAccept-Encoding: identity\r\n" + self._headers

    async def install(self, project: str, steps: Collection[Operation], due_s: float) -> None:
        """Look for `project`, and take its newest wheel where `steps` say so."""
        if Operation.REDIRECT in steps:
            asked, path = Operation.REDIRECT, self._target.project_path(project)
        else:
            asked, path = Operation.LISTING, self._target.listing_path(project)
        for redirects_left in reversed(range(MAX_REDIRECTS)):
            page: list[bytes] = []
            answer = await self._get(path, page.append)
            if not answer.is_redirect:
                wheel = self._newest_wheel(answer, page, path)
                self._record(Operation.LISTING if wheel else asked, answer, due_s, _unless(wheel))
                if wheel and Operation.DOWNLOAD in steps:
                    await self._download(*wheel, due_s=answer.done_s)
                return
            onward = self._onward(answer, path) if redirects_left else None
            self._record(Operation.REDIRECT, answer, due_s, _unless(onward))
            if not onward:
                return
            asked, path, due_s = Operation.LISTING, onward, answer.done_s

    async def upload(self, form: UploadForm, due_s: float) -> None:
        """Publish one wheel."""
        head = f"POST {self._target.base_path}/ HTTP/1.1\r\nAccept: */*\r\nContent-Type: {CONTENT_TYPE}\r\n"
        head += f"Content-Length: {form.length_bytes}\r\n"
        answer = await self._ask(head.encode("ascii") + self._headers, form=form)
        self._record(Operation.UPLOAD, answer, due_s)

    def close(self) -> None:
        """End the connection as a program does that has all it wanted."""
        if self._connection is not None:
            self._connection.close()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._connection is not None:
            self._connection.abort()

    async def _download(self, path: str, link: WheelLink, due_s: float) -> None:
        digest = hashlib.new(link.algorithm, usedforsecurity=False) if link.algorithm else None
        answer = await self._get(path, digest.update if digest else None)
        fault = ErrorKind.DIGEST if digest and digest.hexdigest() != link.digest else ErrorKind.NONE
        self._record(Operation.DOWNLOAD, answer, due_s, ErrorKind.PROTOCOL if answer.is_redirect else fault)

    def _onward(self, answer: Answer, path: str) -> str | None:
        """The path that a redirect from `path` leads to; None where it is of no use."""
        return self._target.path_of(answer.location, path) if answer.location and not answer.error else None

    def _newest_wheel(self, answer: Answer, page: list[bytes], path: str) -> tuple[str, WheelLink] | None:
        """The path of the wheel to take, and what the page at `path` says of it; None where there is none."""
        if answer.error:
            return None
        try:
            link = newest_wheel(b"".join(page))
        except NotAListingError:
            return None
        wheel_path = self._target.path_of(link.reference, path)
        return (wheel_path, link) if wheel_path else None

    # Asking.

    async def _get(self, path: str, take: Callable[[bytes], object] | None) -> Answer:
        return await self._ask(b"GET " + path.encode("ascii") + self._get_headers, take)

    async def _ask(
        self, head: bytes, take: Callable[[bytes], object] | None = None, form: UploadForm | None = None
    ) -> Answer:
        """Send one request, with a connection for it where there is none, and wait for its answer."""
        traffic = self._traffic
        head += (traffic.jar.header if traffic.jar else b"") + b"\r\n"
        traffic.in_flight += 1
        sent_s = perf_counter()
        try:
            answer = await self._send(head, take, form)
        finally:
            traffic.in_flight -= 1
        answer.sent_s = sent_s
        if not answer.error and answer.status >= 400:
            answer.error = ErrorKind.STATUS
        if traffic.jar and answer.cookies:
            traffic.jar.keep(answer.cookies)
        return answer

    async def _send(self, head: bytes, take: Callable[[bytes], object] | None, form: UploadForm | None) -> Answer:
        reused = self._connection
        if reused and reused.usable:
            answer = await reused.request(head, take)
            # The server may end an idle connection at the very moment a request is sent on it. Like every installer,
            # ask again: the question changes nothing, and not a byte of an answer had come.
            if answer.error is not ErrorKind.DISCONNECTED or not math.isnan(answer.first_byte_s):
                return answer
        try:
            self._connection = connection = await connect(self._traffic.endpoint, self._number)
        except OSError as error:
            if error.errno in EXHAUSTED_ERRNOS:
                self._traffic.exhausted += 1
            return Answer.failed(ErrorKind.CONNECT)
        answered = connection.request(head, take)
        if form is not None:
            await connection.send_body(form.chunks())
        return await answered

    def _record(self, operation: Operation, answer: Answer, due_s: float, fault: ErrorKind = ErrorKind.NONE) -> None:
        """Add the row of a request; `fault` is what is wrong with an answer that in itself is none."""
        self._traffic.recorder.record(
            operation,
            self._phase,
            due_s,
            answer.sent_s,
            answer.done_s,
            first_byte_s=answer.first_byte_s,
            status=answer.status,
            received_bytes=answer.received_bytes,
            served_by=answer.served_by,
            server_s=answer.server_s,
            error=answer.error or fault,
        )


def _unless(useful: object) -> ErrorKind:
    """What is wrong with an answer that turned out `useful`, or not."""
    return ErrorKind.NONE if useful else ErrorKind.PROTOCOL
