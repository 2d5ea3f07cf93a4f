"""CPU credits: a burstable instance that has spent them runs at its baseline."""

from __future__ import annotations

from bench.diagnosis.evidence import Evidence
from bench.diagnosis.finding import Finding

_SPENT = 1.0


def cpu_credits(evidence: Evidence) -> Finding | None:
    """Fires where the balance of an instance reached nothing."""
    spent = [one for one in evidence.series_of("instance_cpu_credits") if min(one.values) <= _SPENT]
    if not spent:
        return None
    without = max(sum(value <= _SPENT for value in one.values) / len(one.values) for one in spent)
    return Finding(
        rule="cpu_credits",
        summary="An instance spent its CPU credits and ran at its baseline from then on.",
        evidence=[
            f"{one.subject}: {one.values[0]:.0f} credits at first, {min(one.values):.1f} at least" for one in spent
        ],
        share=max(0.3, without),
        advice="Take an instance type that is not burstable, or turn on unlimited credits, which are billed.",
    )
