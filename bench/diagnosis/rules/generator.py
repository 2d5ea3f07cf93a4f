"""The load generator, or the network between it and the balancer, as the limit."""

from __future__ import annotations

import numpy as np

from bench.diagnosis.amounts import duration, percent
from bench.diagnosis.evidence import Evidence
from bench.diagnosis.finding import Finding
from bench.load.health import WARN_CPU_SHARE, WARN_SEND_LATENESS_S

_LEAST_RATIO = 2.0
_LEAST_DIFFERENCE_S = 0.05


def generator(evidence: Evidence) -> Finding | None:
    """Fires where the generator was busy, late or short of ports, and where most waiting was before the balancer."""
    return _own_limit(evidence) or _network(evidence)


def _own_limit(evidence: Evidence) -> Finding | None:
    health, samples = evidence.generator, evidence.samples
    if health is None:
        return None
    busiest, late_s = max(health.cpu_shares, default=0.0), health.send_lateness_p99_s
    if busiest < WARN_CPU_SHARE and late_s < WARN_SEND_LATENESS_S and not health.exhausted:
        return None
    late_share = float((samples.sent_s - samples.due_s).sum() / max(samples.latency_s.sum(), 1e-9))
    busy_share = (busiest - WARN_CPU_SHARE) / (1 - WARN_CPU_SHARE)
    return Finding(
        rule="generator",
        summary="The load generator was a limit itself: the index may be faster than measured.",
        evidence=[
            f"its busiest process used {percent(busiest)} of a core",
            f"1 % of the requests were begun {duration(late_s)} late or later",
            *([f"{health.exhausted:,} connections were refused by its own machine"] if health.exhausted else []),
        ],
        share=float(np.clip(max(late_share, busy_share, evidence.share_of_failures(health.exhausted)), 0.05, 1.0)),
        advice="Spread the load with --generators or --loaders, use a machine with more cores, or fewer clients.",
    )


def _network(evidence: Evidence) -> Finding | None:
    """By medians: an average over minutes hides a burst in the tail of either."""
    behind_s, samples = evidence.mean("balancer_response_time_p50"), evidence.samples
    if behind_s is None:
        return None
    seen_s = float(np.median(samples.service_time_s))
    if seen_s < _LEAST_RATIO * behind_s or seen_s - behind_s < _LEAST_DIFFERENCE_S:
        return None
    duration_s = float(samples.done_s.max() - samples.sent_s.min())
    return Finding(
        rule="generator",
        summary=(
            f"Most of the time of a request was spent before the balancer: {duration(seen_s)} at the client, "
            f"{duration(behind_s)} behind the balancer."
        ),
        evidence=[
            "medians of the service time and of the balancer's response time",
            f"{int(samples.received_bytes.sum()) * 8 / max(duration_s, 1e-9) / 1e6:,.0f} Mbit/s were received",
        ],
        share=(seen_s - behind_s) / seen_s,
        advice="Send the load from the region of the index, or from more machines.",
    )
