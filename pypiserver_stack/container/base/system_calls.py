"""File calls and clock of an index, in one place: tests replace them by a file server of their own."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

GONE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP)
"""Errors for a path where nothing lies any more, or something other than a file or a directory."""


class SystemCalls:
    """The operating system's own calls."""

    open = staticmethod(os.open)
    close = staticmethod(os.close)
    read = staticmethod(os.read)
    fstat = staticmethod(os.fstat)
    stat = staticmethod(os.stat)
    monotonic_s = staticmethod(time.monotonic)

    def scandir(self, descriptor: int) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
        return os.scandir(descriptor)


def sync_directory(path: Path) -> None:
    """Have the names in a directory outlive a crash."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
