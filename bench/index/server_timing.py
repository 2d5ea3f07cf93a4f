"""Cost of a request as the server states it: the metric `total` of Server-Timing (W3C Server Timing)."""

from __future__ import annotations

import math


def total_s(server_timing: str) -> float:
    """The seconds of `total` in a header such as `auth;dur=0.042, total;dur=0.61`, which is in milliseconds.

    nan where the header does not say, or says what cannot be.
    """
    for metric in server_timing.split(","):
        name, *parameters = metric.split(";")
        if name.strip() != "total":
            continue
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "dur":
                return _seconds(value.strip('" \t'))
    return math.nan


def _seconds(milliseconds: str) -> float:
    try:
        duration_ms = float(milliseconds)
    except ValueError:
        return math.nan
    return duration_ms / 1e3 if 0 <= duration_ms < math.inf else math.nan
