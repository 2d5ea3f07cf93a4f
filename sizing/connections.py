"""Connections that a worker takes at a time: what the memory of its container allows at the worst.

docs/sizing.md has the measurements.
"""

from __future__ import annotations

MASTER_MEMORY_MB = 30
"""gunicorn's master, with what it shares with its workers."""
IDLE_WORKER_MEMORY_MB = 24
CONNECTION_MEMORY_KB = 192
"""In the worker and in the kernel, of a client that stops in the middle of an upload; an idle one costs 20."""
EXPECTED_CONNECTIONS = 128
"""Connections that a balancer opens to a task in a burst: 500 clients with three each, over twelve tasks."""
# A worker that is granted none by its memory still serves; the plan is warned of.
_LEAST_CONNECTIONS = 16


def worker_connections(container_memory_mb: int, workers: int) -> int:
    """Connections of one worker. Half of the memory that idle workers leave is theirs; an index has the other."""
    return max(_LEAST_CONNECTIONS, _task_connections(container_memory_mb, workers) // workers)


def most_workers(container_memory_mb: int) -> int:
    """The most workers, at least one, that leave a task the memory for the connections to be expected."""
    workers = 1
    while _task_connections(container_memory_mb, workers + 1) >= EXPECTED_CONNECTIONS:
        workers += 1
    return workers


def _task_connections(container_memory_mb: int, workers: int) -> int:
    left_mb = container_memory_mb - MASTER_MEMORY_MB - workers * IDLE_WORKER_MEMORY_MB
    return left_mb * 1024 // 2 // CONNECTION_MEMORY_KB
