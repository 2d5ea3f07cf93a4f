"""Who may change something: no page of another site, in whose name a browser would send its credentials."""

from __future__ import annotations

import pytest

from pypiserver_stack.container.http.cross_site import is_cross_site

HOST = {"HTTP_HOST": "pypi.example.com:8080"}


@pytest.mark.parametrize(
    "headers",
    [
        {},  # pip, uv, poetry, twine, curl
        {"HTTP_SEC_FETCH_SITE": "none"},
        {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ORIGIN": "http://pypi.example.com:8080"},
        {"HTTP_ORIGIN": "https://PyPI.example.com:8080"},
    ],
)
def test_the_index_itself_and_clients_that_are_no_browsers(headers: dict[str, str]) -> None:
    assert not is_cross_site(HOST | headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_SEC_FETCH_SITE": "Cross-Site", "HTTP_ORIGIN": "http://pypi.example.com:8080"},
        {"HTTP_ORIGIN": "http://evil.example"},
        {"HTTP_ORIGIN": "http://pypi.example.com"},
        {"HTTP_ORIGIN": "http://pypi.example.com:8080.evil.example"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": ""},
    ],
)
def test_pages_of_other_sites(headers: dict[str, str]) -> None:
    assert is_cross_site(HOST | headers)
