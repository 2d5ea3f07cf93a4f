"""The pages of a simple index: HTML (PEP 503, PEP 592) and JSON (PEP 691)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

# The hash names that pip takes, in the order of preference where a listing gives several.
_DIGEST_ALGORITHMS = ("sha256", "sha512", "sha384", "sha224", "sha1", "md5")


class NotAListingError(Exception):
    """The page is not one, or names no wheel that an installer would take."""


@dataclass(frozen=True)
class ListedFile:
    """A file that a listing names."""

    filename: str
    reference: str
    """What leads to it, relative to the page, without the fragment."""
    algorithm: str = ""
    """The hash that the listing gives, as hashlib calls it; empty where it gives none."""
    digest: str = ""
    """In lower-case hexadecimal."""
    is_yanked: bool = False

    @property
    def sha256(self) -> str | None:
        """In hexadecimal; None where the listing gives none."""
        return self.digest if self.algorithm == "sha256" else None


def is_json(page: bytes) -> bool:
    """Whether a page is JSON: an index may answer with HTML whatever it was asked for."""
    return page.lstrip().startswith(b"{")


# While nothing changes, the same page comes again and again.
@lru_cache(maxsize=64)
def listed_files(page: bytes) -> tuple[ListedFile, ...]:
    """The files that the listing of a project names, in its order.

    Raises:
        NotAListingError: the page is neither HTML nor the JSON of PEP 691.
    """
    return tuple(_files_in_json(page) if is_json(page) else _files_in_html(page))


# Many clients read the same page: parsing it again for each would cost more than the request did.
@lru_cache(maxsize=1024)
def newest_wheel(page: bytes) -> ListedFile:
    """The wheel that an installer would take: the newest version, a pre-release only where there is nothing else.

    Raises:
        NotAListingError: the page names no wheel.
    """
    best: tuple[bool, Version] | None = None
    newest: ListedFile | None = None
    for file in listed_files.__wrapped__(page):
        version = None if file.is_yanked else _wheel_version(file.filename)
        if version is None:
            continue
        rank = (not version.is_prerelease, version)
        if best is None or rank > best:
            best, newest = rank, file
    if newest is None:
        raise NotAListingError("the page names no wheel")
    return newest


def project_names(page: bytes) -> tuple[str, ...]:
    """The projects that the root page of an index names.

    Raises:
        NotAListingError: the page is neither HTML nor the JSON of PEP 691.
    """
    if is_json(page):
        return tuple(str(project["name"]) for project in _items_in_json(page, "projects", "name"))
    paths = (_path_of(attributes["href"]).rstrip("/") for attributes in _parsed(page).anchors)
    return tuple(path.rsplit("/", 1)[-1] for path in paths if path)


def names_project(page: bytes, name: str) -> bool:
    """Whether the root page names a project, whose name nothing else on any page holds.

    The page is searched, not parsed: that of a large index takes seconds to parse.
    """
    return re.search(rb"(?<![\w.-])%s(?![\w.-])" % re.escape(name.encode("ascii")), page) is not None


def _files_in_json(page: bytes) -> Iterator[ListedFile]:
    for file in _items_in_json(page, "files", "filename", "url"):
        hashes = file.get("hashes")
        known = (
            {name: digest for name, digest in hashes.items() if isinstance(digest, str)}
            if isinstance(hashes, dict)
            else {}
        )
        algorithm = next((name for name in _DIGEST_ALGORITHMS if name in known), "")
        digest = known.get(algorithm, "").lower()
        is_yanked = file.get("yanked", False) is not False
        yield ListedFile(file["filename"], file["url"].partition("#")[0], algorithm, digest, is_yanked)


def _items_in_json(page: bytes, key: str, *names: str) -> list[dict[str, Any]]:
    """The objects in the array `key` of a page, each with a string for each of `names`."""
    try:
        items = json.loads(page)[key]
        if all(isinstance(item[name], str) for item in items for name in names):
            return list(items)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotAListingError("the page is not JSON of PEP 691") from error
    raise NotAListingError("the page is not JSON of PEP 691")


def _files_in_html(page: bytes) -> Iterator[ListedFile]:
    parsed = _parsed(page)
    for attributes in parsed.anchors:
        try:
            reference, _, fragment = urljoin(parsed.base, attributes["href"]).partition("#")
        except ValueError as error:
            raise NotAListingError("a link of the page is no URL") from error
        algorithm, _, digest = fragment.partition("=")
        if algorithm not in _DIGEST_ALGORITHMS:
            algorithm = digest = ""
        yield ListedFile(
            _path_of(reference).rsplit("/", 1)[-1],
            reference,
            algorithm,
            digest.partition("&")[0].lower(),
            is_yanked="data-yanked" in attributes,
        )


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.anchors: list[dict[str, str]] = []
        """The attributes of each link that leads anywhere."""
        self.is_html = False

    def handle_decl(self, decl: str) -> None:
        self.is_html |= decl.lower().startswith("doctype html")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_html |= tag in ("html", "body", "a")
        if tag not in ("a", "base"):
            return
        values = {name: (value or "").strip() for name, value in reversed(attrs)}
        if "href" not in values:
            return
        if tag == "a":
            self.anchors.append(values)
        elif not self.base:
            self.base = values["href"]


def _parsed(page: bytes) -> _Anchors:
    anchors = _Anchors()
    try:
        # Not closed: that would look for the ends of unfinished tags again and again, in quadratic time.
        anchors.feed(page.decode("utf-8", errors="replace"))
    except AssertionError as error:  # what html.parser raises for a marked section of an unknown kind
        raise NotAListingError("the page is not HTML") from error
    if not anchors.is_html:
        raise NotAListingError("the page is not HTML")
    return anchors


def _path_of(reference: str) -> str:
    return unquote(reference.partition("#")[0].partition("?")[0])


def _wheel_version(filename: str) -> Version | None:
    if not filename.endswith(".whl"):
        return None
    try:
        return parse_wheel_filename(filename)[1]
    except InvalidWheelFilename:
        return None
