"""Consistency report of what a check saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from bench.commands.consistency.check import Seen
from bench.commands.consistency.judge import NAMELESS, Fault, Kind, Tally
from bench.commands.consistency.model import CheckParameters, ConsistencyReport, Faults, Miss, TaskResult
from bench.common.natural_order import natural_order
from bench.report.build import Findings, build_outcome


def build_consistency_report(
    findings: Findings, asked: CheckParameters, seen: Seen, ended_at: datetime
) -> ConsistencyReport:
    """The report of a check as far as it got."""
    judge = seen.judge
    tasks = sorted(seen.tasks | judge.tallies.keys(), key=natural_order)
    tallies = {task: judge.tallies.get(task, Tally()) for task in tasks}
    return build_outcome(
        ConsistencyReport,
        findings,
        ended_at,
        asked=asked,
        stack=findings.stack,
        uploads=seen.changes["upload"],
        removals=seen.changes["removal"],
        refusals=list(seen.refusals.values()),
        reads=sum(tally.reads for tally in tallies.values()),
        reads_by_kind={kind.value: judge.kinds[kind] for kind in Kind},
        faults=_faults(tally.faults for tally in tallies.values()),
        tasks=[_task(task, tally, seen) for task, tally in tallies.items()],
        misses=[
            Miss(
                task=task or NAMELESS,
                thing=thing,
                change=change,
                answers=lag.misses,
                oldest_miss_s=lag.oldest_miss_s,
                settled_s=lag.settled_s,
            )
            for (thing, change, task), lag in judge.lags.items()
            if lag.misses
        ],
        examples=judge.examples,
        remaining=[file.label for file in seen.files if file.remains],
    )


def _task(task: str, tally: Tally, seen: Seen) -> TaskResult:
    misses = [lag.oldest_miss_s for (_, _, of), lag in seen.judge.lags.items() if of == task and lag.misses]
    return TaskResult(
        name=task or NAMELESS,
        reads=tally.reads,
        idle_reads=tally.idle_reads,
        faults=_faults([tally.faults]),
        oldest_miss_s=max(misses, default=None),
        errors=dict(tally.errors),
        silences=seen.silences[task],
    )


def _faults(counters: Iterable[Counter[Fault]]) -> Faults:
    total = sum(counters, Counter())
    return Faults(**{fault.value: total[fault] for fault in Fault})
