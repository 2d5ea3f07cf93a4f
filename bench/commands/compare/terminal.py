"""The end of a comparison on the terminal: the table, the verdict, and where the rest lies."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from rich.table import Table
from rich.text import Text

from bench.commands.compare import wording as words
from bench.commands.compare.model import Comparison
from bench.report import wording
from bench.report.output import open_output, plain_table
from pypiserver_stack.common.text import printable

_WIDEST = 500


def print_comparison(comparison: Comparison, folder: Path, stream: TextIO, *, quiet: bool) -> None:
    """Print the result to `stream`; with `quiet` nothing but the verdict.

    Args:
        folder: the results folder of the comparison.
    """
    console = open_output(stream)
    verdict = (wording.headline(comparison), "green" if comparison.exit_code == 0 else "bold red")
    if quiet:
        console.print_line(*verdict)
        return
    if comparison.figures:
        table = _figures(comparison)
        if not console.is_terminal:
            # Names of variants may be long, and a log is as wide as it has to be.
            console.width = _WIDEST
            console.width = console.measure(table).maximum
        console.print(table)
        console.print()
        console.print_line(words.basis(comparison))
    for sentence in comparison.differing:
        console.print_line(f"not the same: {sentence}")
    for variant in comparison.variants:
        for note in variant.notes:
            console.print_line(f"{variant.name}: {note}")
    console.print_warnings(comparison.warnings)
    console.print_line(*verdict)
    if (folder / "comparison.md").exists():
        console.print_line(f"comparison: {folder / 'comparison.md'}")


def _figures(comparison: Comparison) -> Table:
    first = comparison.variants[0].name
    table = plain_table("", "", "", "95 % interval", f"to {printable(first)}", "95 % interval", left=2)
    for figure, variants in comparison.figures.items():
        for variant, measured in variants.items():
            name = words.heading(figure) if variant == first else ""
            table.add_row(name, Text(printable(variant)), *words.measured(figure, measured))
    return table
