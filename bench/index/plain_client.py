"""The requests of the check: reads, uploads and removals, each with the moment at which it was sent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from bench.index.errors import ErrorKind
from bench.index.http_client import Answer, Endpoint, HttpConnection, connect
from bench.index.target import Target
from bench.index.upload import CONTENT_TYPE, UploadForm

AGENT = "pypiserver-bench"
_REQUEST_TIMEOUT = 408
_NOT_IMPLEMENTED = 501
# Another address was named, and nothing done; after 302 and 303 something may have been.
_ELSEWHERE = (301, 307, 308)
# Any string that no field contains.
_BOUNDARY = "----pypiserver-stack-9d1e6a7742c84f0bb6f3"


@dataclass(frozen=True)
class Got:
    """What a request came to."""

    answer: Answer
    """With `sent_s` set: when the request was about to be written to an open connection."""
    body: bytes

    @property
    def trouble(self) -> str | None:
        """What came instead of an answer of use, in a word or two; None for one of use: success, or "not here".

        "Not here" is a 404, and a redirect: a pypiserver that falls back sends clients elsewhere for what it lacks.
        """
        if self.answer.error is not ErrorKind.NONE:
            return self.answer.error.name.lower()
        if self.is_success or self.is_absence:
            return None
        return f"status {self.answer.status}"

    @property
    def is_success(self) -> bool:
        return self.answer.error is ErrorKind.NONE and 200 <= self.answer.status < 300

    @property
    def is_refusal(self) -> bool:
        """Whether a change was refused for good, and has not been made."""
        status = self.answer.status
        is_client_error = 400 <= status < 500 and not self.is_absence and status != _REQUEST_TIMEOUT
        return is_client_error or self.takes_no_changes

    @property
    def is_turned_away(self) -> bool:
        """Whether an upload has certainly not been taken."""
        return self.is_refusal or self.answer.status in (404, *_ELSEWHERE)

    @property
    def takes_no_changes(self) -> bool:
        """Whether it is a server that knows no POST, such as one of plain files."""
        return self.answer.status == _NOT_IMPLEMENTED

    @property
    def is_absence(self) -> bool:
        """Whether the index says that it has no such thing."""
        return self.answer.status == 404 or self.answer.is_redirect


class Client:
    """One connection, which is opened when it is needed and kept from one request to the next.

    It keeps no cookies: a balancer may send each request to another task.
    """

    def __init__(self, target: Target, endpoint: Endpoint, number: int) -> None:
        """`number` spreads clients over the addresses of the index."""
        self._target = target
        self._endpoint = endpoint
        self._number = number
        self._connection: HttpConnection | None = None

    async def get(self, path: str, accept: str) -> Got:
        """Read a page or a file."""
        head = f"GET {path} HTTP/1.1\r\nAccept: {accept}\r\nAccept-Encoding: identity\r\n"
        body: list[bytes] = []
        reused = self._connection if self._connection and self._connection.usable else None
        answer = await self._send(reused or await self._connected(), head, b"", body)
        if reused and answer.error is ErrorKind.DISCONNECTED and math.isnan(answer.first_byte_s):
            # The server may end an idle connection at the very moment a request is sent on it: ask again, as pip does.
            body.clear()
            answer = await self._send(await self._connected(), head, b"", body)
        return Got(answer, b"".join(body))

    async def upload(self, wheel: Path) -> Got:
        """Publish a wheel."""
        form = UploadForm.of(wheel)
        return await self._post(CONTENT_TYPE, b"".join(form.chunks()))

    async def remove(self, name: str, version: str) -> Got:
        """Have pypiserver delete the files of one version. `name` is spelled as in the names of the files."""
        fields = {":action": "remove_pkg", "name": name, "version": version}
        parts = [
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
            for field, value in fields.items()
        ]
        body = "".join([*parts, f"--{_BOUNDARY}--\r\n"]).encode("ascii")
        return await self._post(f"multipart/form-data; boundary={_BOUNDARY}", body)

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._connection is not None:
            self._connection.abort()

    async def _post(self, content_type: str, body: bytes) -> Got:
        """Send a change. Always on a connection of its own: it could not be sent again where an idle one had ended."""
        head = f"POST {self._target.base_path}/ HTTP/1.1\r\nAccept: */*\r\n"
        head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        said: list[bytes] = []
        try:
            answer = await self._send(await self._connected(), head, body, said)
        finally:
            self.abort()
        return Got(answer, b"".join(said))

    async def _connected(self) -> HttpConnection | None:
        try:
            self._connection = await connect(self._endpoint, self._number)
        except OSError:
            self._connection = None
        return self._connection

    async def _send(self, connection: HttpConnection | None, head: str, body: bytes, said: list[bytes]) -> Answer:
        sent_s = perf_counter()
        if connection is None:
            answer = Answer.failed(ErrorKind.CONNECT)
        else:
            head += f"User-Agent: {AGENT}\r\nConnection: keep-alive\r\n"
            answered = connection.request(head.encode("ascii") + self._target.headers + b"\r\n", said.append)
            if body:
                await connection.send_body([body])
            answer = await answered
        answer.sent_s = sent_s
        return answer
