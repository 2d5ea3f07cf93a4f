"""Reports on a terminal: the blocks of the summary, the verdict, and the path of the whole report.

On a terminal it is as wide as that is; in a log it has no colours and whole lines. It never ends in a traceback.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import rich.table
import rich.text
from rich.console import Console

from bench.report.blocks import Block, Blocks, Note, Style, Table, Text, cell_of
from bench.report.outcome import Outcome
from pypiserver_stack.common.text import printable

_NARROWEST = 80  # below it figures would be cut; a terminal wraps whole lines instead
_WIDEST = 500
_STYLES: Mapping[Style, str] = {
    "plain": "",
    "code": "",
    "strong": "bold",
    "good": "green",
    "bad": "bold red",
    "warning": "yellow",
}


def print_outcome(outcome: Outcome, blocks: Blocks, document: Path, stream: TextIO, *, quiet: bool) -> None:
    """Print an outcome to `stream`; with `quiet` nothing but the verdict.

    Args:
        document: the file with the whole report, which is named where it is there.
    """
    console = _Output(
        file=stream,
        width=max(_NARROWEST, shutil.get_terminal_size().columns) if stream.isatty() else _WIDEST,
        force_terminal=stream.isatty(),
        markup=False,
        highlight=False,
        emoji=False,
    )
    if not quiet:
        for block in blocks:
            if block.shown != "document":
                console.print_block(block)
    console.print_line(outcome.headline, "good" if outcome.exit_code == 0 else "bad")
    if not quiet and document.exists():
        console.print_line(f"report: {document}")


class _Output(Console):
    """A console that takes text as it is, whatever its origin."""

    def print_block(self, block: Block) -> None:
        """Print a block and, after a table, an empty line."""
        if isinstance(block, Note):
            for line in block.lines:
                text = cell_of(line).text
                self.print_line(f"{block.label}: {text}" if block.label else text, block.style)
        elif block.rows:
            self.print(_table(block))
            self.print_line("")

    def print_line(self, text: str, style: Style = "plain") -> None:
        """Print one line; the terminal wraps it."""
        self.print(rich.text.Text(printable(text), style=_STYLES[style]), soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """Whoever read stdout has seen enough. rich would exit with code 1, which is not the verdict of the run."""
        self.quiet = True
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self.file.fileno())


def _table(block: Table) -> rich.table.Table:
    """A table without lines."""
    shown = [number for number in range(len(block.columns)) if number not in block.document_columns]
    lines: Sequence[Sequence[Text]] = [[line[number] for number in shown] for line in (block.columns, *block.rows)]
    left = [number in block.left for number in shown]
    if block.turned:
        lines = list(zip(*lines, strict=True))
        left = [column == 0 for column in range(len(lines[0]))]
    table = rich.table.Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    headings, *rows = ([_styled(cell) for cell in line] for line in lines)
    for heading, is_left in zip(headings, left, strict=True):
        table.add_column(heading.plain, justify="left" if is_left else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _styled(text: Text) -> rich.text.Text:
    cell = cell_of(text)
    return rich.text.Text(printable(cell.text), style=_STYLES[cell.style])
