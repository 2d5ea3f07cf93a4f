"""Bound on what surrounds the chunks of a body: gunicorn collects extensions of a chunk, and trailers, without one."""

from __future__ import annotations

import io
from typing import Any

from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import InvalidChunkSize

MAX_BYTES = 16 * 1024

_get_data = ChunkedReader.get_data


def bound_chunks() -> None:
    """Have gunicorn refuse a chunk whose line is longer, and longer trailers. Its time is quadratic in their length."""
    ChunkedReader.get_data = _get_bounded


def _get_bounded(reader: Any, unreader: Any, buffer: io.BytesIO) -> None:
    if buffer.tell() > MAX_BYTES:
        raise InvalidChunkSize(b"longer than what surrounds a chunk may be")
    _get_data(reader, unreader, buffer)
