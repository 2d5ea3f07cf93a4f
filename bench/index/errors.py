"""Kinds of failed requests."""

from __future__ import annotations

import enum


class ErrorKind(enum.IntEnum):
    """Why a request failed; `NONE` for one that did not."""

    NONE = 0
    CONNECT = 1
    """No connection: refused, unreachable, a failed TLS handshake, or none within the time allowed."""
    TIMEOUT = 2
    """No complete answer within the time allowed."""
    DISCONNECTED = 3
    """The connection ended before the answer was complete."""
    STATUS = 4
    """A status of 400 or above."""
    DIGEST = 5
    """The bytes are not those that the listing promised."""
    PROTOCOL = 6
    """An answer that is not HTTP, or a page that names no wheel, or a redirect that leads away from the index."""
