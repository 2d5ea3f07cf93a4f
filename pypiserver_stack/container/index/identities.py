"""Records of package files, known by size, times and inode number; a file is read only where there is none yet.

A file system may give a new file the inode number of the one just removed, and coarse time stamps may make the two look
alike. So a record is kept only if the file was read a margin after its key was first seen by the clock of this host, or
a margin after its ctime by the clock of the file server: no later file has that key.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pypiserver_stack.container.base.records import FileKey, PackageRecord, RecordStore, read_package
from pypiserver_stack.container.base.system_calls import SystemCalls
from pypiserver_stack.container.index.directory import FileIdentity, PackageEntry

_RETRY_S = 60

Found = dict[PackageEntry, PackageRecord | None]
"""What files hold. An entry has the same record only if it holds until a directory changes."""


class FileIdentities:
    """Looks at the package files under `root`."""

    def __init__(self, root: Path, records: RecordStore, margin_s: float, calls: SystemCalls) -> None:
        self._root = root
        self._records = records
        self._margin_s = margin_s
        self._calls = calls

    def known(self, entries: Sequence[PackageEntry]) -> Found:
        """The records of those files that need not be read for them.

        Raises:
            OSError: a file cannot be looked at, or is `GONE`; as for `read`.
        """
        return {entry: self._known(entry) for entry in entries}

    def read(self, found: Found) -> Found:
        """The records of the others as well, but for a file that is just being written."""
        clock_ns = self._records.clock_ns()
        return {entry: record or self._read(entry, clock_ns) for entry, record in found.items()}

    def _known(self, entry: PackageEntry) -> PackageRecord | None:
        key = FileKey.of(self._calls.stat(self._path(entry)))
        known = entry.identity
        if known and known.record and known.key == key and not self._may_retry(known):
            return known.record
        stored = self._records.get(entry.relfn, key)
        if stored:
            entry.identity = FileIdentity(key, self._calls.monotonic_s(), stored, None)
        return stored

    def _may_retry(self, known: FileIdentity) -> bool:
        return known.retry_s is not None and self._calls.monotonic_s() >= known.retry_s

    def _read(self, entry: PackageEntry, clock_ns: int | None) -> PackageRecord | None:
        known = entry.identity
        began_s = self._calls.monotonic_s()
        read = read_package(self._path(entry), entry.name, self._calls)
        if read is None:
            entry.identity = None
            return None
        key, content = read
        seen_s = known.seen_s if known and known.key == key else self._calls.monotonic_s()
        settled = began_s >= seen_s + self._margin_s or (
            clock_ns is not None and key.ctime_ns + self._margin_s * 1e9 <= clock_ns
        )
        record = self._records.record_of(entry.relfn, key, content)
        if not settled:
            entry.identity = FileIdentity(key, seen_s, None, None)
            return record._replace(metadata_sha256=None)  # nor is its metadata kept
        kept = self._records.put(entry.relfn, key, content)
        retry_s = None if kept == record else self._calls.monotonic_s() + _RETRY_S
        entry.identity = FileIdentity(key, seen_s, kept, retry_s)
        return kept

    def _path(self, entry: PackageEntry) -> str:
        return f"{self._root}/{entry.relfn}"
