"""Limit on password attempts: token buckets for each client, in a table that never grows and never forgets."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import os
import time
from array import array
from collections.abc import Callable, Mapping

from pypiserver_stack.container.access.credentials import RetryLaterError

BURST = 20
REFILL_S = 5
"""A client tries BURST passwords of a user at once, then one every REFILL_S seconds: per worker of each task."""
BUCKETS = 16384
GROUPS = 64
"""User names are spread over as many groups, whether there is such a user or not, each with a bucket for each client: a
client that goes on guessing the password of one user leaves most others behind its address alone."""


class Attempts:
    """Token buckets for password attempts, not locked: the caller sees to it that one uses them at a time.

    A keyed hash of the client and of the user's group picks one of a fixed number of buckets, and none is ever evicted.
    So no traffic refills a bucket, its own client's or another's, from however many addresses: in any `t` seconds a
    client gets at most burst + t / refill_s attempts for a user, `groups` times that for all users, and all clients
    together at most `buckets` times that. The price: of two clients, one pair in `buckets` shares a bucket, and nobody
    outside knows which ones.
    """

    def __init__(
        self,
        *,
        burst: int = BURST,
        refill_s: float = REFILL_S,
        buckets: int = BUCKETS,
        groups: int = GROUPS,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._refill_ns = round(refill_s * 1e9)
        self._burst_ns = burst * self._refill_ns
        self._clock_ns = clock_ns
        self._key = os.urandom(32)
        self._groups = groups
        # A bucket is the moment at which it will be full again. Whole nanoseconds: nothing is lost to rounding.
        self._full_at_ns = array("q", bytes(8 * buckets))

    def take(self, client: str, username: str) -> None:
        """
        Raises:
            RetryLaterError: 429, the client's bucket is empty; nothing was taken.
        """
        bucket, now = self._bucket(client, username), self._clock_ns()
        full_at = max(self._full_at_ns[bucket], now) + self._refill_ns
        early_ns = full_at - now - self._burst_ns
        if early_ns > 0:
            sentence = "too many attempts to log in as this user from your network"
            raise RetryLaterError("429 Too Many Requests", sentence, math.ceil(early_ns / 1e9))
        self._full_at_ns[bucket] = full_at

    def give_back(self, client: str, username: str) -> None:
        """Undo one `take`: the password was right."""
        self._full_at_ns[self._bucket(client, username)] -= self._refill_ns

    def _bucket(self, client: str, username: str) -> int:
        group = self._hash(username) % self._groups
        return self._hash(f"{client} {group}") % len(self._full_at_ns)

    def _hash(self, text: str) -> int:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest, "big")


def client_of(request: Mapping[str, object]) -> str:
    """The client that an attempt counts against: an IPv4 address or an IPv6 /64, which is what one customer gets.

    The right-most entry of X-Forwarded-For is what the balancer wrote; everything left of it the client may invent.
    """
    forwarded = str(request.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
    return _network(forwarded) or _network(str(request.get("REMOTE_ADDR", ""))) or "unknown"


def _network(address: str) -> str | None:
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if parsed.version == 6:
        return str(parsed.ipv4_mapped or ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)
