"""Settings to plan with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sizing import SizingSettings


@dataclass(frozen=True)
class Wanted:
    instance_min_count: int = 2
    instance_max_count: int | None = None
    container_memory_mb: int = 512
    container_memory_reservation_mb: int | None = None
    container_cpu_units: int | None = None
    gunicorn_workers: int | None = None
    task_min_count: int | None = None
    task_max_count: int | None = None
    deployment_minimum_healthy_percent: int = 50
    cpu_credits: str | None = None


@pytest.fixture(scope="session")
def wanted() -> Callable[..., SizingSettings]:
    """Makes settings: two instances with 512 MB containers, all else computed, unless said otherwise."""
    return Wanted
