"""The command `python -m bench up`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import click

from bench.commands.aws.options import AWS_OPTIONS
from bench.commands.options import OVERRIDES_OPTION, RESULT_OPTIONS, STACK_HELP, examples, with_options
from bench.commands.outcome import run_to_end


@with_options(*AWS_OPTIONS, *RESULT_OPTIONS)
@click.command(
    short_help="Stand a stack up on AWS that stays up",
    epilog=examples("up monday --stack prod -c profile=heavy", "load --stack monday", "down monday"),
)
@click.argument("name", required=False)
@click.option("--stack", default="stress", metavar="NAME", help=STACK_HELP)
@OVERRIDES_OPTION
def up(
    name: str | None, stack: str, overrides: tuple[str, ...], results: Path, quiet: bool, **choices: Any
) -> NoReturn:
    """Stand a stack up on AWS, under NAME, until `down` removes it."""
    from bench.commands.aws.blocks import STACK
    from bench.commands.aws.jobs import UpJob
    from bench.commands.aws.prepare import AwsChoices, prepared
    from bench.deployment.aws.index import NewIndex
    from bench.deployment.stack_config import PROJECT_FOLDER, load_stack

    config, _ = load_stack(PROJECT_FOLDER, stack, overrides)
    new, session = prepared(name, config, overrides, AwsChoices(**choices), quiet=quiet)
    run_to_end(UpJob(NewIndex(new, session), new.record), STACK, results, quiet)
