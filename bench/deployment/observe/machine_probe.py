"""Memory, swap, processors, disks and sockets of this machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import psutil

from bench.deployment.observe.collector import Collector, Instrument
from bench.deployment.observe.sampler import Probe

_MIB = 2**20
_SUBJECT = "machine"
_SOCKETS = Path("/proc/net/sockstat")


def machine_probe(period_s: float) -> Probe:
    """The whole machine, which runs the balancer and the load generator too."""
    of_machine = (
        ("instance_cpu", "%", "/proc/stat", True),
        ("instance_iowait", "%", "/proc/stat", True),
        ("instance_memory", "MB", "/proc/meminfo MemTotal - MemAvailable", False),
        ("instance_swap", "MB", "/proc/meminfo SwapTotal - SwapFree", False),
        ("instance_swap_io", "MB/s", "/proc/vmstat pswpin + pswpout", True),
        ("disk_read", "MB/s", "/proc/diskstats", True),
        ("disk_write", "MB/s", "/proc/diskstats", True),
        ("open_sockets", "count", f"{_SOCKETS} TCP inuse", False),
    )
    instruments = tuple(
        Instrument(metric, _SUBJECT, unit, source, is_counter) for metric, unit, source, is_counter in of_machine
    )
    return Probe(Collector(instruments, period_s), _read)


def _read() -> Sequence[float]:
    cpu, memory, swap = psutil.cpu_times(), psutil.virtual_memory(), psutil.swap_memory()
    disk = psutil.disk_io_counters(nowrap=False)
    of_all_cores = 100 / (psutil.cpu_count() or 1)
    return (
        # Guests are counted in `user` too.
        (cpu.user + cpu.nice + cpu.system + cpu.irq + cpu.softirq + cpu.steal) * of_all_cores,
        cpu.iowait * of_all_cores,
        (memory.total - memory.available) / _MIB,
        swap.used / _MIB,
        (swap.sin + swap.sout) / _MIB,
        (disk.read_bytes if disk else 0) / _MIB,
        (disk.write_bytes if disk else 0) / _MIB,
        _open_sockets(),
    )


def _open_sockets() -> int:
    match = re.search(r"^TCP: inuse (\d+)", _SOCKETS.read_text(), re.MULTILINE)
    return int(match[1]) if match else 0
