"""What a part of the server answers, before it becomes WSGI."""

from collections.abc import Iterable
from typing import NamedTuple

Headers = list[tuple[str, str]]


class Answer(NamedTuple):
    """A whole answer. The length of the body is always among the headers: a connection that stays open needs it."""

    status: str
    headers: Headers
    body: Iterable[bytes]


def text(status: str, sentence: str, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """An answer of one line of plain text."""
    body = f"{sentence}\n".encode()
    length = ("Content-Length", str(len(body)))
    return Answer(status, [("Content-Type", "text/plain; charset=utf-8"), length, *headers], [body])
