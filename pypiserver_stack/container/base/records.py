"""Records of packages, kept beside them, so that no package is read twice: not even by a task that has just started.

`.digests/` holds one record a package, named after the package's path: a line of JSON, then the metadata of a wheel. A
record counts only for the file whose size, times and inode number it names.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pypiserver_stack.container.base.core_metadata import core_metadata, requires_python
from pypiserver_stack.container.base.project_folders import project_of_folder
from pypiserver_stack.container.base.releases import release_of, releases_of
from pypiserver_stack.container.base.system_calls import SystemCalls

DIGESTS = ".digests"
"""Folder of the records."""
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


class PackageRecord(NamedTuple):
    """Content of a package, as far as a listing tells it."""

    sha256: str
    """In hexadecimal, as is the other."""
    size_bytes: int
    upload_time_ns: int
    """Since the epoch: mtime of the file when this content was first recorded. An upload ends with its last write."""
    metadata_sha256: str | None = None
    """Of a wheel's metadata, which is served on its own (PEP 658)."""
    requires_python: str | None = None
    project: str | None = None
    """The normalised name, where that of the file leaves it open."""


_OPTIONAL_TEXT = (str, type(None))
_TYPES: tuple[type | tuple[type, ...], ...] = (str, int, int, _OPTIONAL_TEXT, _OPTIONAL_TEXT, _OPTIONAL_TEXT)


class PackageContent(NamedTuple):
    """What a package was read for."""

    sha256: str
    metadata: bytes | None
    """Core metadata; None where the package has none that can be read."""


class RecordStore:
    """The records under `root/.digests`. A record is only a saving: nothing here fails where one cannot be had."""

    def __init__(self, root: Path, calls: SystemCalls | None = None) -> None:
        self._folder = root / DIGESTS
        self._calls = calls or SystemCalls()

    def get(self, relfn: str, key: FileKey) -> PackageRecord | None:
        """The record of the package at `relfn` while it is the file that `key` describes."""
        stored = self._read(relfn)
        return stored[1] if stored is not None and stored[0] == key else None

    def metadata(self, relfn: str) -> bytes | None:
        """The metadata of the wheel at `relfn` when it was recorded."""
        stored = self._read(relfn)
        return stored[2] if stored is not None and stored[1].metadata_sha256 is not None else None

    def record_of(
        self, relfn: str, key: FileKey, content: PackageContent, *, claimed_python: str | None = None
    ) -> PackageRecord:
        """The record of one state of a file: that of an earlier state with the same content, or a new one.

        Args:
            claimed_python: the Python versions for a package that does not tell them itself.
        """
        stored = self._read(relfn)
        if stored is not None and stored[1].sha256 == content.sha256:
            return stored[1]
        return _new_record(relfn, key, content, claimed_python)

    def put(
        self, relfn: str, key: FileKey, content: PackageContent, *, claimed_python: str | None = None
    ) -> PackageRecord:
        """Make and keep the record of one state of a file.

        A full or read-only file system keeps none, silently. The record is then one without metadata: no listing may
        offer what cannot be served.
        """
        record = self.record_of(relfn, key, content, claimed_python=claimed_python)
        metadata = content.metadata if record.metadata_sha256 is not None else None
        return record if self._write(relfn, key, record, metadata or b"") else record._replace(metadata_sha256=None)

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

    def _write(self, relfn: str, key: FileKey, record: PackageRecord, metadata: bytes) -> bool:
        header = json.dumps({"path": relfn, "key": key, **record._asdict()}).encode()
        temporary = self._temporary()
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            try:
                temporary.write_bytes(header + b"\n" + metadata)
                temporary.rename(self._path(relfn))
                return True
            except OSError:
                temporary.unlink(missing_ok=True)
        return False

    def _read(self, relfn: str) -> tuple[FileKey, PackageRecord, bytes] | None:
        try:
            header, _, metadata = self._path(relfn).read_bytes().partition(b"\n")
            fields = json.loads(header)
            record = PackageRecord(*(fields[name] for name in PackageRecord._fields))
            key = FileKey(*fields["key"])
        except (OSError, ValueError, LookupError, TypeError, RecursionError):  # torn or of another making
            return None
        if not all(isinstance(value, expected) for value, expected in zip(record, _TYPES, strict=True)):
            return None
        if record.metadata_sha256 is not None and hashlib.sha256(metadata).hexdigest() != record.metadata_sha256:
            return None  # torn by a crash: nothing waits for it to be durable
        return key, record, metadata

    def _path(self, relfn: str) -> Path:
        return self._folder / hashlib.sha256(os.fsencode(relfn)).hexdigest()

    def _temporary(self) -> Path:
        return self._folder / f"{secrets.token_hex(16)}.tmp"


def _new_record(relfn: str, key: FileKey, content: PackageContent, claimed_python: str | None) -> PackageRecord:
    metadata = content.metadata
    folder, _, filename = relfn.rpartition("/")
    release = release_of(filename, metadata) if len(releases_of(filename)) > 1 else None
    served = metadata is not None and filename.endswith(".whl")
    return PackageRecord(
        content.sha256,
        key.size,
        key.mtime_ns,
        hashlib.sha256(metadata).hexdigest() if metadata is not None and served else None,
        claimed_python if metadata is None else requires_python(metadata),
        release and (project_of_folder(folder) or release.project),
    )


def read_package(path: str, filename: str, calls: SystemCalls) -> tuple[FileKey, PackageContent] | None:
    """Key and content of a file that held still while it was read; None if it does not hold still.

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
            if left == 0:
                with open(descriptor, "rb", closefd=False) as file:
                    file.seek(0)
                    metadata = core_metadata(file, filename)
                if FileKey.of(calls.fstat(descriptor)) == before:
                    return before, PackageContent(digest.hexdigest(), metadata)
        finally:
            calls.close(descriptor)
    return None
