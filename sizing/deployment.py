"""Room that a rolling deployment needs beside the running tasks."""

from __future__ import annotations


def places_needed(task_min_count: int, task_max_count: int, minimum_healthy_percent: int) -> int:
    """Tasks that the most instances must hold, so that the most run and a deployment makes progress at every count.

    A deployment either starts a new task first, which takes one place more, or stops an old one first, which the
    minimum healthy percentage must allow. At 50 %, of one task it allows none: half a task, rounded up, is one.
    """
    return max(
        count + (not _may_stop_one(count, minimum_healthy_percent))
        for count in range(task_min_count, task_max_count + 1)
    )


def _may_stop_one(count: int, minimum_healthy_percent: int) -> bool:
    return -(-count * minimum_healthy_percent // 100) < count
