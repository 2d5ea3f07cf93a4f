"""The end of a comparison on the terminal: the table, the verdict, and where the rest lies."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from rich.table import Table
from rich.text import Text

from bench.compare import wording as words
from bench.compare.model import Comparison
from bench.report import wording
from bench.report.output import open_output, plain_table

_WIDEST = 500


def print_comparison(comparison: Comparison, folder: Path, stream: TextIO, *, quiet: bool) -> None:
    """Print the result to `stream`; with `quiet` nothing but the verdict.

    Args:
        folder: the results folder of the comparison.
    """
    console = open_output(stream)
    verdict = Text(
        wording.printable(wording.headline(comparison)), style="green" if comparison.exit_code == 0 else "bold red"
    )
    if quiet:
        console.print(verdict, soft_wrap=True)
        return
    if comparison.figures:
        table = _figures(comparison)
        if not console.is_terminal:
            # Names of variants may be long, and a log is as wide as it has to be.
            console.width = _WIDEST
            console.width = console.measure(table).maximum
        console.print(table)
        console.print()
        console.print(Text(words.basis(comparison)), soft_wrap=True)
    for sentence in comparison.differing:
        console.print(Text(f"not the same: {wording.printable(sentence)}"), soft_wrap=True)
    for variant in comparison.variants:
        for note in variant.notes:
            console.print(Text(wording.printable(f"{variant.name}: {note}")), soft_wrap=True)
    for warning in comparison.warnings:
        console.print(Text(f"warning: {wording.printable(warning)}", style="yellow"), soft_wrap=True)
    console.print(verdict, soft_wrap=True)
    if (folder / "comparison.md").exists():
        console.print(Text(f"comparison: {folder / 'comparison.md'}"), soft_wrap=True)


def _figures(comparison: Comparison) -> Table:
    first = comparison.variants[0].name
    table = plain_table("", "", "", "95 % interval", f"to {wording.printable(first)}", "95 % interval", left=2)
    for figure, variants in comparison.figures.items():
        for variant, measured in variants.items():
            name = words.heading(figure) if variant == first else ""
            table.add_row(name, Text(wording.printable(variant)), *words.measured(figure, measured))
    return table
