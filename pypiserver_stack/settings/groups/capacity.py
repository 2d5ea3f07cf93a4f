"""Number and size of instances and tasks. Satisfies `sizing.SizingSettings`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from pypiserver_stack.settings.problems import Problem
from pypiserver_stack.settings.types import Count, Group


class CapacitySettings(Group):
    """Instances and tasks."""

    instance_type: str = Field(default="t3.small", pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")
    """EC2 instance type."""
    instance_min_count: Count = 2
    """Fewest instances in the Auto Scaling group."""
    instance_max_count: Count | None = None
    """Most instances; computed: what the most tasks need, at least one more than the fewest."""

    container_memory_mb: int = Field(default=512, ge=128, le=65536)
    """Hard memory limit of a task in MB; above it ECS kills the task."""
    container_memory_reservation_mb: Annotated[int, Field(ge=64, le=65536)] | None = None
    """Memory in MB that placement sets aside for a task; computed: 75 % of the limit."""
    container_cpu_units: Annotated[int, Field(ge=128, le=65536)] | None = None
    """CPU units (1024 = one vCPU) of a task; computed: 150 per worker and 40."""
    gunicorn_workers: Annotated[int, Field(ge=1, le=16)] | None = None
    """gunicorn worker processes of a task; computed: one per 128 MB, 2 to 8."""
    task_min_count: Count | None = None
    """Fewest tasks of the service; computed: what the fewest instances hold."""
    task_max_count: Count | None = None
    """Most tasks of the service; computed: twice the fewest."""

    def contradictions(self) -> Iterator[Problem]:
        """Ranges whose ends are in the wrong order."""
        for low_key, high_key in (
            ("instance_min_count", "instance_max_count"),
            ("task_min_count", "task_max_count"),
            ("container_memory_reservation_mb", "container_memory_mb"),
        ):
            low, high = getattr(self, low_key), getattr(self, high_key)
            if low is not None and high is not None and low > high:
                yield self.refused(low_key, f"at most {high_key}, which is {high}", high_key)
