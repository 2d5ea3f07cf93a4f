"""Conditional and range requests (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def is_unchanged(environ: Mapping[str, Any], etag: str) -> bool:
    """Whether the client holds the response with this strong entity tag: then 304 is enough."""
    held = environ.get("HTTP_IF_NONE_MATCH")
    if held is None:
        return False
    return held == etag or etag in [tag.strip().removeprefix("W/") for tag in held.split(",")] or held.strip() == "*"


def fails_precondition(environ: Mapping[str, Any], etag: str | None) -> bool:
    """Whether the client wants only a response with another entity tag than this strong one: 412."""
    wanted = environ.get("HTTP_IF_MATCH")
    return wanted is not None and wanted.strip() != "*" and etag not in [tag.strip() for tag in wanted.split(",")]


def wanted_range(environ: Mapping[str, Any], size: int, etag: str | None) -> tuple[int, int] | None:
    """First and one past the last byte that the client wants; None for the whole file.

    Several ranges at once, other units and what cannot be read are ignored, as the standard allows; a range is for GET
    alone.

    Raises:
        ValueError: the range lies outside the file: 416.
    """
    wanted = environ.get("HTTP_RANGE")
    if wanted is None or environ["REQUEST_METHOD"] != "GET" or environ.get("HTTP_IF_RANGE", etag) != etag:
        return None
    match = _RANGE.fullmatch(wanted.replace(" ", ""))
    if match is None or not any(match.groups()):
        return None
    first_text, last_text = match.groups()
    if not first_text:
        start, end = max(0, size - int(last_text)), size
    else:
        start, end = int(first_text), min(int(last_text or size) + 1, size)
        if last_text and int(last_text) < start:
            return None
    if start >= end:
        raise ValueError(wanted)
    return start, end
