"""How figures and names read in Markdown and on the terminal."""

from __future__ import annotations

from datetime import timedelta

from bench.report.model import Local, Percentiles, Report, Threshold

NOTHING = "-"


def measure(name: str, value: float | None) -> str:
    """A value with the unit that the name of its threshold carries: `_s` seconds, `_rate` a share, else a count."""
    if value is None:
        return NOTHING
    if name.endswith("_s"):
        return f"{seconds(value)} s"
    return share(value) if name.endswith("_rate") else f"{value:,.10g}"


def seconds(value: float) -> str:
    """To the millisecond, without a unit."""
    return f"{value:,.3f}"


def share(value: float | None) -> str:
    """As a percentage."""
    return NOTHING if value is None else f"{value * 100:.2f} %"


def rate(value: float | None) -> str:
    """Per second, without a unit."""
    return NOTHING if value is None else f"{value:,.1f}"


def limit(threshold: Threshold) -> str:
    """What had to hold, such as `< 2.000 s`; a limit of 0 has to be met exactly."""
    return f"{'< ' if threshold.limit else ''}{measure(threshold.name, threshold.limit)}"


def latencies(percentiles: Percentiles | None) -> tuple[str, str, str, str]:
    """p50, p95, p99 and max."""
    if percentiles is None:
        return (NOTHING, NOTHING, NOTHING, NOTHING)
    return (seconds(percentiles.p50), seconds(percentiles.p95), seconds(percentiles.p99), seconds(percentiles.max))


def headline(report: Report) -> str:
    """The verdict in words: `passed`, or `failed: ` and why."""
    if report.exit_code == 0:
        return "passed"
    return f"failed: {report.failure or report.verdict.replace('_', ' ')} (exit code {report.exit_code})"


def duration(report: Report) -> str:
    """How long the run took, as hours, minutes and seconds."""
    return str(timedelta(seconds=round((report.run.ended_at - report.run.started_at).total_seconds())))


def tasks_run(local: Local) -> str:
    """How much of the plan ran here, such as `2 of 12 tasks`."""
    return f"{local.tasks_run} of {local.tasks_planned} tasks"


def printable(text: str) -> str:
    """`text` on one line and without control characters: some of it comes from whatever server was asked."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
