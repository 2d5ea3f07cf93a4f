"""Demand of one task, and the settings that it follows from.

The formulas are those of the Terraform module infrahouse/pypiserver/aws 2.3.0, so that plans can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol, Self

from sizing.errors import SizingError

MEMORY_PER_WORKER_MB = 128
MIN_WORKERS = 2
MAX_WORKERS = 8
CPU_UNITS_PER_WORKER = 150
CPU_UNITS_PER_TASK = 40  # gunicorn's master process


class SizingSettings(Protocol):
    """Settings of a plan. None means: computed."""

    @property
    def instance_min_count(self) -> int: ...
    @property
    def instance_max_count(self) -> int | None: ...
    @property
    def container_memory_mb(self) -> int: ...
    @property
    def container_memory_reservation_mb(self) -> int | None: ...
    @property
    def container_cpu_units(self) -> int | None: ...
    @property
    def gunicorn_workers(self) -> int | None: ...
    @property
    def task_min_count(self) -> int | None: ...
    @property
    def task_max_count(self) -> int | None: ...
    @property
    def deployment_minimum_healthy_percent(self) -> int: ...
    @property
    def cpu_credits(self) -> str | None: ...


@dataclass(frozen=True)
class SizingValues:
    """The same settings, apart from whatever has them."""

    instance_min_count: int
    instance_max_count: int | None
    container_memory_mb: int
    container_memory_reservation_mb: int | None
    container_cpu_units: int | None
    gunicorn_workers: int | None
    task_min_count: int | None
    task_max_count: int | None
    deployment_minimum_healthy_percent: int
    cpu_credits: str | None

    @classmethod
    def of(cls, settings: SizingSettings) -> Self:
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


class PlanError(SizingError):
    """The settings contradict each other, or one of them is below 1."""


@dataclass(frozen=True)
class TaskDemand:
    """One task: gunicorn workers, and the CPU and memory that ECS sets aside for it."""

    workers: int
    cpu_units: int
    memory_reservation_mb: int


def worker_count(container_memory_mb: int) -> int:
    """gunicorn workers of a task: one for each 128 MB of its limit, from 2 to 8."""
    return max(MIN_WORKERS, min(MAX_WORKERS, container_memory_mb // MEMORY_PER_WORKER_MB))


def cpu_units(workers: int) -> int:
    """CPU units that a task with so many workers reserves; 1024 are one vCPU."""
    return workers * CPU_UNITS_PER_WORKER + CPU_UNITS_PER_TASK


def memory_reservation_mb(container_memory_mb: int) -> int:
    """Memory that ECS sets aside for a task when it places it: three quarters of the limit, rounded down."""
    return container_memory_mb * 3 // 4


def task_demand(settings: SizingSettings, container_memory_mb: int) -> TaskDemand:
    """Demand of one task in a container of that limit: as set, else computed from the limit."""
    workers = given(settings.gunicorn_workers, worker_count(container_memory_mb))
    return TaskDemand(
        workers=workers,
        cpu_units=given(settings.container_cpu_units, cpu_units(workers)),
        memory_reservation_mb=given(
            settings.container_memory_reservation_mb, memory_reservation_mb(container_memory_mb)
        ),
    )


def refuse_contradictions(settings: SizingSettings, task: TaskDemand) -> None:
    """Raise PlanError for the first setting that is below 1 or contradicts another."""
    values = {
        "instance_min_count": settings.instance_min_count,
        "instance_max_count": settings.instance_max_count,
        "container_memory_mb": settings.container_memory_mb,
        "container_memory_reservation_mb": task.memory_reservation_mb,
        "container_cpu_units": task.cpu_units,
        "gunicorn_workers": task.workers,
        "task_min_count": settings.task_min_count,
        "task_max_count": settings.task_max_count,
    }
    for name, value in values.items():
        if value is not None and value < 1:
            raise PlanError(f"{name} = {value} is below 1: set it to 1 or more")
    for low_name, high_name in (
        ("instance_min_count", "instance_max_count"),
        ("task_min_count", "task_max_count"),
        ("container_memory_reservation_mb", "container_memory_mb"),
    ):
        low, high = values[low_name], values[high_name]
        if low is not None and high is not None and low > high:
            raise PlanError(f"{low_name} = {low} is above {high_name} = {high}: lower the first or raise the second")


def given(value: int | None, computed: int) -> int:
    """A setting's value, or what is computed where it has none."""
    return computed if value is None else value
