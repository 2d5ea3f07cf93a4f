"""Fields of a consistency report, from what a check saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from bench.commands.consistency.check import CheckState
from bench.commands.consistency.judge import NAMELESS, AnswerFault, ReadKind, Tally
from bench.commands.consistency.model import CheckParameters, Faults, Miss, TaskResult
from bench.common.natural_order import natural_order
from bench.report.build import Findings


def report_fields(findings: Findings, asked: CheckParameters, state: CheckState) -> dict[str, Any]:
    """The fields that only a `ConsistencyReport` has, of a check as far as it got."""
    judge = state.judge
    tasks = sorted(state.tasks | judge.tallies.keys(), key=natural_order)
    tallies = {task: judge.tallies.get(task, Tally()) for task in tasks}
    return {
        "asked": asked,
        "stack": findings.stack,
        "uploads": state.changes["upload"],
        "removals": state.changes["removal"],
        "refusals": list(state.refusals.values()),
        "reads": sum(tally.reads for tally in tallies.values()),
        "reads_by_kind": {kind.value: judge.reads_by_kind[kind] for kind in ReadKind},
        "faults": _faults(tally.faults for tally in tallies.values()),
        "tasks": [_task(task, tally, state) for task, tally in tallies.items()],
        "misses": [
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
        "examples": judge.examples,
        "remaining": [file.label for file in state.files if file.remains],
    }


def _task(task: str, tally: Tally, state: CheckState) -> TaskResult:
    misses = [lag.oldest_miss_s for (_, _, of), lag in state.judge.lags.items() if of == task and lag.misses]
    return TaskResult(
        name=task or NAMELESS,
        reads=tally.reads,
        idle_reads=tally.idle_reads,
        faults=_faults([tally.faults]),
        oldest_miss_s=max(misses, default=None),
        errors=dict(tally.errors),
        silences=state.silences[task],
    )


def _faults(counters: Iterable[Counter[AnswerFault]]) -> Faults:
    total = sum(counters, Counter())
    return Faults(**{fault.value: total[fault] for fault in AnswerFault})
