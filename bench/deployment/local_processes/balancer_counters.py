"""Counters of the balancer, in the terms of an Application Load Balancer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LISTENER = "http.listener."
_CLUSTER = "cluster.targets."
_OVERFLOW = "downstream_cx_overflow"
# Envoy counts its own 503 among those of the targets. It sends one for each of these.
_BROKEN = (
    "upstream_cx_destroy_remote_with_active_rq",
    "upstream_rq_pending_failure_eject",
    "upstream_cx_none_healthy",
    "upstream_rq_timeout",
)
FILTER = "|".join(
    [
        rf"^{_LISTENER}(downstream_rq_total|downstream_rq_5xx|downstream_cx_active)$",
        rf"^{_CLUSTER}({'|'.join(_BROKEN)})$",
        rf"^listener\.127[^a-z]*{_OVERFLOW}$",
    ]
)
"""Expression for the names of the statistics that `of_statistics` takes."""


@dataclass(frozen=True)
class BalancerCounters:
    """Counters since the balancer started, health checks aside, and its connections at the moment."""

    requests: int
    own_5xx: int
    """Answers of 500 and above that no target sent."""
    target_5xx: int
    rejected_connections: int
    active_connections: int

    @classmethod
    def of_statistics(cls, answer: Mapping[str, Any]) -> BalancerCounters:
        """The counters in an answer of Envoy to GET /stats, in JSON."""
        numbers = {stat["name"]: int(stat["value"]) for stat in answer["stats"] if "value" in stat}
        all_5xx = numbers.get(f"{_LISTENER}downstream_rq_5xx", 0)
        # A target that breaks off in the middle of an answer had sent a status already.
        own_5xx = min(all_5xx, sum(numbers.get(_CLUSTER + name, 0) for name in _BROKEN))
        return cls(
            requests=numbers.get(f"{_LISTENER}downstream_rq_total", 0),
            own_5xx=own_5xx,
            target_5xx=all_5xx - own_5xx,
            rejected_connections=sum(value for name, value in numbers.items() if name.endswith(_OVERFLOW)),
            active_connections=numbers.get(f"{_LISTENER}downstream_cx_active", 0),
        )
