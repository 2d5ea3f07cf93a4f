"""The end of an explanation on the terminal: the table, the verdict, and where the rest lies."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from rich.text import Text

from bench.commands.explain import wording as words
from bench.commands.explain.model import Explanation
from bench.report import wording
from bench.report.output import open_output, plain_table

_WIDEST = 500


def print_explanation(explanation: Explanation, folder: Path, stream: TextIO, *, quiet: bool) -> None:
    """Print the result to `stream`; with `quiet` nothing but the verdict.

    Args:
        folder: the results folder of the run.
    """
    console = open_output(stream)
    verdict = (wording.headline(explanation), "green" if explanation.exit_code == 0 else "bold red")
    if quiet:
        console.print_line(*verdict)
        return
    table = plain_table("changed", *(step.name for step in explanation.steps))
    for column in words.COLUMNS:
        cells = [
            Text(column.cell(step), style="bold" if words.is_shown(step, column) else "") for step in explanation.steps
        ]
        table.add_row(column.heading, *cells)
    if not console.is_terminal:
        console.width = _WIDEST
        console.width = console.measure(table).maximum
    console.print(table)
    console.print()
    console.print_line(words.basis(explanation))
    console.print_warnings(explanation.warnings)
    console.print_line(*verdict)
    if (folder / "explain.md").exists():
        console.print_line(f"explanation: {folder / 'explain.md'}")
