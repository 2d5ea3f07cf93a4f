"""How results are printed: on a terminal as wide as it is, in a log without colours, and never with a traceback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pypiserver_stack.common.text import printable

_WIDTH_OF_A_LOG = 100
_NARROWEST = 80  # below it figures would be cut; a terminal wraps whole lines instead


def open_output(stream: TextIO) -> Output:
    """A console for `stream`, which takes text as it is."""
    return Output(
        file=stream,
        width=max(_NARROWEST, shutil.get_terminal_size().columns) if stream.isatty() else _WIDTH_OF_A_LOG,
        force_terminal=stream.isatty(),
        markup=False,
        highlight=False,
        emoji=False,
    )


def plain_table(*headings: str, left: int = 1) -> Table:
    """A table without lines, figures to the right of the first `left` columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index < left else "right")
    return table


class Output(Console):
    """A console that takes text as it is, whatever its origin."""

    def print_line(self, text: str, style: str = "") -> None:
        """Print one line; the terminal wraps it."""
        self.print(Text(printable(text), style=style), soft_wrap=True)

    def print_warnings(self, warnings: Sequence[str]) -> None:
        """Print each of them."""
        for warning in warnings:
            self.print_line(f"Warning: {warning}", "yellow")

    def on_broken_pipe(self) -> None:
        """Whoever read stdout has seen enough. rich would exit with code 1, which is not the verdict of the run."""
        self.quiet = True
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self.file.fileno())
