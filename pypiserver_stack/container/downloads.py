"""Package files and their metadata, as the index lists them and in no other state."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, BinaryIO, Iterator, Mapping, NamedTuple, Optional

from answer import Answer, Headers, text
from conditions import has_it, wanted_range
from digests import FileKey
from index import Entry, Index
from offload import offload

# Up to here a file is read in the call that opens it, and leaves in one send.
SMALL_FILE_BYTES = 256 * 1024
CHUNK_BYTES = 256 * 1024
_TYPE = ("Content-Type", "application/octet-stream")
_METADATA = ".metadata"


class _Opened(NamedTuple):
    key: FileKey
    content: Optional[bytes]
    """The whole of a small file; of another, `file` is open."""
    file: Optional[BinaryIO]


class Downloads:
    """Answers for `/packages/`."""

    def __init__(self, index: Index, root: Path, *, immutable: bool) -> None:
        """
        Args:
            immutable: a file that was once listed never changes under its name, so that clients may keep it.
        """
        self._index = index
        self._root = root
        self._caching = ("Cache-Control", "private, max-age=31536000, immutable" if immutable else "private, no-cache")

    def __call__(self, environ: Mapping[str, Any], path: str) -> Answer:
        """The answer for the file at `path`, relative to the root.

        Raises:
            IndexUnavailableError: the packages cannot be read.
        """
        for _ in range(3):
            entry = self._index.find(path)
            if entry is None:
                break
            opened = self._open(entry)
            if opened is not None:
                return self._file(environ, entry, opened)
        if path.endswith(_METADATA) and (answer := self._metadata(environ, path[: -len(_METADATA)])):
            return answer
        return text("404 Not Found", "there is no such file")

    def _open(self, entry: Entry) -> Optional[_Opened]:
        """None where the file is no longer the one that is listed: the index will look again."""
        try:
            opened = offload(_read_or_open, self._root / entry.relfn)
        except FileNotFoundError:
            self._index.distrust(entry)
            return None
        if not self._index.is_current(entry, opened.key):
            if opened.file:
                opened.file.close()
            self._index.distrust(entry)
            return None
        return opened

    def _file(self, environ: Mapping[str, Any], entry: Entry, opened: _Opened) -> Answer:
        size = opened.key.size
        digests = entry.digests
        etag = f'"{digests.sha256}"' if digests else None
        headers = [_TYPE, self._caching, ("Accept-Ranges", "bytes")]
        if etag:
            headers.append(("ETag", etag))
            if has_it(environ, etag):
                _close(opened)
                return Answer("304 Not Modified", headers, [])
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
        if opened.content is not None:
            return Answer(status, headers, [opened.content[start:end] if part else opened.content])
        if environ["REQUEST_METHOD"] == "HEAD":
            _close(opened)
            return Answer(status, headers, [])
        assert opened.file is not None
        return Answer(status, headers, _Chunks(opened.file, start, end))

    def _metadata(self, environ: Mapping[str, Any], path: str) -> Optional[Answer]:
        entry = self._index.find(path)
        content = self._index.metadata(entry) if entry else None
        if entry is None or content is None or entry.digests is None:
            return None
        etag = f'"{entry.digests.metadata_sha256}"'
        headers: Headers = [_TYPE, self._caching, ("ETag", etag)]
        if has_it(environ, etag):
            return Answer("304 Not Modified", headers, [])
        return Answer("200 OK", [*headers, ("Content-Length", str(len(content)))], [content])


class _Chunks:
    """The bytes of an open file from `start` to `end`, read off the event loop; closes the file."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file = file
        self._position, self._end = start, end

    def __iter__(self) -> Iterator[bytes]:
        while self._position < self._end:
            wanted = min(CHUNK_BYTES, self._end - self._position)
            chunk = offload(os.pread, self._file.fileno(), wanted, self._position)
            if not chunk:
                # The length is promised already. A connection that ends early is the one sign the client can get, and
                # this error the one that gunicorn takes for the client's own doing: no traceback.
                raise ConnectionResetError(errno.ECONNRESET, "the file was truncated while it was sent")
            self._position += len(chunk)
            yield chunk

    def close(self) -> None:
        self._file.close()


def _read_or_open(path: Path) -> _Opened:
    file = path.open("rb", buffering=0)
    try:
        key = FileKey.of(os.fstat(file.fileno()))
        if key.size > SMALL_FILE_BYTES:
            return _Opened(key, None, file)
        content = file.read(key.size + 1)
        if len(content) != key.size:
            # Somebody writes in place: what its size is now, the next look tells.
            key = key._replace(size=-1)
    except BaseException:
        file.close()
        raise
    file.close()
    return _Opened(key, content, None)


def _close(opened: _Opened) -> None:
    if opened.file:
        opened.file.close()
