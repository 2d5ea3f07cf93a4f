"""CPU time and memory of the processes of one task, read often and cheaply."""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path

import psutil

_PSS_KB = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)
_RSS_KB = re.compile(rb"^VmRSS:\s+(\d+) kB", re.MULTILINE)
_PEAK_RSS_KB = re.compile(rb"^VmHWM:\s+(\d+) kB", re.MULTILINE)


class TaskProcesses:
    """The process tree of a task, as it was when it was last looked for."""

    def __init__(self, root_pid: int) -> None:
        self._root_pid = root_pid
        self._cpu_s = 0.0
        self._clocks_s: dict[int, float] = {}
        """CPU time of each process when it was last read."""
        self._first_peaks_mb: dict[int, float] = {}
        self.find()
        self._first_peaks_mb = {pid: _status_mb(pid, _PEAK_RSS_KB) for pid in self._clocks_s}

    def find(self) -> None:
        """Look for the processes again: workers end, and others take their place."""
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(self._root_pid)
            pids = [root.pid, *(child.pid for child in root.children(recursive=True))]
            self._clocks_s = {pid: self._clocks_s.get(pid, _clock_s(pid)) for pid in pids}

    def cpu_s(self) -> float:
        """CPU time that the processes have used since the first look. It never goes back."""
        for pid, before_s in self._clocks_s.items():
            now_s = _clock_s(pid)
            self._cpu_s += max(0.0, now_s - before_s)
            self._clocks_s[pid] = now_s
        return self._cpu_s

    def memory_mb(self) -> float:
        """Proportional set size: a page that n processes share counts 1/n for each.

        This is what the container's memory control group would be charged with, but for page cache, which it gives
        back. The kernel walks the page tables for it, which takes about a millisecond of each task.
        """
        return sum(_kb_of(Path(f"/proc/{pid}/smaps_rollup"), _PSS_KB) for pid in self._clocks_s) / 1024

    def given_back_mb(self) -> float:
        """Memory that the processes had at their peak since the first look, and no longer have.

        The kernel notes the peak of each process. Peaks at different moments are added, so that it is an upper bound.
        """
        total_mb = 0.0
        for pid in self._clocks_s:
            peak_mb = _status_mb(pid, _PEAK_RSS_KB)
            if peak_mb > self._first_peaks_mb.get(pid, 0.0):
                total_mb += max(0.0, peak_mb - _status_mb(pid, _RSS_KB))
        return total_mb


def _clock_s(pid: int) -> float:
    """CPU time of a process; 0 where it has ended."""
    with contextlib.suppress(OSError, OverflowError):
        # The clock that clock_getcpuclockid(3) gives: one call, where /proc takes opening and parsing a file.
        return time.clock_gettime(~pid << 3 | 2)
    return 0.0


def _status_mb(pid: int, field: re.Pattern[bytes]) -> float:
    return _kb_of(Path(f"/proc/{pid}/status"), field) / 1024


def _kb_of(file: Path, field: re.Pattern[bytes]) -> int:
    """A field of a file in /proc; 0 where the process has ended."""
    with contextlib.suppress(OSError):
        if match := field.search(file.read_bytes()):
            return int(match[1])
    return 0
