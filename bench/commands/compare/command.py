"""The command `python -m bench compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import click

from bench.commands.options import (
    LOAD_OPTIONS,
    OVERRIDES_OPTION,
    RESULT_OPTIONS,
    TASKS,
    engine_option,
    examples,
    with_options,
)
from bench.commands.outcome import run_to_end
from bench.commands.parameters import given_options
from bench.common.ranges import Number, Whole


@with_options(*LOAD_OPTIONS, *RESULT_OPTIONS)
@click.command(
    short_help="Compare stacks, or the reports of finished runs",
    epilog=examples(
        "compare --stacks peer,stress --rounds 5",
        "compare --stacks stress,stress:backend=simple-dir",
        "compare --against limit",
        "compare results/BASELINE results/OTHER --fail-on-regression",
        "compare --baseline main --fail-on-regression",
    ),
)
@click.argument("reports", nargs=-1, type=click.Path(path_type=Path), metavar="[BASELINE OTHER...]")
@click.option("--baseline", metavar="NAME", help="Saved baseline to compare the newest run with, or the given reports")
@click.option("--stacks", help="Stacks to load in turn, such as peer,stress:backend=simple-dir")
@click.option("--rounds", type=Whole(1, 1_000), show_default="5", help="Number of loads of each stack")
@click.option(
    "--against",
    type=click.Choice(["limit", "devpi"]),
    help="limit: nginx with the files of the last stack; devpi: devpi-server with the same packages",
)
@engine_option(default=None)
@OVERRIDES_OPTION
@click.option("--tasks", type=TASKS, help="Number of tasks to run of each stack")
@click.option("--fail-on-regression", is_flag=True, help="Exit with 7 if a figure is worse than the first's")
@click.option(
    "--least-change",
    type=Number(0, 1_000),
    show_default="0.1; of single runs 1",
    help="Relative change from which a figure counts as worse, 0.1 for 10 %",
)
@click.option(
    "--latency-floor",
    "latency_floor_s",
    type=Number(0, 3_600),
    show_default="0.01",
    help="Change in seconds from which a latency counts as worse",
)
def compare(reports: tuple[Path, ...], baseline: str | None, results: Path, quiet: bool, **values: Any) -> NoReturn:
    """Compare stacks, or the reports of finished runs, with the first of them.

    A report is a results folder or the report.json in it.
    """
    from bench.commands.compare.baselines import with_baseline
    from bench.commands.compare.blocks import COMPARISON
    from bench.commands.compare.job import job

    if baseline is not None:
        reports = with_baseline(results, baseline, reports)
    run_to_end(job(reports, options=given_options(), **values), COMPARISON, results, quiet)
