"""A WSGI application for the tests of the worker, which copy this file beside the files of the task."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import gevent

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Callable[[bytes], None]]


class Endless:
    """A body without an end; `closed` appears when the server lets go of it."""

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return b"x" * 65536

    def close(self) -> None:
        Path("closed").touch()


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answers by the first part of the path; the second is its argument."""
    what, _, argument = environ["PATH_INFO"].strip("/").partition("/")
    answer: Iterable[bytes] = globals()[f"_{what}"](environ, start_response, argument)
    return answer


def _bytes(environ: Environ, start_response: StartResponse, argument: str) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", argument)])
    return [b"x" * int(argument)]


def _chunked(environ: Environ, start_response: StartResponse, argument: str) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"one", b"", b"two"]


def _generated(environ: Environ, start_response: StartResponse, argument: str) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "6")])
    yield b""
    yield b"one"
    yield b"two"


def _status(environ: Environ, start_response: StartResponse, argument: str) -> Iterable[bytes]:
    # The last tells how long the page is that the client has.
    length = {"303": "0", "304": "7"}.get(argument)
    start_response(f"{argument} Such", [("Content-Length", length)] if length else [])
    return []


def _promised(environ: Environ, start_response: StartResponse, argument: str) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", argument)])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"begun"]


def _fails(environ: Environ, start_response: StartResponse, argument: str) -> Iterable[bytes]:
    if argument == "late":
        start_response("200 OK", [("Content-Length", "10")])(b"begun")
    raise RuntimeError("as the test wants it")


def _process(environ: Environ, start_response: StartResponse, argument: str) -> Iterable[bytes]:
    return _text(start_response, str(os.getpid()))


def _forwarded(environ: Environ, start_response: StartResponse, argument: str) -> Iterable[bytes]:
    return _text(start_response, environ["HTTP_X_FORWARDED_FOR"])


def _refused(environ: Environ, start_response: StartResponse, argument: str) -> Iterable[bytes]:
    return _text(start_response, "too large", "413 Content Too Large")


def _upload(environ: Environ, start_response: StartResponse, argument: str) -> Iterable[bytes]:
    digest = hashlib.sha256()
    while data := environ["wsgi.input"].read(65536):
        digest.update(data)
    return _text(start_response, digest.hexdigest())


def _when(environ: Environ, start_response: StartResponse, argument: str) -> Iterable[bytes]:
    """Answers once there is a file of that name."""
    Path(f"{argument}.awaited").touch()
    while not Path(argument).exists():
        gevent.sleep(0.01)
    return _text(start_response, argument)


def _endless(environ: Environ, start_response: StartResponse, argument: str) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "1000000000000")])
    return Endless()


def _text(start_response: StartResponse, text: str, status: str = "200 OK") -> Iterable[bytes]:
    start_response(status, [("Content-Length", str(len(text)))])
    return [text.encode()]
