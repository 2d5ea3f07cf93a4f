"""HTML or JSON, compressed or not, by what real clients send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserver_stack.container.http.negotiation import accepts_gzip, wants_json

JSON = "application/vnd.pypi.simple.v1+json"


@pytest.mark.parametrize(
    "accept",
    [
        f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01",  # pip
        f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01",  # uv
        f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1, */*;q=0.01",
        JSON,
        JSON.upper(),
        "application/vnd.pypi.simple.latest+json",
    ],
)
def test_json_for_those_who_like_it_best(accept: str) -> None:
    assert wants_json(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/html",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        f"text/html, {JSON};q=0.5",
        f"{JSON};q=0",
        f"{JSON};q=much",
        "application/json",
    ],
)
def test_html_for_everybody_else(accept: str) -> None:
    assert not wants_json(accept)


@given(st.text(max_size=200))
def test_no_header_is_too_odd(accept: str) -> None:
    assert wants_json(accept) in (True, False)


@pytest.mark.parametrize(
    "accept_encoding",
    ["gzip, deflate", "gzip", "GZIP", "br;q=1.0, gzip;q=0.8, *;q=0.1", "*", "x-gzip", "deflate, gzip, zstd"],
)
def test_gzip_for_those_who_take_it(accept_encoding: str) -> None:
    assert accepts_gzip(accept_encoding)


@pytest.mark.parametrize("accept_encoding", ["", "identity", "br", "gzip;q=0", "*;q=0", "gzip;q=0, *", "gzipped"])
def test_nothing_is_compressed_for_others(accept_encoding: str) -> None:
    assert not accepts_gzip(accept_encoding)


@given(st.text(max_size=200))
def test_no_list_of_encodings_is_too_odd(accept_encoding: str) -> None:
    assert accepts_gzip(accept_encoding) in (True, False)
