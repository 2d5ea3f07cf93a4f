"""The end of a check on the terminal: a line for each task, the verdict, and where the rest lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from rich.table import Table
from rich.text import Text

from bench.commands.consistency.report import FILE_NAME, ConsistencyReport, Faults, Miss
from bench.report.output import open_output, plain_table
from bench.report.wording import NOTHING, seconds
from pypiserver_stack.common.text import printable
from sizing.counted import counted

_MOST_EXAMPLES = 3


def print_summary(report: ConsistencyReport, folder: Path, stream: TextIO, *, quiet: bool) -> None:
    """Print the result to `stream`; with `quiet` nothing but the verdict.

    Args:
        folder: the results folder of the run.
    """
    console = open_output(stream)
    if not quiet:
        console.print(_tasks(report))
        console.print()
        kinds = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in report.reads_by_kind.items())
        counts = f"{counted(report.uploads, 'upload')}, {counted(report.removals, 'removal')}; answers: {kinds}"
        for line in (counts, *report.examples[:_MOST_EXAMPLES]):
            console.print_line(line)
        console.print_warnings(report.warnings)
    failure = f"{report.verdict}: {report.failure} (exit code {report.exit_code})"
    console.print_line(*(("consistent", "green") if report.exit_code == 0 else (failure, "bold red")))
    if not quiet:
        console.print_line(f"report: {folder / FILE_NAME}")


def _tasks(report: ConsistencyReport) -> Table:
    table = plain_table("task", "reads", "stale", "oldest miss", "known after", "lost", "early", "wrong", "errors")
    for task in report.tasks:
        misses = [miss for miss in report.misses if miss.task == task.name]
        table.add_row(*_row(task.name, task.reads, task.faults, misses, sum(task.errors.values())))
    if len(report.tasks) > 1:
        errors = sum(sum(task.errors.values()) for task in report.tasks)
        table.add_row(*_row("all", report.reads, report.faults, report.misses, errors))
    return table


def _row(name: str, reads: int, faults: Faults, misses: Sequence[Miss], errors: int) -> tuple[str | Text, ...]:
    oldest = max((miss.oldest_miss_s for miss in misses), default=None)
    return (
        Text(printable(name)),
        f"{reads:,}",
        f"{faults.stale + faults.stale_removal:,}",
        NOTHING if oldest is None else f"{seconds(oldest)} s",
        _known_after(misses),
        *(f"{count:,}" for count in (faults.lost, faults.early, faults.wrong_digest + faults.wrong_bytes, errors)),
    )


def _known_after(misses: Sequence[Miss]) -> str:
    """How long the slowest of the changes took that were missed at all."""
    settled = [miss.settled_s for miss in misses]
    if not settled:
        return NOTHING
    known = [settled_s for settled_s in settled if settled_s is not None]
    return f"{seconds(max(known))} s" if len(known) == len(settled) else "not seen"
