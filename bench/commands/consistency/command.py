"""The command `python -m bench consistency`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, NoReturn

import click

from bench.commands.options import (
    OVERRIDES_OPTION,
    RESULT_OPTIONS,
    STACK_HELP,
    TASKS,
    USERNAME_OPTION,
    engine_option,
    examples,
    with_options,
)
from bench.commands.outcome import run_to_end
from bench.commands.parameters import enforces_limits
from bench.common.failures import UsageError
from bench.common.ranges import Number, Whole


@with_options(*RESULT_OPTIONS)
@click.command(
    short_help="Check that no task misses a file once it is uploaded",
    epilog=examples(
        "consistency -c backend=simple-dir --tasks 4",
        "consistency --url https://pypiserver.example.com --tasks 12 --uploads 100",
    ),
)
@click.option("--url", envvar="PYPI_URL", show_envvar=True, help="URL of a live index  [default: a stack of its own]")
@USERNAME_OPTION
@click.option("--stack", metavar="NAME", show_default="stress", help=f"{STACK_HELP}; without --url")
@engine_option(default=None)
@OVERRIDES_OPTION
@click.option("--tasks", type=TASKS, help="Number of tasks to run; with --url, of tasks that there are")
@click.option("--uploads", type=Whole(1, 10_000), default=20, help="Number of wheels to upload")
@click.option("--readers", type=Whole(1, 500), default=16, help="Number of connections that read each change")
@click.option(
    "--time-limit",
    "time_limit_s",
    type=Number(1, 86_400),
    default=300,
    help="Time in seconds after which no change is begun",
)
@click.option("--keep-packages", is_flag=True, help="Leave the uploaded wheels on the index, and check no removals")
def consistency(
    url: str | None,
    username: str,
    stack: str | None,
    engine: Literal["auto", "pulumi", "embedded"] | None,
    overrides: tuple[str, ...],
    tasks: int | None,
    results: Path,
    quiet: bool,
    **parameters: Any,
) -> NoReturn:
    """Check that no task misses a file from the moment its upload was answered."""
    username_source = click.get_current_context().get_parameter_source("username")
    if url is None and username_source is click.core.ParameterSource.COMMANDLINE:
        raise UsageError(f"--username {username} changes nothing without --url: leave it out, or name the index")
    from bench.commands.consistency.blocks import CONSISTENCY
    from bench.commands.consistency.job import ConsistencyCheck
    from bench.commands.consistency.model import CheckParameters
    from bench.deployment import IndexUnderTest
    from bench.deployment.live import LiveIndex
    from bench.deployment.local import LocalIndex, LocalOptions
    from bench.deployment.stack_config import PROJECT_FOLDER, load_stack
    from bench.index.target import Target

    index: IndexUnderTest
    if url is not None:
        if stack or engine or overrides:
            raise UsageError(
                f"--stack, --engine and -c change nothing of the live index {url}: leave them, or unset PYPI_URL"
            )
        index = LiveIndex(Target(url, username, os.environ.get("PYPI_PASSWORD", "")))
    else:
        config, bench_values = load_stack(PROJECT_FOLDER, stack or "stress", overrides)
        index = LocalIndex(config, LocalOptions(engine or "auto", tasks, enforces_limits({}, bench_values)))
    check = ConsistencyCheck(index, CheckParameters(tasks=tasks, **parameters))
    run_to_end(check, CONSISTENCY, results, quiet)
