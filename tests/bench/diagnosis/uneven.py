"""Requests that are not all alike."""

from __future__ import annotations

from bench.load.samples import Operation, Samples
from tests.bench.diagnosis.cases import requests


def slow_second_task(work_s: float, of_second: int = 150) -> Samples:
    samples = requests(150 + of_second, service_s=1.0, tasks={"task-1": 150, "task-2": of_second})
    samples.rows["server_s"] = [0.01] * 150 + [work_s] * of_second
    return samples


def one_at_a_time_is_quick() -> Samples:
    samples = slow_second_task(0.1)
    samples.rows["server_s"][::10] = 0.01
    return samples


def slow_for_listings() -> Samples:
    samples = slow_second_task(0.1)
    samples.rows["server_s"][samples.operation == Operation.DOWNLOAD] = 0.01
    return samples


def a_few_slow_looks(slow: int) -> Samples:
    """Listings of which some scanned a directory of many files."""
    samples = requests(300, service_s=2.0, auth_s=0.00001)
    samples.rows["server_s"] = [0.5] * slow + [0.0005] * (300 - slow)
    return samples
