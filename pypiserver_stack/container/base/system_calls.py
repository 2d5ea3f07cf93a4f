"""The file calls and the clock of an index, in one place: a test puts a file server of its own here."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager


class FileCalls:
    """The operating system's own calls."""

    open = staticmethod(os.open)
    close = staticmethod(os.close)
    read = staticmethod(os.read)
    fstat = staticmethod(os.fstat)
    stat = staticmethod(os.stat)
    monotonic_s = staticmethod(time.monotonic)

    def scandir(self, descriptor: int) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
        return os.scandir(descriptor)
