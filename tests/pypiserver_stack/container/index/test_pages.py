"""The listings as clients read them."""

from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from urllib.parse import unquote_to_bytes, urldefrag, urljoin

import hypothesis.strategies as st
import pytest
from hypothesis import given
from pypiserver.pkg_helpers import normalize_pkgname

from pypiserver_stack.container.base.digests import Digests
from pypiserver_stack.container.index.directory import PackageEntry
from pypiserver_stack.container.index.pages import ListingPages, project_pages, root_pages

SHA256 = "ab" * 32
METADATA_SHA256 = "cd" * 32

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


def listed(*relfns: str, metadata_sha256: str | None = None) -> ListingPages:
    digests = Digests(SHA256, metadata_sha256)
    return project_pages("a", {PackageEntry(relfn, relfn.rpartition("/")[2], "a", "1.0"): digests for relfn in relfns})


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
    page = project_pages("<b>", {PackageEntry(name, name, "<b>", "1.0"): Digests(SHA256)}).html.body

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
    files = {PackageEntry(path, path, "a", version): Digests(SHA256) for path, version in versions.items()}

    pages = project_pages("a", files)

    ordered = ["a-old.zip", "a-1.9rc1.zip", "a-1.9.zip", "sub/a-1.9.zip", "a-1.9.post1.zip"]
    ordered += ["a-1.10.dev1.zip", "a-1.10.zip", "a-1!0.1.zip"]
    assert [text for _, text in anchors(pages)] == ordered
    assert [file["filename"] for file in json.loads(pages.json.body)["files"]] == ordered


def test_json_is_that_of_pep_691() -> None:
    assert json.loads(listed("a-1.0.zip").json.body) == {
        "meta": {"api-version": "1.0"},
        "name": "a",
        "files": [
            {"filename": "a-1.0.zip", "url": "../../packages/a-1.0.zip", "hashes": {"sha256": SHA256}},
        ],
    }
    assert json.loads(root_pages(["b", "a"]).json.body) == {
        "meta": {"api-version": "1.0"},
        "projects": [{"name": "a"}, {"name": "b"}],
    }


def test_metadata_is_offered_under_both_names_in_html_and_under_the_newer_one_in_json() -> None:
    """PEP 714: pip 22.3 to 23.1.2 crash on the older name in JSON."""
    pages = listed("a-1.0-py3-none-any.whl", metadata_sha256=METADATA_SHA256)
    ((attributes, _),) = anchors(pages)
    (file,) = json.loads(pages.json.body)["files"]

    for name in ("core-metadata", "dist-info-metadata"):
        assert attributes[f"data-{name}"] == f"sha256={METADATA_SHA256}"
    assert file["core-metadata"] == {"sha256": METADATA_SHA256}
    assert "dist-info-metadata" not in file


@pytest.mark.parametrize("form", ["html", "json"])
def test_a_tag_is_one_of_the_content(form: str) -> None:
    def tag(pages: ListingPages) -> str:
        found: str = getattr(pages, form).etag
        return found

    assert tag(listed("a-1.0.zip")) == tag(listed("a-1.0.zip"))
    assert tag(listed("a-1.0.zip")) != tag(listed("a-2.0.zip"))
    assert tag(listed("a-1.0.zip")) != tag(listed("a-1.0.zip", metadata_sha256=METADATA_SHA256))
    assert tag(listed("a-1.0.zip"))[0] == tag(listed("a-1.0.zip"))[-1] == '"'


def test_both_forms_have_their_types_and_tags_of_their_own() -> None:
    pages = listed("a-1.0.zip")

    assert pages.html.content_type == "text/html; charset=utf-8"
    assert pages.json.content_type == "application/vnd.pypi.simple.v1+json"
    assert pages.html.etag != pages.json.etag
