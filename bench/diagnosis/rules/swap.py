"""Swap: an instance without enough memory moves pages to and from its disk."""

from __future__ import annotations

from bench.diagnosis.amounts import percent
from bench.diagnosis.evidence import Evidence
from bench.diagnosis.finding import Finding

_LEAST_MB_PER_S = 0.5
_LEAST_GROWTH_MB = 32.0


def swap(evidence: Evidence) -> Finding | None:
    """Fires where swap is in use, not merely filled: pages move, or where that is not known, it grew."""
    if not is_swapping(evidence):
        return None
    used_mb, moved = evidence.values("instance_swap"), evidence.values("instance_swap_io")
    iowait = evidence.mean("instance_iowait")
    busy = float((moved >= _LEAST_MB_PER_S).mean()) if len(moved) else 0.0
    return Finding(
        rule="swap",
        summary="An instance ran out of memory and swapped.",
        evidence=[
            *([f"swap in use: {used_mb.min():,.0f} to {used_mb.max():,.0f} MB"] if len(used_mb) else []),
            *([f"{moved.mean():.1f} MB/s in and out on average, {moved.max():.1f} at most"] if len(moved) else []),
            *([f"processors waited for disks {percent(iowait / 100)} of the time"] if iowait is not None else []),
            *([f"memory in use: up to {memory:,.0f} MB"] if (memory := evidence.highest("instance_memory")) else []),
        ],
        share=min(1.0, max(0.1, iowait / 100 if iowait is not None else busy / 2)),
        advice="Take an instance type with more memory, or fewer tasks on each instance.",
    )


def is_swapping(evidence: Evidence) -> bool:
    """Whether pages moved to or from swap during the load."""
    if (moved := evidence.mean("instance_swap_io")) is not None:
        return moved >= _LEAST_MB_PER_S
    growths = [max(one.values) - one.values[0] for one in evidence.series_of("instance_swap")]
    return max(growths, default=0.0) >= _LEAST_GROWTH_MB
