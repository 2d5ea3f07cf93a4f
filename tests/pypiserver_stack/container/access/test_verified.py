"""Digests in shared memory: found by all processes, bounded, and never taken for one another."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from pypiserver_stack.container.access.verified import DIGEST_BYTES, VerifiedCredentials

digests = st.binary(min_size=DIGEST_BYTES, max_size=DIGEST_BYTES).filter(any)


@given(st.lists(digests, max_size=100), digests, st.integers(1, 4))
def test_what_was_added_last_is_found_and_what_never_was_is_not(added: list[bytes], other: bytes, sets: int) -> None:
    verified = VerifiedCredentials(sets)
    for digest in added:
        verified.add(digest)
        assert digest in verified
    assert other in added or other not in verified
    assert sum(digest in verified for digest in set(added)) <= 8 * sets


def test_thousands_are_remembered() -> None:
    verified = VerifiedCredentials()
    added = [os.urandom(DIGEST_BYTES) for _ in range(5000)]
    for digest in added:
        verified.add(digest)
    assert sum(digest in verified for digest in added) > 4900


def test_what_a_forked_process_adds_is_found_here() -> None:
    verified = VerifiedCredentials()
    digest = os.urandom(DIGEST_BYTES)
    if (child := os.fork()) == 0:
        verified.add(digest)
        os._exit(0)
    os.waitpid(child, 0)
    assert digest in verified
