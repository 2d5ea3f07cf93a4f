"""One client, as the index sees it: looks for a package and takes its newest wheel, or publishes one."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Collection
from dataclasses import dataclass
from time import perf_counter

from bench.index.client import HTML, Exchange, IndexSession
from bench.index.errors import ErrorKind
from bench.index.pages import ListedFile, NotAListingError, newest_wheel
from bench.index.upload import Form
from bench.load.health import EXHAUSTED_ERRNOS
from bench.load.samples import Operation, Recorder

# pip gives up later, after 30; an index that needs more than a few is broken.
MAX_REDIRECTS = 5


@dataclass
class Traffic:
    """The part that all clients of one load share."""

    session: IndexSession
    recorder: Recorder
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
        self._target = traffic.session.target
        self._phase = phase
        self._client = traffic.session.client(number, user_agent)

    async def install(self, project: str, steps: Collection[Operation], due_s: float) -> None:
        """Look for `project`, and take its newest wheel where `steps` say so."""
        if Operation.REDIRECT in steps:
            asked, path = Operation.REDIRECT, self._target.project_path(project)
        else:
            asked, path = Operation.LISTING, self._target.listing_path(project)
        for redirects_left in reversed(range(MAX_REDIRECTS)):
            answer = await self._counted(self._client.get(path, HTML))
            if not answer.is_redirect:
                wheel = self._newest_wheel(answer, path)
                self._record(Operation.LISTING if wheel else asked, answer, due_s, _unless(wheel))
                if wheel and Operation.DOWNLOAD in steps:
                    await self._download(*wheel, due_s=answer.done_s)
                return
            onward = self._onward(answer, path) if redirects_left else None
            self._record(Operation.REDIRECT, answer, due_s, _unless(onward))
            if not onward:
                return
            asked, path, due_s = Operation.LISTING, onward, answer.done_s

    async def upload(self, form: Form, due_s: float) -> None:
        self._record(Operation.UPLOAD, await self._counted(self._client.post(form)), due_s)

    def close(self) -> None:
        self._client.close()

    def abort(self) -> None:
        self._client.abort()

    async def _download(self, path: str, link: ListedFile, due_s: float) -> None:
        digest = hashlib.new(link.algorithm, usedforsecurity=False) if link.algorithm else None
        answer = await self._counted(self._client.get(path, HTML, digest.update if digest else len))
        fault = ErrorKind.DIGEST if digest and digest.hexdigest() != link.digest else ErrorKind.NONE
        self._record(Operation.DOWNLOAD, answer, due_s, ErrorKind.PROTOCOL if answer.is_redirect else fault)

    def _onward(self, answer: Exchange, path: str) -> str | None:
        """The path that a redirect from `path` leads to; None where it is of no use."""
        return self._target.path_of(answer.location, path) if answer.location and not answer.error else None

    def _newest_wheel(self, answer: Exchange, path: str) -> tuple[str, ListedFile] | None:
        """The path of the wheel to take, and what the page at `path` says of it; None where there is none."""
        if answer.error:
            return None
        try:
            link = newest_wheel(answer.body)
        except NotAListingError:
            return None
        wheel_path = self._target.path_of(link.reference, path)
        return (wheel_path, link) if wheel_path else None

    async def _counted(self, request: Awaitable[Exchange]) -> Exchange:
        """Wait for the answer to a request, which begins when the client does, with a connection or without one."""
        begun_s = perf_counter()
        answer = await request
        answer.sent_s = begun_s
        if answer.cause is not None and answer.cause.errno in EXHAUSTED_ERRNOS:
            self._traffic.exhausted += 1
        if not answer.error and answer.status >= 400:
            answer.error = ErrorKind.STATUS
        return answer

    def _record(self, operation: Operation, answer: Exchange, due_s: float, fault: ErrorKind = ErrorKind.NONE) -> None:
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
            auth_s=answer.auth_s,
            error=answer.error or fault,
        )


def _unless(useful: object) -> ErrorKind:
    """Fault of an answer that turned out `useful`, or not."""
    return ErrorKind.NONE if useful else ErrorKind.PROTOCOL
