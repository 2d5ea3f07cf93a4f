"""Requests that a page of another site made a browser send, which adds the credentials that it holds by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_cross_site(environ: Mapping[str, Any]) -> bool:
    """Whether a browser says that another site made it send the request. Clients that are no browsers say nothing."""
    if environ.get("HTTP_SEC_FETCH_SITE", "none").lower() not in ("none", "same-origin"):
        return True
    origin = environ.get("HTTP_ORIGIN")
    return origin is not None and origin.lower().partition("://")[2] != environ.get("HTTP_HOST", "").lower()
