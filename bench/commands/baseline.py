"""The command `python -m bench baseline`."""

from __future__ import annotations

from pathlib import Path

import click

from bench.commands.options import RESULTS, examples, with_options
from pypiserver_stack.common.entry_point import show

_EXAMPLES = examples("baseline save main", "baseline save main --run 20261123-201500-3f2a --replace")


@click.group(
    short_help="Save a finished run as a baseline",
    epilog=_EXAMPLES,
)
def baseline() -> None:
    """Save finished runs under a name, for `compare --baseline`."""


@with_options(RESULTS)
@baseline.command(epilog=_EXAMPLES)
@click.argument("name")
@click.option("--run", metavar="RUN", show_default="the newest run", help="Name of the run's folder in --results")
@click.option("--replace", is_flag=True, help="Replace a baseline of this name")
def save(name: str, run: str | None, replace: bool, results: Path) -> None:
    """Save a finished run as the baseline NAME: its report, and the samples that a comparison needs."""
    from bench.commands.compare.baselines import save_baseline

    folder = save_baseline(results, name, run, replace=replace)
    size_kb = sum(path.stat().st_size for path in folder.iterdir()) / 1000
    show(f"{folder}: {size_kb:.0f} KB\n")
