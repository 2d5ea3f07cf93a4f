"""Layout of a consistency report: consistency.json and consistency.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.commands.consistency.model import ConsistencyReport, Faults, Miss
from bench.report.blocks import Block, Note, Table
from bench.report.layout import Layout
from bench.report.wording import NOTHING, count, seconds
from sizing.counted import counted

_MAX_EXAMPLES = 3


def _blocks(report: ConsistencyReport) -> Iterator[Block]:
    yield Note(lines=[_checked(report)], shown="document")
    yield Table(
        heading="Answers of each task",
        columns=("task", "reads", "stale", "oldest miss", "known after", "lost", "early", "wrong", "errors"),
        rows=[*_task_rows(report)],
    )
    answers_by_kind = ", ".join(
        f"{answers:,} {kind.replace('_', ' ')}" for kind, answers in report.reads_by_kind.items()
    )
    counts = f"{counted(report.uploads, 'upload')}, {counted(report.removals, 'removal')}; answers: {answers_by_kind}"
    yield Note(lines=[counts, *report.examples[:_MAX_EXAMPLES]])
    if more := report.examples[_MAX_EXAMPLES:]:
        yield Note(lines=more, shown="document")
    if report.misses:
        yield Table(
            heading="Changes that a task did not know of at once",
            columns=("task", "change", "of", "answers", "oldest miss", "known after"),
            left=(0, 1, 2),
            rows=[
                (
                    miss.task,
                    miss.change,
                    miss.thing,
                    count(miss.answers),
                    f"{seconds(miss.oldest_miss_s)} s",
                    _known_after([miss]),
                )
                for miss in report.misses
            ],
            shown="document",
        )
    if report.refusals:
        yield Note(heading="Changes that failed", lines=report.refusals, form="list", shown="document")
    if report.remaining:
        yield Note(heading="Files that the index may still have", lines=report.remaining, form="list", shown="document")


def _checked(report: ConsistencyReport) -> str:
    asked = report.asked
    index = report.run.index_url or "no index"
    stack = f", stack {report.stack.name} with profile {report.stack.profile}" if report.stack is not None else ""
    tasks = "an unknown number of tasks" if asked.tasks is None else counted(asked.tasks, "task")
    kept = "kept" if asked.keep_packages else "removed again"
    return (
        f"Checked {index}{stack}, {tasks}: {counted(asked.uploads, 'upload')}, {kept}, with "
        f"{counted(asked.readers, 'reader')} after each change, in {asked.time_limit_s:g} s at most."
    )


def _task_rows(report: ConsistencyReport) -> Iterator[Sequence[str]]:
    for task in report.tasks:
        misses = [miss for miss in report.misses if miss.task == task.name]
        yield _row(task.name, task.reads, task.faults, misses, sum(task.errors.values()))
    if len(report.tasks) > 1:
        errors = sum(sum(task.errors.values()) for task in report.tasks)
        yield _row("all", report.reads, report.faults, report.misses, errors)


def _row(name: str, reads: int, faults: Faults, misses: Sequence[Miss], errors: int) -> Sequence[str]:
    oldest_s = max((miss.oldest_miss_s for miss in misses), default=None)
    return (
        name,
        count(reads),
        count(faults.stale + faults.stale_removal),
        NOTHING if oldest_s is None else f"{seconds(oldest_s)} s",
        _known_after(misses),
        *map(count, (faults.lost, faults.early, faults.wrong_digest + faults.wrong_bytes, errors)),
    )


def _known_after(misses: Sequence[Miss]) -> str:
    """Time that the slowest of the changes took that were missed at all."""
    settled = [miss.settled_s for miss in misses]
    if not settled:
        return NOTHING
    known = [settled_s for settled_s in settled if settled_s is not None]
    return f"{seconds(max(known))} s" if len(known) == len(settled) else "not seen"


def _title(report: ConsistencyReport) -> str:
    return f"consistency of {report.stack.name if report.stack is not None else report.run.index_url or 'an index'}"


CONSISTENCY: Layout[ConsistencyReport] = Layout(ConsistencyReport, "consistency", _title, _blocks)
