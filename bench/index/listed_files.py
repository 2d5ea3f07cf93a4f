"""What the pages of an index show of the check's packages: PEP 503 (HTML) and PEP 691 (JSON)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

from bench.index.pages import NotAListingError


@dataclass(frozen=True)
class Link:
    """A file that a listing names."""

    url: str
    """As the page gives it, without fragment; may be relative to the page."""
    sha256: str | None
    """In hexadecimal; None where the listing gives none."""


def is_json(page: bytes) -> bool:
    """Whether a page is JSON: an index may answer with HTML whatever it was asked for."""
    return page.lstrip().startswith(b"{")


# While nothing changes, the same page comes again and again.
@lru_cache(maxsize=64)
def listed_files(page: bytes) -> dict[str, Link]:
    """The files of a project's listing, by file name. The result is shared: not to be changed.

    Raises:
        NotAListingError: the page is neither HTML nor the JSON of PEP 691.
    """
    return _listed_in_json(page) if is_json(page) else _listed_in_html(page)


def names_project(page: bytes, name: str) -> bool:
    """Whether the index page names a project, whose name nothing else on any page holds.

    The page is searched, not parsed: that of a large index takes seconds to parse.
    """
    return re.search(rb"(?<![\w.-])%s(?![\w.-])" % re.escape(name.encode("ascii")), page) is not None


def _listed_in_json(page: bytes) -> dict[str, Link]:
    try:
        files: list[dict[str, Any]] = json.loads(page)["files"]
        return {file["filename"]: Link(file["url"], file["hashes"].get("sha256")) for file in files}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAListingError("the page is not JSON of PEP 691") from error


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.is_html = False
        self.references: list[str] = []

    def handle_decl(self, decl: str) -> None:
        self.is_html |= decl.lower().startswith("doctype html")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_html |= tag in ("html", "body", "a")
        if tag == "a" and (reference := dict(attrs).get("href")):
            self.references.append(reference.strip())


def _listed_in_html(page: bytes) -> dict[str, Link]:
    anchors = _Anchors()
    try:
        # Not closed: that would look for the ends of unfinished tags again and again, in quadratic time.
        anchors.feed(page.decode("utf-8", errors="replace"))
    except AssertionError as error:  # what html.parser raises for a marked section of an unknown kind
        raise NotAListingError("the page is not HTML") from error
    if not anchors.is_html:
        raise NotAListingError("the page is not HTML")
    files = {}
    for reference in anchors.references:
        url, fragment = urldefrag(reference)
        algorithm, _, digest = fragment.partition("=")
        filename = unquote(urlsplit(url).path.rpartition("/")[2])
        files[filename] = Link(url, digest.lower() if algorithm == "sha256" else None)
    return files
