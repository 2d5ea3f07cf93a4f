"""The end of an explanation on the terminal: the table, the verdict, and where the rest lies."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from rich.text import Text

from bench.explain import wording as words
from bench.explain.model import Explanation
from bench.report import wording
from bench.report.output import open_output, plain_table

_WIDEST = 500


def print_explanation(explanation: Explanation, folder: Path, stream: TextIO, *, quiet: bool) -> None:
    """Print the result to `stream`; with `quiet` nothing but the verdict.

    Args:
        folder: the results folder of the run.
    """
    console = open_output(stream)
    verdict = Text(
        wording.printable(wording.headline(explanation)), style="green" if explanation.exit_code == 0 else "bold red"
    )
    if quiet:
        console.print(verdict, soft_wrap=True)
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
    console.print(Text(words.basis(explanation)), soft_wrap=True)
    for warning in explanation.warnings:
        console.print(Text(f"warning: {wording.printable(warning)}", style="yellow"), soft_wrap=True)
    console.print(verdict, soft_wrap=True)
    if (folder / "explain.md").exists():
        console.print(Text(f"explanation: {folder / 'explain.md'}"), soft_wrap=True)
