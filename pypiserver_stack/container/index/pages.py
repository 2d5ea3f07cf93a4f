"""The listings: HTML as pypiserver writes it (PEP 503), JSON (PEP 691), digests of metadata (PEP 658 and 714)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote

from pypiserver_stack.container.base.digests import Digests
from pypiserver_stack.container.base.releases import version_key
from pypiserver_stack.container.index.directory import PackageEntry

_HTML = "text/html; charset=utf-8"
_JSON = "application/vnd.pypi.simple.v1+json"
_META = {"api-version": "1.0"}


class ListingPage(NamedTuple):
    """A rendered listing; the entity tag is one of the content, in quotes."""

    body: bytes
    etag: str
    content_type: str


class ListingPages(NamedTuple):
    """The same listing in both forms."""

    html: ListingPage
    json: ListingPage


def project_pages(project: str, found: Mapping[PackageEntry, Digests | None]) -> ListingPages:
    """The listing of one project, oldest version first, without the files whose digests are not known."""
    files = [(entry, digests) for entry, digests in found.items() if digests]
    ordered = sorted(files, key=lambda file: (version_key(file[0].version), file[0].relfn))
    return ListingPages(
        _html(f"Links for {project}", [_anchor(entry, digests) for entry, digests in ordered]),
        _json({"meta": _META, "name": project, "files": [_file(entry, digests) for entry, digests in ordered]}),
    )


def root_pages(projects: Iterable[str]) -> ListingPages:
    """The listing of all projects by their normalised names."""
    ordered = sorted(projects)
    return ListingPages(
        _html("Simple Index", [f'        <a href="{quoted(name)}/">{escape(name)}</a><br>' for name in ordered]),
        _json({"meta": _META, "projects": [{"name": name} for name in ordered]}),
    )


def _html(title: str, anchors: Sequence[str]) -> ListingPage:
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "    <head>",
        '        <meta charset="utf-8">',
        '        <meta name="viewport" content="width=device-width, initial-scale=1">',
        f"        <title>{escape(title)}</title>",
        "    </head>",
        "    <body>",
        f"        <h1>{escape(title)}</h1>",
        *anchors,
        "    </body>",
        "</html>",
        "",
    ]
    return _page("\n".join(lines).encode(), _HTML)


def _json(content: dict[str, Any]) -> ListingPage:
    return _page(json.dumps(content, separators=(",", ":")).encode(), _JSON)


def _page(body: bytes, content_type: str) -> ListingPage:
    return ListingPage(body, f'"{hashlib.sha256(body).hexdigest()}"', content_type)


def _anchor(entry: PackageEntry, digests: Digests) -> str:
    metadata = ""
    if digests.metadata_sha256:
        # The name of PEP 714, and that of PEP 658 for older clients.
        names = ("core-metadata", "dist-info-metadata")
        metadata = "".join(f' data-{name}="sha256={digests.metadata_sha256}"' for name in names)
    return f'        <a href="{_url(entry)}#sha256={digests.sha256}"{metadata}>{escape(entry.name)}</a><br>'


def _file(entry: PackageEntry, digests: Digests) -> dict[str, Any]:
    file: dict[str, Any] = {"filename": entry.name, "url": _url(entry), "hashes": {"sha256": digests.sha256}}
    if digests.metadata_sha256:
        # Not under the name of PEP 658 as well: pip 22.3 to 23.1.2 crash on it in JSON (PEP 714).
        file["core-metadata"] = {"sha256": digests.metadata_sha256}
    return file


def _url(entry: PackageEntry) -> str:
    return f"../../packages/{quoted(entry.relfn)}"


def quoted(path: str) -> str:
    """A path as URLs have it."""
    return quote(path, safe="/+!~")
