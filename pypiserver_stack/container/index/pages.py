"""The listings: HTML (PEP 503) and JSON (PEP 691), with all that a client asks of a file before it downloads any.

That is digests, sizes and times of upload (PEP 700), the Python versions (PEP 345), digests of metadata (PEP 658 and
714), yanks (PEP 592) and signatures.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote

from pypiserver_stack.container.base.records import PackageRecord
from pypiserver_stack.container.base.versions import canonical_version, version_key
from pypiserver_stack.container.index.directory import PackageEntry
from pypiserver_stack.container.index.identities import Found

_HTML = "text/html; charset=utf-8"
_JSON = "application/vnd.pypi.simple.v1+json"
_API_VERSION = "1.1"
_META = {"api-version": _API_VERSION}
_SIGNATURE = ".asc"
# A page of fewer bytes fits into a packet or two anyway.
_COMPRESSED_FROM_BYTES = 1024
# On listings level 6 takes three times as long and saves 15 % more.
_COMPRESSION_LEVEL = 1


class ListingPage(NamedTuple):
    """A rendered listing; the entity tag is one of the content, in quotes."""

    body: bytes
    etag: str
    content_type: str
    gzip_body: bytes | None
    """The same, compressed; None for a short one."""

    @property
    def gzip_etag(self) -> str:
        """Another form of the content has a tag of its own (RFC 9110, section 8.8.3.3)."""
        return f'{self.etag[:-1]}-gzip"'

    @property
    def size_bytes(self) -> int:
        """What the page takes in memory."""
        return len(self.body) + len(self.gzip_body or b"")


class ListingPages(NamedTuple):
    """The same listing in both forms."""

    html: ListingPage
    json: ListingPage


class _ListedFile(NamedTuple):
    entry: PackageEntry
    record: PackageRecord
    yank_reason: str | None
    signed: bool


def project_pages(project: str, found: Found, yanked: Mapping[str, str]) -> ListingPages:
    """The listing of one project, oldest version first, without the files whose content is not known.

    Args:
        yanked: why packages were yanked, by their paths; a reason may be empty.
    """
    files = _listed_files(found, yanked)
    versions = dict.fromkeys(canonical_version(file.entry.version) for file in files if file.entry.version)
    content = {"meta": _META, "name": project, "versions": [*versions], "files": [_file(file) for file in files]}
    return ListingPages(_html(f"Links for {project}", [_anchor(file) for file in files]), _json(content))


def root_pages(projects: Iterable[str]) -> ListingPages:
    """The listing of all projects by their normalised names."""
    ordered = sorted(projects)
    return ListingPages(
        _html("Simple Index", [f'        <a href="{quoted(name)}/">{escape(name)}</a><br>' for name in ordered]),
        _json({"meta": _META, "projects": [{"name": name} for name in ordered]}),
    )


def packages_page(relfns: Iterable[str]) -> ListingPage:
    """The page of all files, by their paths: without digests, for which each would have to be read."""
    return _html(
        "Index of packages", [f'        <a href="{quoted(path)}">{escape(path)}</a><br>' for path in sorted(relfns)]
    )


def _listed_files(found: Found, yanked: Mapping[str, str]) -> list[_ListedFile]:
    signatures = {entry.relfn for entry in found if entry.relfn.endswith(_SIGNATURE)}
    files = [
        _ListedFile(entry, record, yanked.get(entry.relfn), f"{entry.relfn}{_SIGNATURE}" in signatures)
        for entry, record in found.items()
        if record and entry.relfn not in signatures
    ]
    return sorted(files, key=lambda file: (version_key(file.entry.version), file.entry.relfn))


def _html(title: str, anchors: Sequence[str]) -> ListingPage:
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "    <head>",
        '        <meta charset="utf-8">',
        '        <meta name="viewport" content="width=device-width, initial-scale=1">',
        f'        <meta name="pypi:repository-version" content="{_API_VERSION}">',
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
    compressed = _gzipped(body) if len(body) > _COMPRESSED_FROM_BYTES else None
    return ListingPage(body, f'"{hashlib.sha256(body).hexdigest()}"', content_type, compressed)


def _gzipped(body: bytes) -> bytes:
    # Not by the module gzip, whose headers differ between versions of Python: equal tags promise equal bytes.
    compressor = zlib.compressobj(_COMPRESSION_LEVEL, wbits=31)
    return compressor.compress(body) + compressor.flush()


def _anchor(file: _ListedFile) -> str:
    attributes = {"href": f"{_url(file.entry)}#sha256={file.record.sha256}"}
    if file.record.requires_python:
        attributes["data-requires-python"] = file.record.requires_python
    if file.record.metadata_sha256:
        # The name of PEP 714, and that of PEP 658 for older clients.
        attributes["data-core-metadata"] = attributes["data-dist-info-metadata"] = (
            f"sha256={file.record.metadata_sha256}"
        )
    if file.yank_reason is not None:
        attributes["data-yanked"] = file.yank_reason
    if file.signed:
        attributes["data-gpg-sig"] = "true"
    written = " ".join([f'{name}="{escape(value)}"' for name, value in attributes.items()])
    return f"        <a {written}>{escape(file.entry.name)}</a><br>"


def _file(file: _ListedFile) -> dict[str, Any]:
    entry, record = file.entry, file.record
    listed: dict[str, Any] = {
        "filename": entry.name,
        "url": _url(entry),
        "hashes": {"sha256": record.sha256},
        "size": record.size_bytes,
    }
    if upload_time := _time(record.upload_time_ns):
        listed["upload-time"] = upload_time
    if record.requires_python:
        listed["requires-python"] = record.requires_python
    if record.metadata_sha256:
        # Not under the name of PEP 658 as well: pip 22.3 to 23.1.2 crash on it in JSON (PEP 714).
        listed["core-metadata"] = {"sha256": record.metadata_sha256}
    if file.yank_reason is not None:
        listed["yanked"] = file.yank_reason or True
    if file.signed:
        listed["gpg-sig"] = True
    return listed


def _time(since_epoch_ns: int) -> str | None:
    """As PEP 700 has it; None for a time stamp beyond the calendar, which a file system may hold."""
    try:
        time = datetime(1970, 1, 1) + timedelta(microseconds=since_epoch_ns // 1000)
    except OverflowError:
        return None
    return f"{time.isoformat(timespec='microseconds')}Z"


def _url(entry: PackageEntry) -> str:
    return f"../../packages/{quoted(entry.relfn)}"


def quoted(path: str) -> str:
    """A path as URLs have it."""
    return quote(path, safe="/+!~")
