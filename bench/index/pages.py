"""Reading the pages of a simple index (PEP 503, and PEP 592 for yanked files)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

# The hash names that pip takes in the fragment of a link, the strongest last.
_DIGEST_ALGORITHMS = ("md5", "sha1", "sha224", "sha384", "sha256", "sha512")


class NotAListingError(Exception):
    """The page is not one, or names no wheel that an installer would take."""


@dataclass(frozen=True)
class WheelLink:
    """A wheel that a listing names."""

    reference: str
    """What leads to it, relative to the page, without the fragment."""
    algorithm: str
    """The hash that the listing gives, as hashlib calls it; empty where it gives none."""
    digest: str
    """In lower-case hexadecimal."""


@dataclass(frozen=True)
class _Anchor:
    reference: str
    yanked: bool


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.anchors: list[_Anchor] = []
        self.is_html = False

    def handle_decl(self, decl: str) -> None:
        self.is_html |= decl.lower().startswith("doctype html")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_html |= tag in ("html", "body", "a")
        if tag not in ("a", "base"):
            return
        values = dict(reversed(attrs))
        reference = values.get("href")
        if reference is None:
            return
        if tag == "a":
            self.anchors.append(_Anchor(reference.strip(), yanked="data-yanked" in values))
        elif not self.base:
            self.base = reference.strip()


def _anchors(page: bytes) -> _Anchors:
    anchors = _Anchors()
    try:
        # Not closed: that would look for the ends of unfinished tags again and again, in quadratic time.
        anchors.feed(page.decode("utf-8", errors="replace"))
    except AssertionError as error:  # what html.parser raises for a marked section of an unknown kind
        raise NotAListingError("the page is not HTML") from error
    return anchors


def _path_of(reference: str) -> str:
    return unquote(reference.partition("#")[0].partition("?")[0])


def project_names(page: bytes) -> tuple[str, ...]:
    """The projects that the root page of an index names.

    Raises:
        NotAListingError: the page is not HTML.
    """
    found = _anchors(page)
    if not found.is_html:
        raise NotAListingError("the page is not HTML")
    paths = (_path_of(anchor.reference).rstrip("/") for anchor in found.anchors)
    return tuple(path.rsplit("/", 1)[-1] for path in paths if path)


# Many clients read the same page: parsing it again for each would cost more than the request did.
@lru_cache(maxsize=1024)
def newest_wheel(page: bytes) -> WheelLink:
    """The wheel that an installer would take: the newest version, a pre-release only where there is nothing else.

    Raises:
        NotAListingError: the page names no wheel.
    """
    found = _anchors(page)
    best: tuple[bool, Version] | None = None
    chosen = ""
    for anchor in found.anchors:
        if anchor.yanked:
            continue
        version = _wheel_version(anchor.reference)
        if version is None:
            continue
        rank = (not version.is_prerelease, version)
        if best is None or rank > best:
            best, chosen = rank, anchor.reference
    if best is None:
        raise NotAListingError("the page names no wheel")
    try:
        reference, _, fragment = urljoin(found.base, chosen).partition("#")
    except ValueError as error:
        raise NotAListingError("the base of the page is no URL") from error
    algorithm, _, digest = fragment.partition("=")
    if algorithm not in _DIGEST_ALGORITHMS:
        algorithm = digest = ""
    return WheelLink(reference, algorithm, digest.partition("&")[0].lower())


def _wheel_version(reference: str) -> Version | None:
    file_name = _path_of(reference).rsplit("/", 1)[-1]
    if not file_name.endswith(".whl"):
        return None
    try:
        return parse_wheel_filename(file_name)[1]
    except InvalidWheelFilename:
        return None
