"""Digests of packages, kept beside them, so that no package is read twice: not even by a task that has just started.

`.digests/` holds one record a package, named after the package's path: a line of JSON, then the package's metadata if
an upload brought it. A record counts only for the file whose size, times and inode number it names.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pypiserver_stack.container.base.system_calls import SystemCalls

_CHUNK_BYTES = 2**20
_ATTEMPTS = 3


class FileKey(NamedTuple):
    """Attributes that differ between two states of a file, known without reading it."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileKey:
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class Digests(NamedTuple):
    """SHA-256 in hexadecimal: of the file, and of the metadata within it if that is served on its own (PEP 658)."""

    sha256: str
    metadata_sha256: str | None = None


class DigestStore:
    """The records under `root/.digests`. A record is only a saving: nothing here fails where one cannot be had."""

    def __init__(self, root: Path, calls: SystemCalls | None = None) -> None:
        self._folder = root / ".digests"
        self._calls = calls or SystemCalls()

    def get(self, relfn: str, key: FileKey) -> Digests | None:
        """The digests of the package at `relfn` while it is the file that `key` describes."""
        record = self._read(relfn)
        return record[1] if record is not None and record[0] == key else None

    def metadata(self, relfn: str) -> bytes | None:
        """The metadata that came with the last upload of `relfn`."""
        record = self._read(relfn)
        return record[2] if record is not None and record[1].metadata_sha256 is not None else None

    def put(self, relfn: str, key: FileKey, digests: Digests, metadata: bytes | None = None) -> None:
        """Keep the digests of one state of a file; a full or read-only file system keeps none, silently."""
        header = json.dumps({"path": relfn, "key": key, **digests._asdict()}).encode()
        temporary = self._temporary()
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            try:
                with temporary.open("xb") as record:
                    record.write(header + b"\n" + (metadata or b""))
                    if metadata:  # a page will promise it, so it must outlive a crash
                        record.flush()
                        os.fsync(record.fileno())
                temporary.rename(self._path(relfn))
            except OSError:
                temporary.unlink(missing_ok=True)

    def renew(self, relfn: str, key: FileKey, sha256: str) -> Digests:
        """Keep a digest that was read off the file; metadata of an earlier record stays if the content is the same."""
        digests, metadata = Digests(sha256), None
        record = self._read(relfn)
        if record is not None and record[1].sha256 == sha256:
            _, digests, metadata = record
        self.put(relfn, key, digests, metadata)
        return digests

    def remove(self, relfn: str) -> None:
        """Forget a package that was removed."""
        with suppress(OSError):
            self._path(relfn).unlink(missing_ok=True)

    def clock_ns(self) -> int | None:
        """The file server's clock, as it dates a file made just now; None where nothing can be written."""
        temporary = self._temporary()
        try:
            self._folder.mkdir(exist_ok=True)
            with temporary.open("xb") as made:
                now_ns = self._calls.fstat(made.fileno()).st_ctime_ns
            temporary.unlink()
        except OSError:
            return None
        return now_ns

    def _read(self, relfn: str) -> tuple[FileKey, Digests, bytes] | None:
        try:
            header, _, metadata = self._path(relfn).read_bytes().partition(b"\n")
            fields = json.loads(header)
            digests = Digests(fields["sha256"], fields["metadata_sha256"])
            return FileKey(*fields["key"]), digests, metadata
        except (OSError, ValueError, LookupError, TypeError):  # torn or of another making: as good as none
            return None

    def _path(self, relfn: str) -> Path:
        return self._folder / hashlib.sha256(os.fsencode(relfn)).hexdigest()

    def _temporary(self) -> Path:
        return self._folder / f"{secrets.token_hex(16)}.tmp"


def hash_file(path: str, calls: SystemCalls) -> tuple[FileKey, str] | None:
    """Key and SHA-256 of a file that held still while it was read; None if it does not hold still.

    Raises:
        OSError: it cannot be read.
    """
    for _ in range(_ATTEMPTS):
        descriptor = calls.open(path, os.O_RDONLY)
        try:
            before = FileKey.of(calls.fstat(descriptor))
            digest = hashlib.sha256()
            left = before.size  # no further: a file may grow faster than it is read
            while left > 0 and (chunk := calls.read(descriptor, min(left, _CHUNK_BYTES))):
                digest.update(chunk)
                left -= len(chunk)
            if left == 0 and FileKey.of(calls.fstat(descriptor)) == before:
                return before, digest.hexdigest()
        finally:
            calls.close(descriptor)
    return None
