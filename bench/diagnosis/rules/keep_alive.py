"""Errors of the balancer by idle connections: the tasks close theirs before the balancer does."""

from __future__ import annotations

import numpy as np

from bench.diagnosis.amounts import percent
from bench.diagnosis.evidence import Evidence
from bench.diagnosis.finding import Finding

# What a balancer answers by itself: an Application Load Balancer 502, Envoy 503.
_GATEWAY_ERRORS = (502, 503, 504)


def keep_alive(evidence: Evidence) -> Finding | None:
    """Fires where the keep-alive is the shorter one, and the balancer had errors of its own."""
    settings = evidence.settings
    if settings is None or settings.gunicorn_keepalive_s > settings.idle_timeout_s:
        return None
    errors = _gateway_errors(evidence)
    if not errors:
        return None
    return Finding(
        rule="keep_alive",
        summary=(
            f"The balancer failed {errors:,} requests on connections that tasks had closed: they keep idle ones for "
            f"{settings.gunicorn_keepalive_s} s, the balancer for {settings.idle_timeout_s} s."
        ),
        evidence=[
            f"gunicorn_keepalive_s = {settings.gunicorn_keepalive_s}, idle_timeout_s = {settings.idle_timeout_s}",
            f"answers of 502, 503 or 504 that no task sent: {errors:,} of {len(evidence.samples):,} "
            f"({percent(errors / len(evidence.samples))})",
        ],
        share=evidence.share_of_failures(errors),
        advice="Set gunicorn_keepalive_s above idle_timeout_s, to 75 or more.",
    )


def _gateway_errors(evidence: Evidence) -> int:
    """Requests that the balancer itself failed: not those that a server answered so."""
    samples = evidence.samples
    nameless = np.array([not name for name in samples.served_by_names], np.bool_)
    seen = int((np.isin(samples.status, _GATEWAY_ERRORS) & nameless[samples.served_by]).sum())
    own = evidence.series_of("balancer_5xx")
    # A balancer that counts them knows better.
    if own and not any(value for one in own for value in one.values):
        return 0
    return seen
