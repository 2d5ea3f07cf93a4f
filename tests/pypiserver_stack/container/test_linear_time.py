"""No bytes of a client hold up a worker: what reads them takes time in proportion to their number."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from pypiserver_stack.container.access.credentials import basic_credentials
from pypiserver_stack.container.entry.plain_requests import environ_of
from pypiserver_stack.container.files.multipart import MAX_HEADERS_BYTES, MultipartError, boundary_of, read_form
from pypiserver_stack.container.http.access_log import _without_user
from pypiserver_stack.container.http.conditions import wanted_range
from pypiserver_stack.container.http.negotiation import wants_json
from tests.growth import LINEAR, MORE, growth

SIZE = MAX_HEADERS_BYTES // MORE - 100


def read_part(headers: bytes) -> None:
    with suppress(MultipartError):
        list(read_form([b"--b\r\n" + headers + b"\r\n\r\n\r\n--b--"], b"b"))


def read_boundary(content_type: str) -> None:
    with suppress(MultipartError):
        boundary_of(content_type)


def filled(begin: bytes, piece: bytes, end: bytes) -> Callable[[int], bytes]:
    return lambda size: begin + piece * (size // len(piece)) + end


DISPOSITION = b'Content-Disposition: form-data; name="content"'


@pytest.mark.parametrize(
    "make",
    [
        filled(b"X:", b" ", b"\0"),
        filled(b"X:", b"\t ", b"\0"),
        filled(b"X", b"X", b""),
        filled(b"Content-Disposition: form-data", b" ", b""),
        filled(DISPOSITION, b"; ", b""),
        filled(DISPOSITION, b";", b""),
        filled(DISPOSITION + b";a", b" ", b""),
        filled(DISPOSITION + b";a=", b" ", b""),
        filled(DISPOSITION + b";", b"a", b""),
        filled(DISPOSITION, b';a="', b""),
        filled(DISPOSITION + b';a="', b"\\", b""),
        filled(DISPOSITION + b';a="', b'\\"', b""),
        filled(DISPOSITION + b';a="', b";a=", b""),
        filled(DISPOSITION + b"\r\nX: ", b"\r\nX: ", b"\0"),
    ],
)
def test_headers_of_a_part(make: Callable[[int], bytes]) -> None:
    assert growth(read_part, make, SIZE) < LINEAR
    assert growth(read_boundary, lambda size: make(size).decode("latin-1"), SIZE) < LINEAR


@pytest.mark.parametrize(
    "make",
    [
        filled(b"GET /", b"a", b""),
        filled(b"GET / HTTP/1.1\r\n", b"A", b""),
        filled(b"GET / HTTP/1.1\r\n", b"A:", b""),
        filled(b"GET / HTTP/1.1\r\nA:", b" ", b""),
        filled(b"GET / HTTP/1.1\r\n", b"A:\r\n", b"\0"),
        filled(b"GET / HTTP/1.1\r\n", b"A: b\r\n", b"\r\n\r\n"),
    ],
)
def test_the_head_of_a_request(make: Callable[[int], bytes]) -> None:
    assert growth(environ_of, make, SIZE) < LINEAR


@pytest.mark.parametrize("piece", ["/", "//", "@", "//@", "a", "//a", " ", ",", ";", ";q=", "=", "-", "bytes=", "1"])
def test_values_of_headers_and_paths(piece: str) -> None:
    readers: list[Callable[[str], object]] = [
        lambda text: _without_user(f"//{text} @"),
        wants_json.__wrapped__,
        basic_credentials,
        lambda text: basic_credentials(f"Basic {text}"),
        lambda text: wanted_range({"HTTP_RANGE": f"bytes={text}", "REQUEST_METHOD": "GET"}, 10, None),
    ]
    for read in readers:
        assert growth(read, lambda size: piece * (size // len(piece)), SIZE) < LINEAR
