"""Text of figures in reports."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bench.report.model import CpuTime, Percentiles

NOTHING = "-"


def count(value: int | None) -> str:
    """A number of things."""
    return NOTHING if value is None else f"{value:,}"


def measure(name: str, value: float | None) -> str:
    """A value with the unit that the name of its threshold carries: `_s` seconds, `_rate` a share, else a count."""
    if value is None:
        return NOTHING
    if name.endswith("_s"):
        return f"{seconds(value)} s"
    return share(value) if name.endswith("_rate") else f"{value:,.10g}"


def limit(name: str, value: float) -> str:
    """The limit of a threshold, with the unit of `measure` and all digits that it was given."""
    if name.endswith("_s"):
        return f"{_in_full(value, 3)} s"
    return f"{_in_full(value * 100, 2)} %" if name.endswith("_rate") else f"{value:,.10g}"


def _in_full(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}" if math.isclose(value, round(value, decimals)) else f"{value:,.10g}"


def seconds(value: float) -> str:
    """To the millisecond, without a unit."""
    return f"{value:,.3f}"


def share(value: float | None) -> str:
    """As a percentage."""
    return NOTHING if value is None else f"{value * 100:.2f} %"


def rate(value: float | None) -> str:
    """Per second, without a unit."""
    return NOTHING if value is None else f"{value:,.1f}"


def significant(value: float, digits: int = 3) -> str:
    """`value` with so many significant digits, those of a whole number all shown."""
    if not math.isfinite(value) or value == 0:
        return f"{value:.0f}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def latencies(percentiles: Percentiles | None) -> tuple[str, str, str, str]:
    """p50, p95, p99 and max."""
    if percentiles is None:
        return (NOTHING, NOTHING, NOTHING, NOTHING)
    return (seconds(percentiles.p50), seconds(percentiles.p95), seconds(percentiles.p99), seconds(percentiles.max))


def milliseconds(percentiles: Percentiles | None) -> tuple[str, str, str]:
    """p50, p95 and p99 without a unit: to the microsecond below 10 ms, to the millisecond above."""
    if percentiles is None:
        return (NOTHING, NOTHING, NOTHING)
    p50, p95, p99 = (
        f"{value * 1e3:,.{3 if value < 0.01 else 0}f}" for value in (percentiles.p50, percentiles.p95, percentiles.p99)
    )
    return p50, p95, p99


def cpu_per_request(cpu: CpuTime) -> str:
    """CPU time per request with its unit."""
    return NOTHING if cpu.per_request_us is None else f"{cpu.per_request_us:,.0f} us"


_ERRORS: Mapping[str, str] = {
    "connect": "without a connection",
    "timeout": "timed out",
    "disconnected": "cut off",
    "status": "answered with a status of 400 or above",
    "digest": "with other bytes than listed",
    "protocol": "with an answer that is not an index's",
}


def errors(by_kind: Mapping[str, int]) -> str:
    """Number of requests that failed in each way, such as `4 timed out, 1 cut off`."""
    return ", ".join(f"{count:,} {_ERRORS.get(kind, kind)}" for kind, count in by_kind.items())
