"""What a server says that a request cost it: the metric `total` of its Server-Timing header (W3C Server Timing)."""

from __future__ import annotations

import math
import re

# Begins with the word itself, so that the search for it costs next to nothing; other parameters may come before `dur`.
_TOTAL = re.compile(rb'total(?<![^,\s]total)(?:\s*;[^,;]*)*?\s*;\s*dur\s*=\s*"?([^\s,;"]+)')


def total_s(server_timing: bytes) -> float:
    """The duration of `total` in a header such as `auth;dur=0.042, total;dur=0.61`, which is in milliseconds.

    Returns:
        Seconds; nan where the header does not say, or says what cannot be.
    """
    found = _TOTAL.search(server_timing)
    if found is None:
        return math.nan
    try:
        duration_ms = float(found[1])
    except ValueError:
        return math.nan
    return duration_ms / 1e3 if 0 <= duration_ms < math.inf else math.nan
