"""The CPU time that processes used meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psutil


@contextmanager
def cpu_used_s(roots: Mapping[str, int]) -> Iterator[dict[str, float]]:
    """The CPU time that process trees use in a context, by name; complete when the context is left.

    Workers that end meanwhile, and those that take their place, are in it. A tree whose root has ended is not.

    Args:
        roots: process ids by name.
    """
    before = {name: tree_cpu_s(pid) for name, pid in roots.items()}
    used: dict[str, float] = {}
    yield used
    for name, pid in roots.items():
        start_s, end_s = before[name], tree_cpu_s(pid)
        if start_s is not None and end_s is not None:
            used[name] = end_s - start_s


def tree_cpu_s(pid: int) -> float | None:
    """CPU time so far of a process, its descendants, and those of them that have ended and were waited for.

    None where the process itself has ended.
    """
    try:
        root = psutil.Process(pid)
        while root.status() != psutil.STATUS_ZOMBIE:
            processes = [root, *root.children(recursive=True)]
            cpu_s = [_cpu_s(process) for process in processes]
            # One that ends in between would be counted twice, here and with its parent, or not at all.
            if None not in cpu_s and processes == [root, *root.children(recursive=True)]:
                return sum(filter(None, cpu_s))
    except psutil.NoSuchProcess:
        pass
    return None


def _cpu_s(process: psutil.Process) -> float | None:
    """Its own CPU time and that of the children that it waited for; None where it has ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return None
    try:
        # The clock that clock_getcpuclockid(3) gives: nanoseconds, where /proc counts ticks of 10 ms.
        own_s = time.clock_gettime(~process.pid << 3 | 2)
    except (OSError, OverflowError):
        own_s = times.user + times.system
    return own_s + times.children_user + times.children_system
