"""Cookie concentration: the balancer's cookie binds clients to a task, and one task gets most requests."""

from __future__ import annotations

import math

from bench.diagnosis.amounts import percent
from bench.diagnosis.evidence import Evidence
from bench.diagnosis.finding import Finding

_FEWEST_REQUESTS = 50
# Of the way from an even share to all requests.
_LEAST_EXCESS = 0.2
_LEAST_DEVIATIONS = 4.0


def cookie(evidence: Evidence) -> Finding | None:
    """Fires where stickiness is on and one task has more requests than chance or the algorithm would give it."""
    settings, requests = evidence.settings, evidence.requests_of_tasks
    tasks, total = max(evidence.task_count or 0, len(requests)), sum(requests.values())
    if settings is None or not settings.stickiness_enabled or tasks < 2 or total < _FEWEST_REQUESTS:
        return None
    busiest = max(requests, key=requests.__getitem__)
    share, even_share = requests[busiest] / total, 1 / tasks
    excess = (share - even_share) / (1 - even_share)
    deviations = (share - even_share) / math.sqrt(even_share * (1 - even_share) / total)
    if excess < _LEAST_EXCESS or deviations < _LEAST_DEVIATIONS:
        return None
    return Finding(
        rule="cookie",
        summary=f"The balancer's cookie sent {percent(share)} of the requests to one of {tasks} tasks, {busiest}.",
        evidence=[
            f"stickiness_enabled = true, and an even share is {percent(even_share)}",
            "requests by task: " + ", ".join(f"{task} {count:,}" for task, count in requests.items()),
        ],
        share=excess,
        advice="Set stickiness_enabled to false: every task can answer every request.",
    )
