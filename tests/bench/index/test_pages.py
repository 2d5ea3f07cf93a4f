import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.index.pages import NotAListingError, WheelLink, newest_wheel, project_names


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
    assert newest_wheel(page(anchor(wheel("1.0") + fragment))) == WheelLink(reference, algorithm, digest)


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


@pytest.mark.parametrize("body", [b"", b"It works!", b'{"projects": []}', b"\xff\xfe\x00"])
def test_what_is_no_root_page(body: bytes) -> None:
    with pytest.raises(NotAListingError, match="not HTML"):
        project_names(body)
