"""consistency.json: what a check found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from bench.commands.consistency.check import Seen
from bench.commands.consistency.judge import NAMELESS, Fault, Kind, Tally
from bench.common.failures import ExitCode
from bench.common.model_part import Count, Part, Positive, Seconds
from bench.deployment.description import Stack
from bench.report.build import Findings, ending_of, run_of
from bench.report.model import Run, Teardown

FILE_NAME = "consistency.json"
_VERDICTS = {ExitCode.THRESHOLDS_MISSED: "inconsistent", ExitCode.UNTRUSTWORTHY: "unproved"}


class Asked(Part):
    """What the check was to do."""

    uploads: Positive
    readers: Positive = Field(description="Connections that read after each change.")
    time_limit_s: Annotated[float, Field(gt=0, description="Seconds.")]
    keep_packages: bool
    tasks: Positive | None = Field(description="How many tasks there are; null where nobody said.")


class Faults(Part):
    """Answers with each fault; one may have several."""

    stale: Count = Field(description="It misses what was there before it was asked for.")
    stale_removal: Count = Field(description="It shows what was gone before it was asked for.")
    lost: Count = Field(description="It misses what had been shown before, a page by the same task.")
    early: Count = Field(description="It shows what nobody had begun to upload.")
    wrong_digest: Count = Field(description="A listing with another digest than that of the uploaded bytes.")
    wrong_bytes: Count = Field(description="A download that is not what was uploaded.")


class Task(Part):
    """The answers of one task."""

    name: str = Field(description="As its X-Served-By says; `unnamed` for all answers that do not say.")
    reads: Count = Field(description="Those that prove something: what they had to show, or not to show, had changed.")
    idle_reads: Count = Field(description="Those that came before anything had changed.")
    faults: Faults
    oldest_miss_s: Seconds | None = Field(
        description="The longest time after a change at which an answer was asked for that did not know of it."
    )
    errors: dict[str, int] = Field(description="Answers that prove nothing, by what they were; also those of no task.")
    silences: Count = Field(description="Changes about which it gave no answer that proves anything.")


class Miss(Part):
    """A change that a task did not know of at once."""

    task: str
    thing: str = Field(description="A file, or a project on the index page.")
    change: Literal["upload", "removal"]
    answers: Positive = Field(description="Answers that did not know of it.")
    oldest_miss_s: Seconds = Field(description="The longest time after the change at which one of them was asked for.")
    settled_s: Seconds | None = Field(
        description="How long after the change it was known for good; null where that was not seen."
    )


class ConsistencyReport(Part):
    """One check, however it ended."""

    schema_version: Literal[1]
    run: Run
    exit_code: int
    verdict: str = Field(description="passed, inconsistent, unproved, or the name of the exit code.")
    failure: str | None
    asked: Asked
    stack: Stack | None
    uploads: Count = Field(description="Uploads that the index answered with success.")
    removals: Count
    refusals: list[str] = Field(description="What came in place of success.")
    reads: Count = Field(description="Answers that prove something, of all tasks.")
    reads_by_kind: dict[str, int] = Field(description="All answers that could be judged, idle ones included.")
    faults: Faults
    tasks: list[Task]
    misses: list[Miss] = Field(description="In the order in which they were first seen.")
    examples: list[str] = Field(description="The first few faults that are no stale answers.")
    remaining: list[str] = Field(description="Files that the index may still have.")
    warnings: list[str]
    teardown: Teardown | None


def build_consistency_report(findings: Findings, asked: Asked, seen: Seen, ended_at: datetime) -> ConsistencyReport:
    """The report of a check as far as it got."""
    ending = ending_of(findings)
    judge = seen.judge
    tallies = {task: judge.tallies.get(task, Tally()) for task in sorted(seen.tasks | judge.tallies.keys())}
    return ConsistencyReport(
        schema_version=1,
        run=run_of(findings, ended_at),
        exit_code=ending.exit_code,
        verdict=_VERDICTS.get(ending.exit_code, ending.exit_code.name.lower()),
        failure=ending.failure,
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
        warnings=ending.warnings,
        teardown=findings.teardown,
    )


def _task(task: str, tally: Tally, seen: Seen) -> Task:
    misses = [lag.oldest_miss_s for (_, _, of), lag in seen.judge.lags.items() if of == task and lag.misses]
    return Task(
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
