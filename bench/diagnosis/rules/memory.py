"""Memory of the tasks: near their hard limit, or beyond it."""

from __future__ import annotations

from bench.diagnosis.amounts import percent
from bench.diagnosis.evidence import Evidence
from bench.diagnosis.finding import Finding
from sizing.counted import counted

_NEAR = 0.9
_ADVICE = "Raise container_memory_mb, or lower gunicorn_workers."


def memory(evidence: Evidence) -> Finding | None:
    """Fires on an OOM kill, and on a task that came within a tenth of its limit."""
    highest_mb, plan = evidence.highest("task_memory"), evidence.plan
    use = highest_mb / plan.container_memory_mb if highest_mb is not None and plan is not None else 0.0
    if not evidence.failures.oom_kills and use < _NEAR:
        return None
    in_figures = []
    if plan is not None:
        if highest_mb is not None:
            in_figures.append(f"largest memory of a task: {highest_mb:,.0f} of {plan.container_memory_mb:,} MB")
        in_figures.append(f"{plan.gunicorn_workers} workers a task")
    if kills := evidence.failures.oom_kills:
        return Finding(
            rule="memory",
            summary=f"The kernel killed processes of {counted(len(kills), 'task')} for want of memory.",
            evidence=[*kills, *in_figures],
            # Requests of a worker that was killed fail; those behind it wait for the next one to start.
            share=max(0.5, evidence.share_of_failures(int(evidence.samples.failed.sum()))),
            advice=_ADVICE,
        )
    return Finding(
        rule="memory",
        summary=f"A task used {percent(use)} of its memory limit: the kernel kills processes above it.",
        evidence=in_figures,
        share=0.1,
        advice=_ADVICE,
    )
