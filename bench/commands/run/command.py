"""The command `python -m bench run`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import click

from bench.commands.aws.options import AWS_OPTIONS
from bench.commands.options import (
    LIMITS,
    LOAD_OPTIONS,
    LOADERS,
    OVERRIDES_OPTION,
    RESULT_OPTIONS,
    STACK_HELP,
    TASKS,
    THRESHOLD,
    engine_option,
    examples,
    with_options,
)
from bench.commands.outcome import conducted, run_to_end, show
from bench.commands.parameters import enforces_limits, given_options, load_parameters
from bench.common.failures import UsageError

if TYPE_CHECKING:
    from bench.report.model import Report


@with_options(LIMITS, *LOAD_OPTIONS, LOADERS, *RESULT_OPTIONS, THRESHOLD, *AWS_OPTIONS)
@click.command(
    short_help="Stand a stack up, load it, judge it, take it down",
    epilog=examples(
        "run",
        "run -c profile=heavy --tasks 4",
        "run --threshold listing_p95_s=1 --quiet",
        "run --keep",
        "run --target aws --yes",
    ),
)
@click.option(
    "--target",
    type=click.Choice(["local", "aws"]),
    default="local",
    help="Place of the deployment",
)
@click.option("--stack", default="stress", metavar="NAME", help=STACK_HELP)
@engine_option(default="auto")
@OVERRIDES_OPTION
@click.option("--tasks", type=TASKS, help="Number of tasks to run  [default: as many as this machine can run honestly]")
@click.option("--keep", is_flag=True, help="Keep the stack up after the report, until Ctrl-C")
def run(
    target: Literal["local", "aws"],
    stack: str,
    engine: Literal["auto", "pulumi", "embedded"],
    overrides: tuple[str, ...],
    tasks: int | None,
    keep: bool,
    results: Path,
    quiet: bool,
    **others: Any,
) -> NoReturn:
    """Stand a stack up on this machine or on AWS, fill it with packages, load it, judge it, take it down."""
    from bench.commands.run.cycle import Cycle
    from bench.deployment.local import LocalIndex, LocalOptions
    from bench.deployment.stack_config import PROJECT_FOLDER, load_stack
    from bench.report.report_blocks import REPORT

    _refuse_options_of_the_other(target)
    config, bench_values = load_stack(PROJECT_FOLDER, stack, overrides)
    options = given_options()
    load = load_parameters(options, bench_values)
    if target == "aws":
        from bench.commands.aws.prepare import AwsChoices, prepared
        from bench.deployment.aws.index import NewIndex

        choices = AwsChoices(**{option.name: others[option.name] for option in AWS_OPTIONS})
        new, session = prepared(None, config, overrides, choices, quiet=quiet)
        run_to_end(Cycle(NewIndex(new, session), load), REPORT, results, quiet)
    limited = enforces_limits(options, bench_values)
    index = LocalIndex(config, LocalOptions(engine, tasks, limited, watch_memory=True))
    shown: list[int] = []

    def show_kept(report: Report, invitation: Sequence[str]) -> None:
        shown.append(report.exit_code)
        show(report, REPORT, results, quiet)
        print(*invitation, sep="\n", flush=True)

    report = conducted(results, quiet, Cycle(index, load, on_kept=show_kept if keep else None))
    if report.exit_code not in shown:
        show(report, REPORT, results, quiet)
    sys.exit(report.exit_code)


def _refuse_options_of_the_other(target: Literal["local", "aws"]) -> None:
    """Refuse an option that changes nothing of such a deployment."""
    context = click.get_current_context()
    others = [option.name for option in AWS_OPTIONS] if target == "local" else ["engine", "tasks", "keep", "limits"]
    hints = {"keep": "`python -m bench up` makes a stack that stays up"}
    for option in context.command.params:
        given = context.get_parameter_source(str(option.name)) is click.core.ParameterSource.COMMANDLINE
        if option.name in others and given:
            hint = hints.get(option.name, "leave it out")
            raise UsageError(f"{option.opts[0]} changes nothing with --target {target}: {hint}")
