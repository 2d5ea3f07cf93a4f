"""Layout of a sweep's result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from bench.deployment.aws.sweep.resource import RunResource
from bench.report.blocks import Blocks, Note, Table


def leftover_blocks(resources: Sequence[RunResource], now: datetime) -> Blocks:
    """The runs with their age and cost, and every resource of theirs."""
    by_run = groupby(sorted(resources, key=lambda one: one.run.run), key=lambda one: one.run.run)
    runs = Table(
        columns=("run", "owner", "expires", "age", "resources", "USD per hour", "USD so far"),
        left=(0, 1, 2),
        rows=[_run_row(list(group), now) for _, group in by_run],
    )
    each = Table(
        columns=("kind", "id", "run", "age"),
        left=(0, 1, 2),
        rows=[(one.kind, one.id, one.run.run, _age(one.sighting.made_at, now)) for one in resources],
    )
    origin = "Cost: list prices of instances, disks, balancers, gateways, endpoints, addresses and stored data."
    return [runs, each, Note(lines=[origin])]


def _run_row(resources: list[RunResource], now: datetime) -> tuple[str, ...]:
    tags = resources[0].run
    oldest = min((one.sighting.made_at for one in resources if one.sighting.made_at), default=None)
    per_hour = sum(one.sighting.usd_per_hour for one in resources)
    so_far = f"{_usd_so_far(resources, oldest, now):.2f}" if oldest else "unknown"
    expires = f"{tags.expires_at:%Y-%m-%d %H:%M} UTC"
    return (tags.run, tags.owner, expires, _age(oldest, now), str(len(resources)), f"{per_hour:.3f}", so_far)


def _usd_so_far(resources: Iterable[RunResource], oldest: datetime, now: datetime) -> float:
    """What AWS dates by itself counts from then on, everything else from the oldest of its run."""
    return sum(
        one.sighting.usd_per_hour * (now - (one.sighting.made_at or oldest)).total_seconds() / 3600 for one in resources
    )


def _age(made_at: datetime | None, now: datetime) -> str:
    if made_at is None:
        return "unknown"
    hours = (now - made_at).total_seconds() / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} d"
