"""Downloads of package files and their metadata, in the state that the index lists and in no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pypiserver_stack.container.base.offload import offload
from pypiserver_stack.container.base.records import FileKey
from pypiserver_stack.container.base.system_calls import GONE
from pypiserver_stack.container.http.conditions import fails_precondition, is_unchanged, wanted_range
from pypiserver_stack.container.http.response import Environ, Headers, HttpResponse, text
from pypiserver_stack.container.index.directory import PackageEntry
from pypiserver_stack.container.index.looks import IndexUnavailableError
from pypiserver_stack.container.index.package_index import PackageIndex

# Read in the call that opens a file, to leave in one send with the head. Above it, not copying pays for another call.
FIRST_BYTES = 64 * 1024
_TYPE = ("Content-Type", "application/octet-stream")
_KEEP = ("Cache-Control", "private, max-age=31536000, immutable")
# For a cache that keeps what each credential was sent apart. Any other still may not keep it: the request had an
# Authorization header, and neither "public" nor "s-maxage" says otherwise (RFC 9111, section 3.5).
_KEEP_SHARED = ("Cache-Control", "max-age=31536000, immutable")
_ASK_AGAIN = ("Cache-Control", "private, no-cache")
_METADATA = ".metadata"


class _Opened(NamedTuple):
    key: FileKey
    first: bytes
    """The first of its bytes."""
    file: BinaryIO | None
    """Open where there are more."""


class Downloads:
    """Responses for `/packages/`."""

    def __init__(self, index: PackageIndex, root: Path, *, immutable: bool, shared_cache: bool) -> None:
        """
        Args:
            immutable: a file whose record is known never changes under its name, so that clients may keep it.
            shared_cache: so may a cache in front that has Authorization in its key.
        """
        self._index = index
        self._root = root
        self._immutable = immutable
        self._keep = _KEEP_SHARED if shared_cache else _KEEP

    def __call__(self, environ: Environ, path: str) -> HttpResponse:
        """The response for the file at `path`, relative to the root.

        Raises:
            IndexUnavailableError: the packages cannot be read.
        """
        for _ in range(3):
            entry = self._find(path)
            if entry is None:
                break
            opened = self._open(entry)
            if opened is not None:
                return self._file(environ, path, entry, opened)
        if path.endswith(_METADATA) and (metadata := self._metadata(environ, path[: -len(_METADATA)])):
            return metadata
        return text("404 Not Found", "there is no such file")

    def _find(self, path: str) -> PackageEntry | None:
        """The file at a path; at a name alone also the one in its project's folder, where uploads lie."""
        return self._index.find(path) or (None if "/" in path else self._index.find_by_name(path))

    def _open(self, entry: PackageEntry) -> _Opened | None:
        """None where the file is no longer the one that is listed: the index will look again."""
        try:
            opened = offload(_read_or_open, self._root / entry.relfn)
        except OSError as error:
            if error.errno not in GONE:
                raise IndexUnavailableError(f"{entry.relfn!a} cannot be read: {error}") from error
            self._index.distrust(entry)
            return None
        # Fewer bytes than it has: somebody writes in place, and the next look tells what its size is now.
        cut = len(opened.first) < min(opened.key.size, FIRST_BYTES)
        if cut or not self._index.is_current(entry, opened.key):
            _close(opened)
            self._index.distrust(entry)
            return None
        return opened

    def _file(self, environ: Environ, path: str, entry: PackageEntry, opened: _Opened) -> HttpResponse:
        size = opened.key.size
        record = entry.record
        etag = f'"{record.sha256}"' if record else None
        headers = [_TYPE, self._caching(path, entry), ("Accept-Ranges", "bytes")]
        if fails_precondition(environ, etag):
            _close(opened)
            return text("412 Precondition Failed", "the file is another one")
        if etag:
            headers.append(("ETag", etag))
            if is_unchanged(environ, etag):
                _close(opened)
                return HttpResponse("304 Not Modified", headers, [])
        try:
            part = wanted_range(environ, size, etag)
        except ValueError:
            _close(opened)
            beyond = ("Content-Range", f"bytes */{size}")
            return text("416 Range Not Satisfiable", "the file has no such bytes", [beyond])
        start, end = part or (0, size)
        headers.append(("Content-Length", str(end - start)))
        if part:
            headers.append(("Content-Range", f"bytes {start}-{end - 1}/{size}"))
        status = "206 Partial Content" if part else "200 OK"
        if opened.file is None:
            return HttpResponse(status, headers, [opened.first[start:end]])
        if environ["REQUEST_METHOD"] == "HEAD":
            _close(opened)
            return HttpResponse(status, headers, [])
        return HttpResponse(status, headers, _FileBody(environ, opened.first, opened.file, start, end))

    def _metadata(self, environ: Environ, path: str) -> HttpResponse | None:
        entry = self._find(path)
        content = self._index.metadata(entry) if entry else None
        if entry is None or content is None or entry.record is None:
            return None
        etag = f'"{entry.record.metadata_sha256}"'
        headers: Headers = [_TYPE, self._caching(path, entry), ("ETag", etag)]
        if is_unchanged(environ, etag):
            return HttpResponse("304 Not Modified", headers, [])
        return HttpResponse("200 OK", [*headers, ("Content-Length", str(len(content)))], [content])

    def _caching(self, path: str, entry: PackageEntry) -> tuple[str, str]:
        # Without a record it may still be written to. At its name alone another file may appear, which goes before it.
        return self._keep if self._immutable and entry.record and entry.relfn == path else _ASK_AGAIN


class _FileBody:
    """A file's bytes from `start` to `end`: what was read of it leaves with the head, the rest as a file."""

    def __init__(self, environ: Environ, first: bytes, file: BinaryIO, start: int, end: int) -> None:
        self._environ = environ
        self._first = first
        self._file = file
        self._start, self._end = start, end

    def __iter__(self) -> Iterator[bytes]:
        first, self._first = self._first[self._start : self._end], b""
        start = self._start + len(first)
        yield first
        del first
        yield b""  # whoever iterates lets go of the first bytes, for as long as a slow client takes the others
        self._environ["gunicorn.socket"].send_file(self._file.fileno(), start, self._end)
        self._environ["pypiserver.sent_bytes"] = self._end - start  # gunicorn counts only what it sends itself

    def close(self) -> None:
        self._file.close()


def _read_or_open(path: Path) -> _Opened:
    file = path.open("rb", buffering=0)
    try:
        key = FileKey.of(os.fstat(file.fileno()))
        first = file.read(min(key.size, FIRST_BYTES))
    except BaseException:
        file.close()
        raise
    if key.size > FIRST_BYTES:
        return _Opened(key, first, file)
    file.close()
    return _Opened(key, first, None)


def _close(opened: _Opened) -> None:
    if opened.file:
        opened.file.close()
