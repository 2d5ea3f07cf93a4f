"""Store of uploaded packages: written aside, made durable, and put into place whole.

A package is written to `.incoming/` inside the root, which no listing shows, so that the folder of its project changes
once, when the finished file is linked to its name. A process that dies before leaves a file there and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, BinaryIO, Protocol, TypeVar

from gevent.lock import BoundedSemaphore

from pypiserver_stack.container.base.offload import offload
from pypiserver_stack.container.base.project_folders import BY_PROJECT, in_folder, project_folder, remove_folder_of
from pypiserver_stack.container.base.records import DIGESTS, FileKey, PackageContent, RecordStore
from pypiserver_stack.container.base.system_calls import sync_directory
from pypiserver_stack.container.base.yanks import INCOMING, unyank

Result = TypeVar("Result")

STALE_S = 6 * 3600
"""Since the last write: an upload that has been silent for so long is taken for dead."""
_CLEANING_INTERVAL_S = 3600
_CHUNK_BYTES = 2**20


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


_HASHES: dict[str, Callable[[], _Hash]] = {
    "sha256": hashlib.sha256,
    "md5": partial(hashlib.md5, usedforsecurity=False),
    "blake2b": partial(hashlib.blake2b, digest_size=32),
}
_THREADS = 5  # of the ten for file calls: a slow fsync must not keep readers waiting


class StoreError(Exception):
    """The file system does not take the package; `errno` says why, where it is known."""

    def __init__(self, reason: str, errno: int | None) -> None:
        super().__init__(reason)
        self.errno = errno


class PackageStore:
    """The directory of the packages, for writing, as one worker sees it. No file call is made on the event loop."""

    def __init__(self, root: Path, records: RecordStore, *, by_project: bool = True) -> None:
        """
        Args:
            by_project: packages go into the folders of their projects; False puts them into the root, as pypiserver
                does, whose own answers have each file at its path alone.
        """
        self._root = root
        self._records = records
        self._by_project = by_project
        self._threads = BoundedSemaphore(_THREADS)
        self._next_cleaning_s = 0.0

    def prepare(self) -> None:
        """Make the folders that will be needed, if it can be: the first upload then changes the root no more."""
        for folder in (INCOMING, DIGESTS, *([BY_PROJECT] if self._by_project else [])):
            with suppress(OSError):
                (self._root / folder).mkdir(mode=0o700 if folder == INCOMING else 0o777, exist_ok=True)

    def incoming(self, algorithms: Iterable[str] = ()) -> Incoming:
        """A new package, as a context manager: what has not been published at the end is gone.

        Args:
            algorithms: digests to compute beside SHA-256 while the package comes in.
        """
        return Incoming(self._root, self._records, algorithms, self._by_project, self._off_the_loop, self._clean)

    def _off_the_loop(self, function: Callable[..., Result], *arguments: object) -> Result:
        try:
            with self._threads:
                return offload(function, *arguments)
        except FileExistsError:
            raise
        except OSError as error:
            raise StoreError(str(error), error.errno) from error

    def _clean(self, now_s: float) -> None:
        """Remove what dead uploads left behind, once an hour at most; `now_s` is by the clock of the file system."""
        if monotonic() < self._next_cleaning_s:
            return
        self._next_cleaning_s = monotonic() + _CLEANING_INTERVAL_S
        with suppress(OSError):
            for path in (self._root / INCOMING).iterdir():
                with suppress(OSError):  # another task cleans too
                    if now_s - path.lstat().st_mtime > STALE_S:
                        path.unlink()


class Incoming:
    """One package while it comes in. All but `sha256` raise `StoreError` where the file system fails."""

    def __init__(
        self,
        root: Path,
        records: RecordStore,
        algorithms: Iterable[str],
        by_project: bool,
        off_the_loop: Callable[..., Any],
        clean: Callable[[float], None],
    ) -> None:
        self._root = root
        self._records = records
        self._by_project = by_project
        self._off_the_loop = off_the_loop
        self._clean = clean
        self._path = root / INCOMING / secrets.token_hex(16)
        self._hashes = {algorithm: _HASHES[algorithm]() for algorithm in ("sha256", *algorithms)}

    @property
    def sha256(self) -> str:
        """Of what has been written so far, in hexadecimal."""
        return self._hashes["sha256"].hexdigest()

    def __enter__(self) -> Incoming:
        self._off_the_loop(self._create)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._off_the_loop(self._discard)

    def write(self, data: bytes) -> None:
        self._off_the_loop(self._write, data)

    def digest(self, algorithm: str) -> str:
        """Of what has been written, in hexadecimal; read again where it was not computed on the way."""
        if algorithm not in self._hashes:
            self._hashes[algorithm] = self.read(partial(_hashed, algorithm))
        return self._hashes[algorithm].hexdigest()

    def read(self, function: Callable[[BinaryIO], Result]) -> Result:
        """Result of `function` for what has been written; it runs off the event loop."""
        result: Result = self._off_the_loop(self._read, function)
        return result

    def publish(
        self,
        filename: str,
        project: str,
        *,
        overwrite: bool,
        metadata: bytes | None = None,
        claimed_python: str | None = None,
    ) -> None:
        """Put the package into place, whole and durable, and keep its record.

        Of several that publish one name without `overwrite`, in whatever task, exactly one succeeds. A file of that
        name counts wherever it lies, at the root or in the folder of its project; overwriting leaves one. A signature
        goes where its package lies.

        Args:
            project: the normalised name.
            metadata: its core metadata.
            claimed_python: the Python versions for a package without core metadata.

        Raises:
            FileExistsError: the name is taken.
        """
        content = PackageContent(self.sha256, metadata)
        self._off_the_loop(self._publish, filename, project, overwrite, content, claimed_python)

    def _create(self) -> None:
        try:
            # Buffered for the lock inside: a close waits for a write that a killed request left in its thread.
            self._file = self._path.open("xb")
        except FileNotFoundError:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._file = self._path.open("xb")
        self._clean(os.fstat(self._file.fileno()).st_mtime)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        for running in self._hashes.values():
            running.update(data)

    def _read(self, function: Callable[[BinaryIO], Result]) -> Result:
        self._file.flush()
        with self._path.open("rb") as package:
            return function(package)

    def _publish(
        self, filename: str, project: str, overwrite: bool, content: PackageContent, claimed_python: str | None
    ) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        taken = [path for path in self._places(filename, project) if (self._root / path).exists()]
        relfn = taken[0] if taken else self._new_place(filename, project)
        if relfn == filename:
            self._place(relfn, overwrite)
        else:
            in_folder(self._root, project, partial(self._place, relfn, overwrite))
        self._remove()
        # Now and not before: a link and an unlink change ctime, which is part of the key. And before anything slow:
        # a listing that is made meanwhile hashes the package itself.
        key = FileKey.of(os.fstat(self._file.fileno()))
        self._records.put(relfn, key, content, claimed_python=claimed_python)
        sync_directory((self._root / relfn).parent)
        for twin in taken[1:]:
            remove_stored(self._root, twin, self._records)

    def _places(self, filename: str, project: str) -> tuple[str, str]:
        """Where a file of that name may lie, whoever put it there."""
        return filename, f"{project_folder(project)}/{filename}"

    def _new_place(self, filename: str, project: str) -> str:
        at_root, in_its_folder = self._places(filename, project)
        signed = filename.removesuffix(".asc")
        is_beside_root = signed != filename and (self._root / signed).exists()
        return at_root if is_beside_root or not self._by_project else in_its_folder

    def _place(self, relfn: str, overwrite: bool) -> None:
        target = self._root / relfn
        if overwrite:
            self._path.replace(target)
            return
        if not target.exists():
            # Of an earlier file of that name, which was removed by hand.
            self._records.remove(relfn)
            unyank(self._root, relfn)
        target.hardlink_to(self._path)

    def _discard(self) -> None:
        with suppress(OSError):  # what could not be written before cannot be now
            self._file.close()
        self._remove()

    def _remove(self) -> None:
        with suppress(OSError):
            self._path.unlink()


def remove_stored(root: Path, relfn: str, records: RecordStore) -> None:
    """Remove a package, and what was kept beside it.

    Raises:
        OSError: the package or its yank cannot be removed.
    """
    unyank(root, relfn)
    with suppress(OSError):  # somebody's own: nothing here needs it, or needs it gone
        (root / f"{relfn}.metadata").unlink(missing_ok=True)
    (root / relfn).unlink(missing_ok=True)  # somebody else may remove it at the same time
    records.remove(relfn)
    remove_folder_of(root, relfn)


def _hashed(algorithm: str, file: BinaryIO) -> _Hash:
    running = _HASHES[algorithm]()
    while chunk := file.read(_CHUNK_BYTES):
        running.update(chunk)
    return running
