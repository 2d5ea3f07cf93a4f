"""The check of an index as a job: up, changed and read, judged, down, reported."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bench.commands.consistency.blocks import CONSISTENCY
from bench.commands.consistency.check import Check, CheckState
from bench.commands.consistency.items import File, Project
from bench.commands.consistency.judge import NAMELESS, AnswerFault, ReadKind, Tally
from bench.commands.consistency.model import CheckParameters, ConsistencyReport, Faults, Miss, TaskResult
from bench.commands.consistency.verdict import note_doubts, note_faults
from bench.common.failures import BenchError
from bench.common.natural_order import natural_order
from bench.deployment import IndexUnderTest
from bench.index.target import Target
from bench.packages.factory import PackageSet, build
from bench.report.build import RunRecord
from bench.runtime.run import Run
from bench.runtime.steps import stand_up, take_down

# The first makes the project; the others, uploaded at once, change one that every task has listed.
_FILES_PER_PROJECT = 3
_WHEEL_BYTES = 20_000
# For removing from a live index what an interrupted check has left there.
_CLEANING_S = 30.0


@dataclass
class ConsistencyCheck:
    """The check of one index. What it uploads to an index that stays it removes, however it ends."""

    index: IndexUnderTest
    parameters: CheckParameters
    _state: CheckState = field(default_factory=CheckState, init=False)
    _target: Target | None = field(default=None, init=False)

    def work(self, run: Run) -> None:
        self._target = target = stand_up(run, self.index)
        tasks = self.index.describe().tasks
        if tasks:
            self.parameters = self.parameters.model_copy(update={"tasks": len(tasks)})
        parameters, state = self.parameters, self._state
        run.step("packages")
        state.projects, state.tasks = _projects(run, parameters.uploads), set(tasks)
        try:
            run.step("uploads")
            check = Check(target, state, parameters.readers, run.progress.progress)
            run.wait_for(check.run("upload", parameters.time_limit_s / (1 if parameters.keep_packages else 2)))
            if not parameters.keep_packages:
                run.step("removals")
                run.wait_for(check.run("removal", parameters.time_limit_s / 2))
        finally:
            note_faults(run.record, state)
        failures = self.index.task_failures()
        note_doubts(run.record, parameters, state, [*failures.ended, *failures.oom_kills])

    def down(self, run: Run) -> None:
        """Remove what the check has left on an index that stays, and take down one that does not."""
        take_down(run, self._remove_rest, self.index.down)

    def report(self, run: Run) -> ConsistencyReport:
        return run.conclude(CONSISTENCY, **report_fields(run.record, self.parameters, self._state))

    def _remove_rest(self) -> list[str]:
        remaining = [file for file in self._state.files if file.remains]
        target = self._target
        if self.index.is_temporary or self.parameters.keep_packages or target is None or not remaining:
            return []
        with contextlib.suppress(TimeoutError, BenchError):  # what remains is reported in either case
            check = Check(target, self._state, self.parameters.readers, lambda done, total: None)
            asyncio.run(asyncio.wait_for(check.remove_rest(), _CLEANING_S))
        return [f"{file.label} on {target.url}" for file in remaining if file.remains]


def _projects(run: Run, uploads: int) -> tuple[Project, ...]:
    """The packages of this check, and of no other: their names carry its id."""
    package_set = PackageSet(
        packages=-(-uploads // _FILES_PER_PROJECT),
        versions=tuple(f"0.0.{number}" for number in range(1, _FILES_PER_PROJECT + 1)),
        name_prefix=f"bench-consistency-{run.record.run_id}",
        min_bytes=_WHEEL_BYTES,
        max_bytes=_WHEEL_BYTES,
    )
    # Not in the cache: nobody will want them again.
    wheels = build(package_set, run.scratch.path / "wheels", run.progress.progress)[:uploads]
    by_project = itertools.groupby(wheels, key=lambda wheel: wheel.name)
    return tuple(Project(name, [File.of(wheel) for wheel in of_project]) for name, of_project in by_project)


def report_fields(record: RunRecord, asked: CheckParameters, state: CheckState) -> dict[str, Any]:
    """The fields that only a `ConsistencyReport` has, of a check as far as it got."""
    judge = state.judge
    tasks = sorted(state.tasks | judge.tallies.keys(), key=natural_order)
    tallies = {task: judge.tallies.get(task, Tally()) for task in tasks}
    return {
        "asked": asked,
        "stack": record.stack,
        "uploads": state.changes["upload"],
        "removals": state.changes["removal"],
        "refusals": list(state.refusals.values()),
        "reads": sum(tally.reads for tally in tallies.values()),
        "reads_by_kind": {kind.value: judge.reads_by_kind[kind] for kind in ReadKind},
        "faults": _faults(judge.faults),
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
        faults=_faults(tally.faults),
        oldest_miss_s=max(misses, default=None),
        errors=dict(tally.errors),
        silences=state.silences[task],
    )


def _faults(counts: Counter[AnswerFault]) -> Faults:
    return Faults(**{fault.value: counts[fault] for fault in AnswerFault})
