"""The list of a sweep: age and cost of each run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bench.commands.aws.sweep.blocks import leftover_blocks
from bench.deployment.aws.run_tags import RunTags
from bench.deployment.aws.sweep.resource import RunResource, Sighting
from bench.report.blocks import Table

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = RunTags("load-1", "arn:aws:iam::123456789012:user/ann", NOW - timedelta(hours=2))


def resource(kind: str, hours: float | None, usd_per_hour: float) -> RunResource:
    made_at = None if hours is None else NOW - timedelta(hours=hours)
    return RunResource(kind, RUN, Sighting(kind, RUN.as_tags(), made_at=made_at, usd_per_hour=usd_per_hour))


def rows(*resources: RunResource) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    runs, each, _ = leftover_blocks(resources, NOW)
    assert isinstance(runs, Table)
    assert isinstance(each, Table)
    return [tuple(map(str, row)) for row in runs.rows], [tuple(map(str, row)) for row in each.rows]


def test_the_cost_of_a_run_is_that_of_its_hours() -> None:
    """What AWS does not date counts from the oldest of the run."""
    runs, each = rows(
        resource("instance", 10, 0.2), resource("NAT gateway", 4, 0.05), resource("elastic IP", None, 0.01)
    )
    assert runs == [("load-1", RUN.owner, "2026-03-01 10:00 UTC", "10.0 h", "3", "0.260", "2.30")]
    assert [row[-1] for row in each] == ["10.0 h", "4.0 h", "unknown"]


def test_an_age_that_nothing_tells_is_unknown() -> None:
    runs, _ = rows(resource("VPC", None, 0))
    assert runs[0][3:] == ("unknown", "1", "0.000", "unknown")


def test_days_are_days() -> None:
    runs, _ = rows(resource("instance", 72, 1))
    assert runs[0][3:] == ("3.0 d", "1", "1.000", "72.00")
