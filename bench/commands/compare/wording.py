"""How the figures of a comparison read in Markdown and on the terminal."""

from __future__ import annotations

import math

from bench.commands.compare.model import Change, Comparison, Interval, Measured
from bench.report.wording import NOTHING
from sizing.counted import counted

_HEADINGS = {
    "latency_p50_s": "latency p50, s",
    "latency_p95_s": "latency p95, s",
    "latency_p99_s": "latency p99, s",
    "throughput_rps": "throughput, req/s",
    "error_rate": "errors, %",
    "per_task_deviation": "unevenness of tasks, %",
    "tasks_cpu_us_per_request": "CPU of the tasks, us/request",
    "balancer_cpu_us_per_request": "CPU of the balancer, us/request",
    "generator_cpu_us_per_request": "CPU of the client, us/request",
}
_SHARES = ("error_rate", "per_task_deviation")


def heading(figure: str) -> str:
    """What a figure is, with its unit."""
    return _HEADINGS.get(figure, figure)


def measured(figure: str, of_variant: Measured) -> tuple[str, str, str, str]:
    """Value, its interval, the change to the first variant, its interval."""
    factor = 100.0 if figure in _SHARES else 1.0
    value = NOTHING if of_variant.value is None else significant(of_variant.value * factor)
    return (value, _interval(of_variant.interval, factor), *_change(of_variant.change, factor))


def significant(value: float, digits: int = 3) -> str:
    """`value` with so many significant digits, those of a whole number all shown."""
    if not math.isfinite(value) or value == 0:
        return f"{value:.0f}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def basis(comparison: Comparison) -> str:
    """What the intervals stand on, in a sentence."""
    if comparison.intervals_of == "requests":
        return (
            "Intervals are 95 %, and of requests only: with fewer than three rounds nothing says how one round differs "
            "from the next, and what is one number a round has no interval."
        )
    return f"Intervals are 95 %, of {counted(comparison.rounds, 'round')} and the requests within them."


def _interval(interval: Interval | None, factor: float) -> str:
    if interval is None:
        return NOTHING
    return f"{significant(interval.low * factor)} .. {significant(interval.high * factor)}"


def _change(change: Change | None, factor: float) -> tuple[str, str]:
    """Ratios as factors, differences of shares in percentage points."""
    if change is None:
        return NOTHING, NOTHING
    if change.kind == "ratio":
        return f"x {significant(change.value)}", _interval(change.interval, 1.0)
    sign = "+" if change.value > 0 else ""
    return f"{sign}{significant(change.value * factor)}", _interval(change.interval, factor)
