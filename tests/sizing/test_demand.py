"""What a task asks for, against figures of the Terraform module."""

from __future__ import annotations

import pytest

from sizing.demand import cpu_units, memory_reservation_mb, worker_count


@pytest.mark.parametrize(
    ("container_memory_mb", "workers"),
    [(128, 2), (256, 2), (383, 2), (384, 3), (512, 4), (1023, 7), (1024, 8), (4096, 8)],
)
def test_one_worker_per_128_mb_from_2_to_8(container_memory_mb: int, workers: int) -> None:
    assert worker_count(container_memory_mb) == workers


@pytest.mark.parametrize(("workers", "units"), [(1, 190), (2, 340), (4, 640), (8, 1240)])
def test_cpu_is_150_units_per_worker_and_40(workers: int, units: int) -> None:
    assert cpu_units(workers) == units


@pytest.mark.parametrize(("container_memory_mb", "reservation_mb"), [(128, 96), (511, 383), (512, 384), (1024, 768)])
def test_reservation_is_three_quarters_rounded_down(container_memory_mb: int, reservation_mb: int) -> None:
    assert memory_reservation_mb(container_memory_mb) == reservation_mb
