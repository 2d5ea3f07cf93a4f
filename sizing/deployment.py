"""What a rolling deployment of the service needs beside the tasks that run already."""

from __future__ import annotations

MINIMUM_HEALTHY_PERCENT = 50
"""Of the desired tasks, rounded up: below it a deployment stops no task. At the most tasks the hosts may be full; then
old ones have to make room for new ones, or a deployment would wait for ever."""
MAXIMUM_PERCENT = 200
"""Of the desired tasks: while there is room, all the new ones may start before an old one stops."""


def places_needed(task_min_count: int, task_max_count: int) -> int:
    """Tasks that the most instances must hold, so that the most run and a deployment makes progress at every count.

    A deployment either starts a new task first, which takes one place more, or stops an old one first, which the
    minimum healthy percentage must allow. Of one task it allows none: half a task, rounded up, is one.
    """
    return max(count + (not _may_stop_one(count)) for count in range(task_min_count, task_max_count + 1))


def _may_stop_one(count: int) -> bool:
    return -(-count * MINIMUM_HEALTHY_PERCENT // 100) < count
