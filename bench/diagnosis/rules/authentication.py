"""Queueing on authentication: requests wait while workers check the passwords of others."""

from __future__ import annotations

import numpy as np

from bench.diagnosis.amounts import duration, percent
from bench.diagnosis.evidence import Evidence, own_cost_s
from bench.diagnosis.finding import Finding
from bench.load.samples import Operation

_LEAST_S = 0.005
_LEAST_SHARE = 0.3
# bcrypt of cost 10 takes 50 to 60 ms of CPU (docs/performance.md).
_BCRYPT_S = 0.05


def authentication(evidence: Evidence) -> Finding | None:
    """Fires where checks are much of what the tasks do, and requests take far longer than one check.

    Where no server says what its work was, bcrypt in the settings is held against the CPU time of the tasks.
    """
    settings = evidence.settings
    cost_s, share, source = _measured(evidence) or _computed(evidence)
    mean_s = float(evidence.samples.service_time_s.mean())
    if cost_s < _LEAST_S or share < _LEAST_SHARE or mean_s < 2 * cost_s:
        return None
    return Finding(
        rule="authentication",
        summary=(
            f"Requests queue behind password checks: one takes {duration(cost_s)} of a worker, and all together are "
            f"{percent(share)} of the work of the tasks."
        ),
        evidence=[
            f"a check takes {duration(cost_s)} ({source}), a request {duration(mean_s)} on average",
            *evidence.cpu_lines(),
            *([f"authentication = {settings.authentication}"] if settings is not None else []),
        ],
        share=share,
        advice="Set authentication to sha256: a generated password needs no slow hash.",
    )


def _measured(evidence: Evidence) -> tuple[float, float, str] | None:
    """Cost of a check, and the share of all work that the checks are."""
    auth_s, work_s = evidence.timed.auth_s, evidence.timed.server_s
    checks_s = auth_s[~np.isnan(auth_s)]
    if not len(checks_s):
        return None
    cost_s, cpu_s = own_cost_s(checks_s), evidence.all_tasks_cpu_s
    if not cpu_s:
        return cost_s, float(checks_s.sum() / max(work_s.sum(), 1e-9)), "Server-Timing"
    # Nothing in a check waits for anything but a processor.
    cost_s = min(cost_s, cpu_s / len(checks_s))
    return cost_s, min(1.0, cost_s * len(checks_s) / cpu_s), "Server-Timing"


def _computed(evidence: Evidence) -> tuple[float, float, str]:
    settings, cpu_s = evidence.settings, evidence.all_tasks_cpu_s
    if settings is None or settings.authentication != "bcrypt" or not cpu_s:
        return 0.0, 0.0, ""
    # A redirect is public.
    checks = int((evidence.samples.operation != Operation.REDIRECT).sum())
    return _BCRYPT_S, min(1.0, checks * _BCRYPT_S / cpu_s), "the usual time of bcrypt"
