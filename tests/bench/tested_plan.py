"""Plan of the stress stack, as it was when the tests that use it were written."""

from __future__ import annotations

from bench.deployment.description import Plan

TESTED_PLAN = Plan(
    instance_type="c6a.xlarge",
    instances=2,
    tasks_per_instance=6,
    task_min_count=12,
    task_max_count=24,
    gunicorn_workers=4,
    container_cpu_units=640,
    container_memory_mb=512,
    container_memory_reservation_mb=384,
    bound_by="cpu",
)
