"""Samples of an instance, as the sampler writes them: counters of /proc, and what they say between two moments.

Formats: proc(5) for meminfo, stat and vmstat; Documentation/admin-guide/iostats.rst of the kernel for diskstats. Of an
NFS mount (`statvers=1.1`, net/sunrpc/stats.c of the kernel) each operation has a line `NAME: operations transmissions
timeouts bytes_sent bytes_received queue_ms round_trip_ms execution_ms errors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

_SECTOR_BYTES = 512  # whatever the disk's own are
_MB = 2**20


@dataclass(frozen=True)
class NfsOperation:
    """One kind of operation of one mount, since it was mounted."""

    count: int
    round_trip_ms: int
    """Time from sending a request to its answer, of all of them together."""


Mount = Mapping[str, NfsOperation]
"""Operations by name, such as GETATTR."""


@dataclass(frozen=True)
class HostSample:
    """Counters of an instance at one moment."""

    unix_s: float
    page_bytes: int
    fields: Mapping[str, Sequence[int]]
    """Numbers of each line of meminfo, vmstat and stat, by its first word."""
    sectors: tuple[int, int]
    """Read and written, of all disks."""
    mounts: Mapping[str, Mount]
    """NFS mounts by path."""

    @property
    def memory_mb(self) -> float:
        return (self.fields["MemTotal"][0] - self.fields["MemAvailable"][0]) / 1024

    @property
    def swap_mb(self) -> float:
        return (self.fields["SwapTotal"][0] - self.fields["SwapFree"][0]) / 1024

    @property
    def swapped_mb(self) -> float:
        """In and out, since boot."""
        return (self.fields["pswpin"][0] + self.fields["pswpout"][0]) * self.page_bytes / _MB

    @property
    def oom_kills(self) -> int:
        """Processes that the kernel killed for want of memory, of a task or of the instance, since boot."""
        return self.fields["oom_kill"][0]

    @property
    def cpu_ticks(self) -> tuple[int, int, int]:
        """All, idle, and idle while something waited for a disk or NFS; time of guests is in that of users."""
        ticks = self.fields["cpu"][:8]
        return sum(ticks), ticks[3], ticks[4]


@dataclass(frozen=True)
class HostInterval:
    """What happened between two samples. Rates are averages over it."""

    unix_s: float
    """Its beginning."""
    cpu_percent: float
    iowait_percent: float
    swap_mb_per_s: float
    read_mb_per_s: float
    written_mb_per_s: float
    nfs_operations_per_s: float


def read_samples(text: str) -> list[HostSample]:
    """The samples in the order of time. One that was being written when the sampler ended is left out."""
    # page_size BYTES, then of each sample its time, lines of four files, those of each mount, and `end`.
    whole = text.split("\nend\n")[:-1]
    return [_sample(one.partition("sample ")[2].splitlines(), int(text.split()[1])) for one in whole]


def intervals(samples: Sequence[HostSample]) -> Iterator[HostInterval]:
    """What happened from each sample to the next."""
    for before, after in pairwise(samples):
        duration_s = after.unix_s - before.unix_s
        all_ticks, idle, waiting = (b - a for a, b in zip(before.cpu_ticks, after.cpu_ticks, strict=True))
        if duration_s <= 0 or all_ticks <= 0:
            continue  # the clock was set, or nothing has moved
        read, written = (b - a for a, b in zip(before.sectors, after.sectors, strict=True))
        yield HostInterval(
            unix_s=before.unix_s,
            cpu_percent=100 * (all_ticks - idle - waiting) / all_ticks,
            iowait_percent=100 * waiting / all_ticks,
            swap_mb_per_s=(after.swapped_mb - before.swapped_mb) / duration_s,
            read_mb_per_s=read * _SECTOR_BYTES / _MB / duration_s,
            written_mb_per_s=written * _SECTOR_BYTES / _MB / duration_s,
            nfs_operations_per_s=sum(one.count for one in nfs_operations(before, after).values()) / duration_s,
        )


def nfs_operations(before: HostSample, after: HostSample) -> dict[str, NfsOperation]:
    """Operations between two samples by name, over all mounts."""
    totals: dict[str, NfsOperation] = {}
    for path, operations in after.mounts.items():
        earlier = before.mounts.get(path, {})
        for name, now in operations.items():
            then = earlier.get(name, NfsOperation(0, 0))
            if then.count > now.count:  # mounted anew
                then = NfsOperation(0, 0)
            total = totals.get(name, NfsOperation(0, 0))
            totals[name] = NfsOperation(
                total.count + now.count - then.count, total.round_trip_ms + now.round_trip_ms - then.round_trip_ms
            )
    return {name: total for name, total in totals.items() if total.count}


def _sample(lines: Sequence[str], page_bytes: int) -> HostSample:
    head = list(takewhile(lambda line: not line.startswith("device "), lines[1:]))
    words = [line.split() for line in head]
    # major minor name, reads merged SECTORS ms, writes merged SECTORS ms
    disks = [of for of in words if of[0].isdigit()]
    return HostSample(
        unix_s=float(lines[0]),
        page_bytes=page_bytes,
        fields={
            name.rstrip(":"): [int(word) for word in rest if word.isdigit()]
            for name, *rest in words
            if not name.isdigit()
        },
        sectors=(sum(int(of[5]) for of in disks), sum(int(of[9]) for of in disks)),
        mounts=_mounts(lines[1 + len(head) :]),
    )


def _mounts(lines: Sequence[str]) -> dict[str, Mount]:
    """Mounts by path. One that is there at two paths, with the same counters, age and connections, counts once."""
    blocks: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("device "):
            # device 127.0.0.1:/ mounted on PATH with fstype nfs4 statvers=1.1
            path = line.split()[4]
            blocks[path] = []
        else:
            blocks[path].append(line)
    distinct = {tuple(block): path for path, block in blocks.items()}
    return {path: dict(_operations(block)) for block, path in distinct.items()}


def _operations(lines: Sequence[str]) -> Iterator[tuple[str, NfsOperation]]:
    for line in lines:
        name, *numbers = line.split()
        if name not in ("age:", "xprt:"):
            yield name.rstrip(":"), NfsOperation(int(numbers[0]), int(numbers[6]))
