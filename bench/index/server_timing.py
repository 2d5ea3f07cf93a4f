"""Cost of a request as the server states it: the metrics `total` and `auth` of Server-Timing (W3C Server Timing)."""

from __future__ import annotations

import math
from typing import NamedTuple


class ServerTiming(NamedTuple):
    """Times in seconds; nan where the header does not say, or says what cannot be."""

    total_s: float = math.nan
    auth_s: float = math.nan
    """The part of the total that the check of the credentials took."""


def server_timing(header: str) -> ServerTiming:
    """The times in a header such as `auth;dur=0.042, total;dur=0.61`, which are milliseconds there."""
    found: dict[str, float] = {}
    for metric in header.split(","):
        name, *parameters = metric.split(";")
        name = name.strip()
        if name not in ("total", "auth") or name in found:
            continue
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "dur":
                found[name] = _seconds(value.strip('" \t'))
                break
    return ServerTiming(found.get("total", math.nan), found.get("auth", math.nan))


def _seconds(milliseconds: str) -> float:
    try:
        duration_ms = float(milliseconds)
    except ValueError:
        return math.nan
    return duration_ms / 1e3 if 0 <= duration_ms < math.inf else math.nan
