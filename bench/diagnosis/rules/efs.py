"""EFS: throttled, or cleared of the suspicion."""

from __future__ import annotations

from bench.diagnosis.evidence import Evidence
from bench.diagnosis.finding import Finding
from bench.diagnosis.rules.iowait import LEAST_PERCENT

_NEAR_PERCENT = 90.0
# Of 2.1 TiB that a new file system has.
_SPENT_BYTES = 1e9


def efs(evidence: Evidence) -> Finding | None:
    """Fires where the file system was at a limit of its own; where it was not, but processors waited, it is cleared."""
    limited = _limited(evidence)
    if limited:
        return Finding(
            rule="efs",
            summary="EFS was at a limit of its own, and its operations waited.",
            evidence=_figures(evidence),
            share=max(0.2, max(limited)),
            advice="Set efs_throughput_mode to elastic, or provision more; lower the number of small file operations.",
        )
    iowait = evidence.mean("instance_iowait")
    if not _figures(evidence) or iowait is None or iowait < LEAST_PERCENT:
        return None
    return Finding(
        rule="efs",
        summary="EFS was not the limit, although processors waited for input and output.",
        evidence=_figures(evidence),
        share=0.0,
        advice="Leave EFS as it is, and look at memory, swap and the root disk.",
    )


def _limited(evidence: Evidence) -> list[float]:
    """For each limit that was reached, the part of the time."""
    parts = [evidence.values(metric) >= _NEAR_PERCENT for metric in ("efs_percent_io_limit", "efs_throughput")]
    parts.append(evidence.values("efs_burst_credits") <= _SPENT_BYTES)
    return [float(part.mean()) for part in parts if part.any()]


def _figures(evidence: Evidence) -> list[str]:
    lines = []
    if (percent := evidence.highest("efs_percent_io_limit")) is not None:
        lines.append(f"{percent:.1f} % of the limit of operations at most")
    if (percent := evidence.highest("efs_throughput")) is not None:
        lines.append(f"{percent:.1f} % of the permitted throughput at most")
    if (credits := evidence.lowest("efs_burst_credits")) is not None:
        lines.append(f"{credits / 1e12:.2f} TB of burst credits at least")
    return lines
