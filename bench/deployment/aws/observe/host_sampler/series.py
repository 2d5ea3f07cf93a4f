"""Series of the samples of instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.deployment.aws.observe.absence import Absence, attempt
from bench.deployment.aws.observe.host_sampler.sampler import INTERVAL_S
from bench.deployment.aws.observe.host_sampler.samples import HostSample, intervals, nfs_operations, read_samples
from bench.deployment.aws.observe.points import Points, series_of
from bench.deployment.observe.series import Series

Samples = Mapping[str, Sequence[HostSample] | Absence]
"""Of each instance those that it has, or why it has none."""

_FILES_AND_UNITS: Mapping[str, tuple[str, str]] = {
    "instance_cpu": ("/proc/stat", "%"),
    "instance_memory": ("/proc/meminfo", "MB"),
    "instance_swap": ("/proc/meminfo", "MB"),
    "instance_swap_io": ("/proc/vmstat", "MB/s"),
    "instance_iowait": ("/proc/stat", "%"),
    "nfs_operations": ("/proc/1/mountstats", "1/s"),
    "disk_read": ("/proc/diskstats", "MB/s"),
    "disk_write": ("/proc/diskstats", "MB/s"),
}


def read_texts(texts: Mapping[str, str | Absence]) -> Samples:
    """The samples in what each sampler wrote."""
    return {
        instance_id: text if isinstance(text, Absence) else attempt("the sampler", _some_samples, text)
        for instance_id, text in texts.items()
    }


def host_series(samples: Samples) -> Iterator[Series]:
    """A series of each metric and instance."""
    for instance_id, found in samples.items():
        points = found if isinstance(found, Absence) else _points(found)
        for metric, (file, unit) in _FILES_AND_UNITS.items():
            of_metric = points if isinstance(points, Absence) else points[metric]
            yield series_of(metric, instance_id, f"{file} by SSM", unit, INTERVAL_S, of_metric)


def nfs_notes(samples: Samples) -> Iterator[str]:
    """The NFS operations of each instance from its first sample to its last, the most frequent first."""
    for instance_id, found in samples.items():
        if not isinstance(found, Absence):
            operations = nfs_operations(found[0], found[-1]).items()
            ordered = sorted(operations, key=lambda item: -item[1].count)
            shown = [f"{of.count} {name} of {of.round_trip_ms / of.count:.1f} ms" for name, of in ordered]
            yield f"NFS operations of {instance_id}: {', '.join(shown) or 'none'}"


def oom_kills(samples: Samples) -> dict[str, int]:
    """Processes that the kernel of each instance killed for want of memory, from its first sample to its last."""
    return {
        instance_id: found[-1].oom_kills - found[0].oom_kills
        for instance_id, found in samples.items()
        if not isinstance(found, Absence)
    }


def _some_samples(text: str) -> list[HostSample]:
    samples = read_samples(text)
    if len(samples) < 2:
        raise ValueError(f"{len(samples)} whole samples, where two make an interval")
    return samples


def _points(samples: Sequence[HostSample]) -> dict[str, Points]:
    between = list(intervals(samples))
    return {
        "instance_cpu": tuple((one.unix_s, one.cpu_percent) for one in between),
        "instance_memory": tuple((one.unix_s, one.memory_mb) for one in samples),
        "instance_swap": tuple((one.unix_s, one.swap_mb) for one in samples),
        "instance_swap_io": tuple((one.unix_s, one.swap_mb_per_s) for one in between),
        "instance_iowait": tuple((one.unix_s, one.iowait_percent) for one in between),
        "nfs_operations": tuple((one.unix_s, one.nfs_operations_per_s) for one in between),
        "disk_read": tuple((one.unix_s, one.read_mb_per_s) for one in between),
        "disk_write": tuple((one.unix_s, one.written_mb_per_s) for one in between),
    }
