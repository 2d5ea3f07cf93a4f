"""Iowait: processors have nothing to do but wait for a disk, for swap or for EFS."""

from __future__ import annotations

from bench.diagnosis.amounts import percent
from bench.diagnosis.evidence import Evidence
from bench.diagnosis.finding import Finding
from bench.diagnosis.rules.swap import is_swapping

LEAST_PERCENT = 20.0


def iowait(evidence: Evidence) -> Finding | None:
    """Fires from a fifth of the time on average. Where an instance swaps, that is the cause, and comes first."""
    mean, highest = evidence.mean("instance_iowait"), evidence.highest("instance_iowait")
    if mean is None or highest is None or mean < LEAST_PERCENT:
        return None
    swapping = is_swapping(evidence)
    return Finding(
        rule="iowait",
        summary=f"Processors waited for a disk or a file system {percent(mean / 100)} of the time.",
        evidence=[
            f"iowait {mean:.0f} % on average, {highest:.0f} % at most",
            *_disks(evidence),
            *(["the instance swapped meanwhile, which is itself a wait for the disk"] if swapping else []),
        ],
        share=min(1.0, mean / 100) * (0.5 if swapping else 1.0),
        advice=(
            "Give the instances memory first: the waiting is that for swap."
            if swapping
            else "Look at what is read: wheels that do not fit into the page cache want memory, EFS wants throughput."
        ),
    )


def _disks(evidence: Evidence) -> list[str]:
    names = {"disk_read": "root disk reads", "disk_write": "root disk writes", "efs_data_read": "EFS reads"}
    return [f"{name} {mean:.1f} MB/s" for metric, name in names.items() if (mean := evidence.mean(metric)) is not None]
