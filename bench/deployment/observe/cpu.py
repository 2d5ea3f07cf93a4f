"""The CPU time that processes used meanwhile."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import psutil


class CpuObserver:
    """Reads the CPU time of process trees when it is entered and when it is left; `used_s` is the difference, by name.

    Workers that end meanwhile, and those that take their place, are in it. A tree whose root has ended is not.
    """

    def __init__(self, roots: Mapping[str, int]) -> None:
        """`roots` are process ids by name."""
        self.used_s: dict[str, float] = {}
        self._roots = roots
        self._before: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._before = self._read()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.used_s = {name: cpu_s - self._before[name] for name, cpu_s in self._read().items()}

    def _read(self) -> dict[str, float]:
        read = {name: tree_cpu_s(pid) for name, pid in self._roots.items()}
        return {name: cpu_s for name, cpu_s in read.items() if cpu_s is not None}


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
