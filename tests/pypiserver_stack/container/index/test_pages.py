"""The listings as clients read them."""

from __future__ import annotations

import gzip
import json
import os
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import unquote_to_bytes, urldefrag, urljoin

import hypothesis.strategies as st
import pytest
from hypothesis import given
from pypiserver.pkg_helpers import normalize_pkgname

from pypiserver_stack.container.base.records import PackageRecord
from pypiserver_stack.container.index.directory import PackageEntry
from pypiserver_stack.container.index.pages import ListingPages, project_pages, root_pages

SHA256 = "ab" * 32
METADATA_SHA256 = "cd" * 32
UPLOAD_TIME_NS = 1_700_000_000_123_456_789
RECORD = PackageRecord(SHA256, 1234, UPLOAD_TIME_NS)

# What the index lists of what a file system allows in a name.
NAMES = st.from_regex(r"[^/\0]{1,20}", fullmatch=True).filter(
    lambda name: name.isprintable() and name not in (".", "..")
)
PROJECTS = NAMES.map(normalize_pkgname)


class Anchors(HTMLParser):
    """The attributes and the text of each link."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.found: list[tuple[dict[str, str | None], str]] = []
        self._open = False
        self.feed(body.decode())
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._open = tag == "a"
        if self._open:
            self.found.append((dict(attributes), ""))

    def handle_data(self, data: str) -> None:
        if self._open:
            attributes, text = self.found[-1]
            self.found[-1] = (attributes, text + data)

    def handle_endtag(self, tag: str) -> None:
        self._open = False


def anchors(pages: ListingPages) -> list[tuple[dict[str, str | None], str]]:
    return Anchors(pages.html.body).found


def entry(relfn: str, version: str = "1.0") -> PackageEntry:
    folder, _, name = relfn.rpartition("/")
    return PackageEntry(folder, name, "a", version)


def listed(*relfns: str, record: PackageRecord = RECORD, yanked: dict[str, str] | None = None) -> ListingPages:
    return project_pages("a", {entry(relfn): record for relfn in relfns}, yanked or {})


@given(name=NAMES)
def test_links_lead_to_the_file_whatever_its_name(name: str) -> None:
    pages = listed(f"sub folder/{name}")
    ((attributes, text),) = anchors(pages)
    (file,) = json.loads(pages.json.body)["files"]

    for link, fragment in ((attributes["href"], f"sha256={SHA256}"), (file["url"], "")):
        url, found_fragment = urldefrag(urljoin("http://host/simple/a/", str(link)))
        assert unquote_to_bytes(url) == b"http://host/packages/sub folder/" + os.fsencode(name)
        assert found_fragment == fragment
    assert file["filename"] == name
    assert text == name


@given(project=PROJECTS)
def test_links_lead_to_the_project_whatever_its_name(project: str) -> None:
    pages = root_pages([project])
    ((attributes, _),) = anchors(pages)

    url = urljoin("http://host/simple/", str(attributes["href"]))
    assert unquote_to_bytes(url) == b"http://host/simple/" + os.fsencode(project) + b"/"
    assert json.loads(pages.json.body)["projects"] == [{"name": project}]


def test_names_cannot_break_out_of_the_page() -> None:
    name = '<script>alert("1")</script>&\'-1.0.zip'.replace("/", "")
    page = project_pages("<b>", {PackageEntry("", name, "<b>", "1.0"): RECORD}, {}).html.body

    assert b"<script>" not in page
    assert b"<b>" not in page
    assert b"&lt;script&gt;alert(&quot;1&quot;)" in page


def test_files_are_in_order_of_version_then_path() -> None:
    versions = {
        "a-1.10.zip": "1.10",
        "a-1.9.zip": "1.9",
        "sub/a-1.9.zip": "1.9",
        "a-1.9rc1.zip": "1.9rc1",
        "a-1!0.1.zip": "1!0.1",
        "a-1.9.post1.zip": "1.9.post1",
        "a-1.10.dev1.zip": "1.10.dev1",
        "a-old.zip": "old",
    }
    pages = project_pages("a", {entry(path, version): RECORD for path, version in versions.items()}, {})

    ordered = ["a-old.zip", "a-1.9rc1.zip", "a-1.9.zip", "sub/a-1.9.zip", "a-1.9.post1.zip"]
    ordered += ["a-1.10.dev1.zip", "a-1.10.zip", "a-1!0.1.zip"]
    content = json.loads(pages.json.body)
    assert [str(attributes["href"]).partition("#")[0] for attributes, _ in anchors(pages)] == [
        file["url"] for file in content["files"]
    ]
    assert [file["url"] for file in content["files"]] == [f"../../packages/{path}" for path in ordered]
    assert content["versions"] == ["old", "1.9rc1", "1.9", "1.9.post1", "1.10.dev1", "1.10", "1!0.1"]


def test_json_is_that_of_pep_700() -> None:
    assert json.loads(listed("a-1.0.zip").json.body) == {
        "meta": {"api-version": "1.1"},
        "name": "a",
        "versions": ["1.0"],
        "files": [
            {
                "filename": "a-1.0.zip",
                "url": "../../packages/a-1.0.zip",
                "hashes": {"sha256": SHA256},
                "size": 1234,
                "upload-time": "2023-11-14T22:13:20.123456Z",
            },
        ],
    }
    assert json.loads(root_pages(["b", "a"]).json.body) == {
        "meta": {"api-version": "1.1"},
        "projects": [{"name": "a"}, {"name": "b"}],
    }


def test_html_says_which_version_of_the_format_it_has() -> None:
    for page in (listed("a-1.0.zip").html, root_pages([]).html):
        assert b'<meta name="pypi:repository-version" content="1.1">' in page.body


@pytest.mark.parametrize(
    ("time_ns", "expected"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (253_402_300_799_999_999_999, "9999-12-31T23:59:59.999999Z"),
        (253_402_300_800_000_000_000, None),
        (-(2**63), "1677-09-21T00:12:43.145224Z"),
        (2**80, None),
    ],
)
def test_a_time_of_upload_is_in_microseconds_and_left_out_where_no_calendar_has_it(
    time_ns: int, expected: str | None
) -> None:
    (file,) = json.loads(listed("a-1.0.zip", record=RECORD._replace(upload_time_ns=time_ns)).json.body)["files"]
    assert file.get("upload-time") == expected


def test_versions_are_spelled_as_pep_440_has_them_and_each_once() -> None:
    versions = {
        "a-1.0.zip": "1.0",
        "a-v1.0.tar.gz": "v1.0",
        "a-2.0-RC1.zip": "2.0-RC1",
        "a-old.zip": "old",
        "a.zip": "",
    }
    pages = project_pages("a", {entry(path, version): RECORD for path, version in versions.items()}, {})
    assert json.loads(pages.json.body)["versions"] == ["old", "1.0", "2.0rc1"]


def test_metadata_is_offered_under_both_names_in_html_and_under_the_newer_one_in_json() -> None:
    """PEP 714: pip 22.3 to 23.1.2 crash on the older name in JSON."""
    pages = listed("a-1.0-py3-none-any.whl", record=RECORD._replace(metadata_sha256=METADATA_SHA256))
    ((attributes, _),) = anchors(pages)
    (file,) = json.loads(pages.json.body)["files"]

    for name in ("core-metadata", "dist-info-metadata"):
        assert attributes[f"data-{name}"] == f"sha256={METADATA_SHA256}"
    assert file["core-metadata"] == {"sha256": METADATA_SHA256}
    assert "dist-info-metadata" not in file


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


@given(python=TEXTS.filter(bool), reason=st.none() | TEXTS, signed=st.booleans(), metadata=st.booleans())
def test_html_and_json_say_the_same(python: str, reason: str | None, signed: bool, metadata: bool) -> None:
    record = RECORD._replace(requires_python=python, metadata_sha256=METADATA_SHA256 if metadata else None)
    names = ["a-1.0.zip", "a-1.0.zip.asc"] if signed else ["a-1.0.zip"]

    pages = listed(*names, record=record, yanked={} if reason is None else {"a-1.0.zip": reason})

    ((attributes, text),) = anchors(pages)
    (file,) = json.loads(pages.json.body)["files"]
    assert text == file["filename"] == "a-1.0.zip"
    # A parser of HTML reads one kind of line break, and no NUL.
    assert attributes.get("data-requires-python") == as_html_has_it(file["requires-python"])
    assert ("data-yanked" in attributes) == ("yanked" in file) == (reason is not None)
    if reason is not None:
        assert attributes["data-yanked"] == as_html_has_it("" if file["yanked"] is True else file["yanked"])
    assert (attributes.get("data-gpg-sig") == "true") == file.get("gpg-sig", False) == signed
    assert ("data-core-metadata" in attributes) == ("core-metadata" in file) == metadata


def as_html_has_it(text: str) -> str:
    return unescape(escape(text))


def test_signatures_of_no_listed_package_are_not_listed() -> None:
    pages = listed("sub/a-1.0.zip", "a-1.0.zip.asc")
    ((attributes, text),) = anchors(pages)
    assert text == "a-1.0.zip"
    assert "data-gpg-sig" not in attributes


@pytest.mark.parametrize("form", ["html", "json"])
def test_a_long_page_is_compressed_and_has_a_tag_for_that(form: str) -> None:
    short = getattr(listed("a-1.0.zip"), form)
    long = getattr(listed(*(f"a-1.{number}.zip" for number in range(100))), form)

    assert short.gzip_body is None
    assert gzip.decompress(long.gzip_body) == long.body
    assert len(long.gzip_body) < len(long.body) / 3
    assert long.gzip_etag == long.etag[:-1] + '-gzip"'


@pytest.mark.parametrize("form", ["html", "json"])
def test_a_tag_is_one_of_the_content(form: str) -> None:
    def tag(pages: ListingPages) -> str:
        found: str = getattr(pages, form).etag
        return found

    assert tag(listed("a-1.0.zip")) == tag(listed("a-1.0.zip"))
    assert tag(listed("a-1.0.zip")) != tag(listed("a-2.0.zip"))
    assert tag(listed("a-1.0.zip")) != tag(listed("a-1.0.zip", record=RECORD._replace(metadata_sha256=METADATA_SHA256)))
    assert tag(listed("a-1.0.zip")) != tag(listed("a-1.0.zip", yanked={"a-1.0.zip": ""}))
    assert tag(listed("a-1.0.zip"))[0] == tag(listed("a-1.0.zip"))[-1] == '"'


def test_both_forms_have_their_types_and_tags_of_their_own() -> None:
    pages = listed("a-1.0.zip")

    assert pages.html.content_type == "text/html; charset=utf-8"
    assert pages.json.content_type == "application/vnd.pypi.simple.v1+json"
    assert pages.html.etag != pages.json.etag
