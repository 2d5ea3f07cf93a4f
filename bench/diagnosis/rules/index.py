"""Queueing on the index: requests wait while workers look for the files of others."""

from __future__ import annotations

import numpy as np

from bench.diagnosis.amounts import duration, percent
from bench.diagnosis.evidence import Evidence, own_cost_s
from bench.diagnosis.finding import Finding
from bench.load.samples import Operation

_LEAST_S = 0.005
_LEAST_SHARE = 0.3
# A walk of 300 files takes 8 ms, of 3,000 files 54 ms (docs/performance.md).
_WALK_S_PER_FILE = 0.00002
_LOOKING = (Operation.LISTING, Operation.DOWNLOAD)


def index(evidence: Evidence) -> Finding | None:
    """Fires where looking for files is much of what the tasks do, and requests take far longer than one look.

    Where no server says what its work was, the walk of simple-dir is held against the CPU time of the tasks.
    """
    looks = int(np.isin(evidence.samples.operation, _LOOKING).sum())
    cost_s, share, source = _measured(evidence) or _computed(evidence, looks)
    mean_s = float(evidence.samples.service_time_s.mean())
    if cost_s < _LEAST_S or share < _LEAST_SHARE or mean_s < 2 * cost_s:
        return None
    settings, wheels = evidence.settings, evidence.wheels
    walks = settings is not None and settings.backend == "simple-dir"
    return Finding(
        rule="index",
        summary=(
            f"Requests queue behind the look-up of files: one takes {duration(cost_s)} of a worker, and all together "
            f"are {percent(share)} of the work of the tasks."
        ),
        evidence=[
            f"a listing or download takes {duration(cost_s)} beside the password check ({source}), "
            f"a request {duration(mean_s)} on average",
            *evidence.cpu_lines(),
            *([f"backend = {settings.backend}"] if settings is not None else []),
            *([f"{wheels:,} files"] if wheels is not None else []),
        ],
        share=share,
        advice=(
            "Set backend to validated: it keeps listings in memory while the directory is unchanged."
            if walks
            else "Look at how often the directory changes, and at the latency of its file system; else add tasks."
        ),
    )


def _measured(evidence: Evidence) -> tuple[float, float, str] | None:
    """Cost of a look, and the share of all work that the looks are."""
    timed = evidence.timed
    is_look = np.isin(timed.operation, _LOOKING)
    if not is_look.any():
        return None
    other_s = np.maximum(0.0, timed.server_s - np.nan_to_num(timed.auth_s))
    looks_s = other_s[is_look]
    cost_s, cpu_s = own_cost_s(looks_s), evidence.all_tasks_cpu_s
    if not cpu_s:
        return cost_s, float(looks_s.sum() / max(timed.server_s.sum(), 1e-9)), "Server-Timing"
    checks_s = timed.auth_s[~np.isnan(timed.auth_s)]
    all_checks_s = min(cpu_s, own_cost_s(checks_s) * len(checks_s))
    own_cpu_s = (cpu_s - all_checks_s) / len(looks_s)
    if evidence.processors_are_busy or all_checks_s > cpu_s * _LEAST_SHARE:
        # The time of a look is longer than its cost: it waits for a processor, or for its worker's check of a password.
        cost_s = min(cost_s, own_cpu_s)
    if looks_s.sum() > other_s.sum() / 2:
        # A change of the directory makes a few looks dear, and the CPU time says how dear.
        cost_s = max(cost_s, min(own_cpu_s, float(looks_s.mean())))
    return cost_s, min(1.0, cost_s * len(looks_s) / cpu_s), "Server-Timing"


def _computed(evidence: Evidence, looks: int) -> tuple[float, float, str]:
    settings, cpu_s, wheels = evidence.settings, evidence.all_tasks_cpu_s, evidence.wheels
    if settings is None or settings.backend != "simple-dir" or not cpu_s or not wheels:
        return 0.0, 0.0, ""
    walk_s = wheels * _WALK_S_PER_FILE
    return walk_s, min(1.0, looks * walk_s / cpu_s), f"the usual time of a walk of {wheels:,} files"
