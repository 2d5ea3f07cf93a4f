"""The command `python -m bench explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NoReturn

import click

from bench.commands.options import (
    CLIENTS,
    PACKAGES,
    RESULT_OPTIONS,
    SEED,
    TASKS,
    WHEEL_KB,
    engine_option,
    examples,
    with_options,
)
from bench.commands.outcome import run_to_end
from bench.commands.parameters import given_options
from bench.common.ranges import Whole


@with_options(PACKAGES, WHEEL_KB, CLIENTS, SEED, *RESULT_OPTIONS)
@click.command(
    short_help="Show what each setting changes, one at a time",
    epilog=examples("explain --rounds 5", "explain --packages 20 --clients 100 --tasks 2"),
)
@click.option("--rounds", type=Whole(1, 1_000), default=3, help="Number of loads of each step")
@engine_option(default="auto")
@click.option("--tasks", type=TASKS, help="Number of tasks to run in each step")
@click.option("--write", type=click.Path(path_type=Path), help="Page to write the table into, between its markers")
def explain(
    rounds: int,
    engine: Literal["auto", "pulumi", "embedded"],
    tasks: int | None,
    write: Path | None,
    results: Path,
    quiet: bool,
    **_: Any,
) -> NoReturn:
    """Go from the Terraform module's setup to this one, one setting at a time, and show what each changes."""
    from bench.commands.explain.blocks import EXPLANATION
    from bench.commands.explain.job import Ladder
    from bench.commands.explain.ladder import ladder

    climb = Ladder(ladder(), rounds=rounds, engine=engine, tasks=tasks, page=write, options=given_options())
    run_to_end(climb, EXPLANATION, results, quiet)
