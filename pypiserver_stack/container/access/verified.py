"""Verified credentials that all workers of a task know: digests in memory that they share."""

from __future__ import annotations

import mmap

DIGEST_BYTES = 32
_DIGESTS_IN_A_SET = 8
_SET_BYTES = _DIGESTS_IN_A_SET * DIGEST_BYTES


class VerifiedCredentials:
    """Digests, for this process and all that are forked from it. A full set gives up one digest for a new one.

    There is no lock. Of two that write at a time into one place, or of one that is read meanwhile, a mixture comes out
    that is nobody's digest: its credential is verified once more.
    """

    def __init__(self, sets: int = 2048) -> None:
        self._sets = sets
        self._memory = mmap.mmap(-1, sets * _SET_BYTES)

    def __contains__(self, digest: bytes) -> bool:
        start = self._set_of(digest)
        return digest in self._memory[start : start + _SET_BYTES]

    def add(self, digest: bytes) -> None:
        first = self._set_of(digest)
        places = range(first, first + _SET_BYTES, DIGEST_BYTES)
        free = (start for start in places if not any(self._memory[start : start + DIGEST_BYTES]))
        start = next(free, places[digest[0] % _DIGESTS_IN_A_SET])
        self._memory[start : start + DIGEST_BYTES] = digest

    def _set_of(self, digest: bytes) -> int:
        """Where its set begins."""
        return int.from_bytes(digest[-4:], "big") % self._sets * _SET_BYTES
