"""Pace of a transfer: a client that takes or sends a byte now and then would hold its connection for ever."""

from __future__ import annotations

from time import monotonic

GRACE_S = 60
"""Seconds of waiting for a client before its pace counts."""
MIN_BYTES_PER_S = 1024
"""Over all the waiting. A modem of the nineties is seven times as fast."""


class Pace:
    """Bytes that a client sent or took of one request and its answer, and how long the server waited for it."""

    def __init__(self) -> None:
        self._bytes = 0
        self._waited_s = 0.0

    def waited(self, since_s: float) -> None:
        """End a wait for the client; what the server itself takes for an answer does not count."""
        self._waited_s += monotonic() - since_s

    def moved(self, count: int) -> None:
        self._bytes += count

    @property
    def is_too_slow(self) -> bool:
        return self._waited_s > GRACE_S and self._bytes < self._waited_s * MIN_BYTES_PER_S
