"""What the pages of an index show, however they are written."""

from __future__ import annotations

import pytest

from bench.index.listed_files import Link, is_json, listed_files, names_project
from bench.index.pages import NotAListingError

HTML = b"""<!DOCTYPE html><html><body>
<a href="../../packages/x-0.0.1-py3-none-any.whl#sha256=ABCD" data-requires-python="&gt;=3.8">x</a>
<a href="/packages/x-0.0.2%2Blocal-py3-none-any.whl#md5=12">x</a>
<a href='x-0.0.3-py3-none-any.whl'>x</a><a name="nowhere">x</a></body></html>"""
JSON = b"""{"meta": {"api-version": "1.1"}, "name": "x", "files": [
{"filename": "x-0.0.1-py3-none-any.whl", "url": "../../packages/x-0.0.1-py3-none-any.whl",
"hashes": {"sha256": "abcd"}},
{"filename": "x-0.0.2-py3-none-any.whl", "url": "https://files.example/x", "hashes": {}, "yanked": true}]}"""


def test_html() -> None:
    assert not is_json(HTML)
    assert listed_files(HTML) == {
        "x-0.0.1-py3-none-any.whl": Link("../../packages/x-0.0.1-py3-none-any.whl", "abcd"),
        "x-0.0.2+local-py3-none-any.whl": Link("/packages/x-0.0.2%2Blocal-py3-none-any.whl", None),
        "x-0.0.3-py3-none-any.whl": Link("x-0.0.3-py3-none-any.whl", None),
    }


def test_json() -> None:
    assert is_json(JSON)
    assert listed_files(JSON) == {
        "x-0.0.1-py3-none-any.whl": Link("../../packages/x-0.0.1-py3-none-any.whl", "abcd"),
        "x-0.0.2-py3-none-any.whl": Link("https://files.example/x", None),
    }


@pytest.mark.parametrize(
    "page",
    [b"", b"busy", b"\x00\xff", b"{}", b'{"files": 1}', b'{"files": [1]}', b'{"files": [{"url": "x"}]}', b"{"],
)
def test_what_is_no_listing_is_told_from_an_empty_one(page: bytes) -> None:
    assert listed_files(b"<!DOCTYPE html><html><body></body></html>") == {}
    with pytest.raises(NotAListingError):
        listed_files(page)


@pytest.mark.parametrize(
    ("page", "named"),
    [
        (b'<a href="/simple/bench-x-000/">bench-x-000</a>', True),
        (b"<a href=bench-x-000/>Bench_X_000</a>", True),
        (b'{"projects": [{"name": "bench-x-000"}]}', True),
        (b'<a href="bench-x-0001/">bench-x-0001</a>', False),
        (b'<a href="a-bench-x-000/">a-bench-x-000</a>', False),
        (b"<!DOCTYPE html>", False),
    ],
)
def test_the_index_page_names_a_project_or_does_not(page: bytes, named: bool) -> None:
    assert names_project(page, "bench-x-000") is named
