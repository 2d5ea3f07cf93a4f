"""Requests of the plainest form, read and answered without gunicorn's parser, environ and response.

Those are most of what a request costs a worker, and nearly every request of pip, uv or poetry has this form: a GET
whose head has arrived whole, with no body and no second request behind it. Whatever has another form, and whatever
pypiserver answers, is left to gunicorn.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from email.utils import formatdate
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from pypiserver_stack.container.http.response import Environ, HttpResponse

_HEAD = re.compile(rb"(GET|HEAD) (/[!-\"$-~]*) HTTP/1\.1\r\n((?:[0-9A-Za-z!#$%&'*+.^`|~-]+:[\t -~]*\r\n)*)\r\n")
# Headers about a body, the connection, or the name of the server: gunicorn handles them.
_NOT_PLAIN = frozenset(
    ["CONTENT_LENGTH", "CONTENT_TYPE", "TRANSFER_ENCODING", "SEC_WEBSOCKET_KEY1", "EXPECT", "UPGRADE", "SCRIPT_NAME"]
)
_MOST_HEADERS = 64
SERVER_NAME = "pypiserver"
"""In the header Server: no version, by which faults could be looked up."""


class PlainRequest:
    """The request, with the fields that others read of gunicorn's own."""

    def __init__(self, method: str, uri: str) -> None:
        self.method = method
        self.uri = uri
        self.headers: list[tuple[str, str]] = []


class _LoggedResponse(NamedTuple):
    """The response, with the fields that the access log reads."""

    status: str
    sent: int


class PlainRequests:
    """Answers the plain ones among the requests of a worker."""

    def __init__(
        self,
        answer: Callable[[Environ], HttpResponse | None],
        log_access: Callable[[Any, Any, Environ, timedelta], None],
        is_alive: Callable[[], bool],
    ) -> None:
        """
        Args:
            answer: None leaves the request to gunicorn, which then reads it from the start.
            log_access: as `access` of gunicorn's logger.
            is_alive: False once the worker was signalled to stop: from then on gunicorn ends connections.
        """
        self._answer = answer
        self._log_access = log_access
        self._is_alive = is_alive

    def __call__(self, client: Any, address: Any, data: bytes) -> bool:
        """Whether `data`, all that a client has sent since its last answer, was a plain request, and is answered."""
        started_s = perf_counter()
        environ = environ_of(data)
        if environ is None or not self._is_alive():
            return False
        environ["REMOTE_ADDR"] = address[0]
        environ["gunicorn.socket"] = client
        request = PlainRequest(environ["REQUEST_METHOD"], environ["RAW_URI"])
        client.begin_answer(request, False)
        try:
            response = self._answer(environ)
        except Exception:
            # Nothing was sent yet: gunicorn takes the request from the start, and logs what goes wrong.
            response = None
        if response is None:
            client.request = None
            return False
        closes = not self._is_alive()
        try:
            sent = _send(client, _head(response, closes), [] if request.method == "HEAD" else response.body)
        finally:
            if hasattr(response.body, "close"):
                response.body.close()
        client.end_answer(next_began=False)
        if closes:
            client.end_idle(longer_than_s=0)
        took = timedelta(seconds=perf_counter() - started_s)
        self._log_access(_LoggedResponse(response.status, sent), request, environ, took)
        return True


def environ_of(data: bytes) -> Environ | None:
    """The WSGI environ of a plain request, as far as our own answers need it; None where the request is not plain."""
    head = _HEAD.fullmatch(data)
    if head is None:
        return None
    method, uri, lines = (group.decode("latin-1") for group in head.groups())
    raw_path, _, query = uri.partition("?")
    if raw_path.startswith("//"):
        return None  # gunicorn has a way of its own with these
    environ: Environ = {
        "REQUEST_METHOD": method,
        "RAW_URI": uri,
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1") if "%" in raw_path else raw_path,
        "QUERY_STRING": query,
    }
    headers = lines.split("\r\n")
    if len(headers) > _MOST_HEADERS:
        return None
    for line in headers[:-1]:
        name, _, value = line.partition(":")
        name = name.upper().replace("-", "_")
        key = f"HTTP_{name}"
        if name in _NOT_PLAIN or key in environ:
            return None
        environ[key] = value.strip()
    if environ.get("HTTP_CONNECTION", "keep-alive").lower() != "keep-alive":
        return None
    return environ


class _Date:
    """The value of the Date header, made once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def __call__(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._text = second, formatdate(second, usegmt=True)
        return self._text


_date = _Date()


def _head(response: HttpResponse, closes: bool) -> bytes:
    headers = "".join([f"{name}: {value}\r\n" for name, value in response.headers])
    connection = "close" if closes else "keep-alive"
    first = f"HTTP/1.1 {response.status}\r\nServer: {SERVER_NAME}\r\nDate: {_date()}\r\nConnection: {connection}\r\n"
    return f"{first}{headers}\r\n".encode("latin-1")


def _send(client: Any, head: bytes, body: Iterable[bytes]) -> int:
    """How many bytes of the body were sent from here; a file counts its own."""
    client.sendall(head)
    sent = 0
    for part in body:
        client.sendall(part)
        sent += len(part)
    return sent
