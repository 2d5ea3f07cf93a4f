"""Targets that failed their health check, or ended, while the load went on."""

from __future__ import annotations

import numpy as np

from bench.diagnosis.evidence import Evidence
from bench.diagnosis.finding import Finding


def unhealthy(evidence: Evidence) -> Finding | None:
    """Fires where the balancer had fewer healthy targets than tasks at some moment, or a task ended."""
    healthy = evidence.values("healthy_targets")
    # A service that scales out has more with time, and lacked none before.
    wanted = np.maximum(np.maximum.accumulate(healthy), evidence.task_count or 0)
    missing = wanted - healthy
    ended = [*evidence.failures.ended, *evidence.failures.lost_tasks]
    if not missing.any() and not ended:
        return None
    worst = int(missing.argmax()) if len(missing) else 0
    return Finding(
        rule="unhealthy",
        summary=(
            f"The balancer had {healthy[worst]:.0f} of {wanted[worst]:.0f} targets at times: the others failed their "
            "health check."
            if missing.any()
            else "A task ended during the load."
        ),
        evidence=[
            *([f"targets missing in {int((missing > 0).sum())} of {len(missing)} periods"] if missing.any() else []),
            *ended,
        ],
        share=min(1.0, max(0.2, float(missing.sum() / max(wanted.sum(), 1)))),
        advice="Look into the log of these tasks; a health check on /health costs a task next to nothing.",
    )
