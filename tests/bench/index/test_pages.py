"""What the pages of an index show, however they are written."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.index.pages import (
    ListedFile,
    NotAListingError,
    is_json,
    listed_files,
    names_project,
    newest_wheel,
    project_names,
)


def page(*anchors: str, head: str = "") -> bytes:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{''.join(anchors)}</body></html>".encode()


def anchor(file_name: str, attributes: str = "") -> str:
    return f'<a href="../../packages/{file_name}" {attributes}>{file_name}</a><br>'


def wheel(version: str) -> str:
    return f"alpha-{version}-py3-none-any.whl"


@pytest.mark.parametrize(
    ("versions", "newest"),
    [
        (["1.0.0", "1.1.0", "2.0.0"], "2.0.0"),
        (["1.9.0", "1.10.0"], "1.10.0"),
        (["1.0", "2.0rc1"], "1.0"),
        (["2.0.dev1", "2.0rc1"], "2.0rc1"),
        (["1.0", "1.0.post1"], "1.0.post1"),
        (["9.0", "1!0.1"], "1!0.1"),
    ],
)
def test_the_newest_is_the_newest_by_version_in_whatever_order_they_are_listed(
    versions: list[str], newest: str
) -> None:
    for order in itertools.permutations(versions):
        link = newest_wheel(page(*(anchor(wheel(version)) for version in order)))
        assert link.reference == f"../../packages/{wheel(newest)}"


def test_what_an_installer_would_not_take_is_passed_over() -> None:
    link = newest_wheel(
        page(
            anchor(wheel("1.0")),
            anchor(wheel("2.0"), 'data-yanked="broken"'),
            anchor(wheel("3.0"), "data-yanked"),
            anchor("alpha-4.0.tar.gz"),
            anchor("not-a-version-py3-none-any.whl"),
            "<a>no link</a>",
            "<!-- " + anchor(wheel("5.0")) + " -->",
        )
    )
    assert link.reference.endswith(wheel("1.0"))


@pytest.mark.parametrize(
    ("fragment", "algorithm", "digest"),
    [
        ("", "", ""),
        ("#sha256=ABCDEF", "sha256", "abcdef"),
        ("#md5=00ff", "md5", "00ff"),
        ("#sha256=abcd&amp;subdirectory=x", "sha256", "abcd"),
        ("#crc32=abcd", "", ""),
        ("#egg", "", ""),
    ],
)
def test_the_digest_of_the_fragment(fragment: str, algorithm: str, digest: str) -> None:
    reference = f"../../packages/{wheel('1.0')}"
    link = newest_wheel(page(anchor(wheel("1.0") + fragment)))
    assert link == ListedFile(wheel("1.0"), reference, algorithm, digest)


def test_links_are_read_as_html() -> None:
    assert newest_wheel(b"<A data-requires-python='>=3.8' HREF=/p/alpha&#45;1.0-py3-none-any.whl>").reference == (
        "/p/alpha-1.0-py3-none-any.whl"
    )
    based = page('<a href="alpha-1.0-py3-none-any.whl">', head='<base href="https://files.example/p/">')
    assert newest_wheel(based).reference == "https://files.example/p/alpha-1.0-py3-none-any.whl"
    escaped = page('<a href="/p/alpha-1.0%2Blocal-py3-none-any.whl">')
    assert newest_wheel(escaped).reference == "/p/alpha-1.0%2Blocal-py3-none-any.whl"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\x00 garbage",
        b'{"files": []}',
        b"<![unknown[<a href=alpha-1.0-py3-none-any.whl>",
        page(),
        page(anchor("alpha-1.0.tar.gz")),
        page(anchor(wheel("1.0")), head='<base href="http://[/">'),
    ],
)
def test_a_page_of_no_use(body: bytes) -> None:
    with pytest.raises(NotAListingError):
        newest_wheel(body)


@given(st.binary())
def test_any_bytes_are_a_listing_or_not(body: bytes) -> None:
    with contextlib.suppress(NotAListingError):
        newest_wheel(body)


def test_the_projects_of_a_root_page() -> None:
    root = page('<a href="alpha/">alpha</a>', '<a href="/simple/beta-gamma/">beta</a>', '<a href="">none</a>')
    assert project_names(root) == ("alpha", "beta-gamma")
    assert project_names(page()) == ()
    assert project_names(b"<html></html>") == ()
    assert project_names(b'{"meta": {}, "projects": [{"name": "alpha"}, {"name": "beta-gamma"}]}') == (
        "alpha",
        "beta-gamma",
    )
    assert project_names(b'{"projects": []}') == ()


@pytest.mark.parametrize("body", [b"", b"It works!", b"\xff\xfe\x00"])
def test_what_is_no_root_page(body: bytes) -> None:
    with pytest.raises(NotAListingError, match="not HTML"):
        project_names(body)


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"files": []}', b'{"projects": [{}]}', b'{"projects": [{"name": 1}]}'])
def test_what_is_no_root_page_in_json(body: bytes) -> None:
    with pytest.raises(NotAListingError, match="not JSON"):
        project_names(body)


# Listings, as HTML and as JSON.

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
    assert listed_files(HTML) == (
        ListedFile("x-0.0.1-py3-none-any.whl", "../../packages/x-0.0.1-py3-none-any.whl", "sha256", "abcd"),
        ListedFile("x-0.0.2+local-py3-none-any.whl", "/packages/x-0.0.2%2Blocal-py3-none-any.whl", "md5", "12"),
        ListedFile("x-0.0.3-py3-none-any.whl", "x-0.0.3-py3-none-any.whl"),
    )
    assert [file.sha256 for file in listed_files(HTML)] == ["abcd", None, None]


def test_json() -> None:
    assert is_json(JSON)
    assert listed_files(JSON) == (
        ListedFile("x-0.0.1-py3-none-any.whl", "../../packages/x-0.0.1-py3-none-any.whl", "sha256", "abcd"),
        ListedFile("x-0.0.2-py3-none-any.whl", "https://files.example/x", is_yanked=True),
    )
    assert newest_wheel(JSON).filename == "x-0.0.1-py3-none-any.whl"


@pytest.mark.parametrize(
    ("hashes", "algorithm"),
    [
        ('{"sha256": "1", "sha512": "2"}', "sha256"),
        ('{"md5": "1", "sha384": "2"}', "sha384"),
        ('{"crc32": "1"}', ""),
        ("null", ""),
    ],
)
def test_the_best_of_several_digests(hashes: str, algorithm: str) -> None:
    (file,) = listed_files(b'{"files": [{"filename": "x", "url": "x", "hashes": %s}]}' % hashes.encode())
    assert file.algorithm == algorithm


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"busy",
        b"\x00\xff",
        b"{}",
        b'{"files": 1}',
        b'{"files": [1]}',
        b'{"files": [{"url": "x"}]}',
        b"{",
        b'{"a":' * 9,
    ],
)
def test_what_is_no_listing_is_told_from_an_empty_one(page: bytes) -> None:
    assert listed_files(b"<!DOCTYPE html><html><body></body></html>") == ()
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
