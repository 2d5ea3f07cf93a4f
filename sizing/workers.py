"""Workers, CPU and memory of one task, all from the memory limit of its container.

The formulas are those of the Terraform module infrahouse/pypiserver/aws 2.3.0, so that plans can be compared.
"""

from __future__ import annotations

MEMORY_PER_WORKER_MB = 128
MIN_WORKERS = 2
MAX_WORKERS = 8
CPU_UNITS_PER_WORKER = 150
CPU_UNITS_PER_TASK = 40  # gunicorn's master process


def worker_count(container_memory_mb: int) -> int:
    """gunicorn workers of a task: one for each 128 MB of its limit, from 2 to 8."""
    return max(MIN_WORKERS, min(MAX_WORKERS, container_memory_mb // MEMORY_PER_WORKER_MB))


def cpu_units(workers: int) -> int:
    """CPU units that a task with so many workers reserves; 1024 are one vCPU."""
    return workers * CPU_UNITS_PER_WORKER + CPU_UNITS_PER_TASK


def memory_reservation_mb(container_memory_mb: int) -> int:
    """Memory that ECS sets aside for a task when it places it: three quarters of the limit, rounded down."""
    return container_memory_mb * 3 // 4
