"""Responses before they become WSGI."""

from collections.abc import Iterable
from typing import Any, NamedTuple

Environ = dict[str, Any]
"""The request as WSGI has it."""
Headers = list[tuple[str, str]]


class HttpResponse(NamedTuple):
    """A whole response. Its headers always have the length of the body: a connection that stays open needs it."""

    status: str
    headers: Headers
    body: Iterable[bytes]


def text(status: str, sentence: str, headers: Iterable[tuple[str, str]] = ()) -> HttpResponse:
    """A response of one line of plain text."""
    body = f"{sentence}\n".encode()
    length = ("Content-Length", str(len(body)))
    return HttpResponse(status, [("Content-Type", "text/plain; charset=utf-8"), length, *headers], [body])
