"""The end of a check on the terminal: a line for each task, the verdict, and where the rest lies."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table

from bench.consistency.report import FILE_NAME, ConsistencyReport, Faults
from bench.report.wording import NOTHING, printable

_WIDTH = 100
_MOST_EXAMPLES = 3


def print_summary(report: ConsistencyReport, folder: Path, stream: TextIO, *, quiet: bool) -> None:
    """Print the result; with `quiet` nothing but the verdict."""
    failure = f"{report.verdict}: {report.failure} (exit code {report.exit_code})"
    lines = [printable("consistent" if report.exit_code == 0 else failure)]
    if not quiet:
        kinds = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in report.reads_by_kind.items())
        counts = f"{report.uploads} uploads, {report.removals} removals; answers: {kinds}"
        examples = [printable(example) for example in report.examples[:_MOST_EXAMPLES]]
        warnings = [f"warning: {printable(warning)}" for warning in report.warnings]
        lines = [_tasks(report), counts, *examples, *warnings, *lines, f"report: {folder / FILE_NAME}"]
    print(*lines, sep="\n", file=stream)


def _tasks(report: ConsistencyReport) -> str:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    columns = ("reads", "stale", "oldest miss", "lost", "early", "wrong digest", "wrong bytes", "errors")
    table.add_column("task")
    for column in columns:
        table.add_column(column, justify="right")
    for task in report.tasks:
        oldest = NOTHING if task.oldest_miss_s is None else f"{task.oldest_miss_s:.3f} s"
        _add(table, task.name, task.reads, task.faults, oldest, sum(task.errors.values()))
    errors = sum(sum(task.errors.values()) for task in report.tasks)
    oldest_s = max((task.oldest_miss_s for task in report.tasks if task.oldest_miss_s is not None), default=None)
    _add(table, "all", report.reads, report.faults, NOTHING if oldest_s is None else f"{oldest_s:.3f} s", errors)
    text = io.StringIO()
    Console(file=text, width=_WIDTH, color_system=None, markup=False, highlight=False, emoji=False).print(table)
    return text.getvalue()


def _add(table: Table, name: str, reads: int, faults: Faults, oldest: str, errors: int) -> None:
    counts = (faults.lost, faults.early, faults.wrong_digest, faults.wrong_bytes, errors)
    stale = faults.stale + faults.stale_removal
    table.add_row(printable(name), f"{reads:,}", f"{stale:,}", oldest, *(f"{count:,}" for count in counts))
