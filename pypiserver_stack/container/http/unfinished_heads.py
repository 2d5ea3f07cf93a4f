"""Unfinished heads of all connections of a worker, which are bounded in sum: each alone may have 64 KiB."""

from __future__ import annotations

MAX_BYTES = 16 * 1024 * 1024


class UnfinishedHeads:
    """Bytes of heads that have not arrived whole."""

    def __init__(self) -> None:
        self._bytes = 0

    def grow(self, count: int) -> bool:
        """Count more bytes; False where that is more than a worker holds."""
        self._bytes += count
        return self._bytes <= MAX_BYTES

    def shrink(self, count: int) -> None:
        """A head has arrived whole, or its client has gone."""
        self._bytes -= count
