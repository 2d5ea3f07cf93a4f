"""The command `python -m bench load`: the cycle of `run`, with a live index and the packages that it has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NoReturn

import click

from bench.commands.options import (
    LOADERS,
    PACKAGES,
    RESULT_OPTIONS,
    THRESHOLD,
    USERNAME_OPTION,
    WHEEL_KB,
    examples,
    load_options,
    with_options,
)
from bench.commands.outcome import run_to_end
from bench.commands.parameters import given_options, load_parameters
from bench.common.failures import UsageError


@with_options(
    *load_options(
        PACKAGES.described("Number of packages to choose from, the first that the index lists"),
        WHEEL_KB.described("Size of each uploaded wheel in KB, for a workload that uploads"),
    ),
    LOADERS,
    *RESULT_OPTIONS,
    THRESHOLD,
)
@click.command(
    short_help="Load an index that is already up",
    epilog=examples(
        "load --url https://pypiserver.example.com --clients 200",
        "load --url http://127.0.0.1:8080 --workload mixed",
        "load --url https://pypiserver.example.com --loaders tcp://10.0.0.5:8786",
    ),
)
@click.option("--url", envvar="PYPI_URL", show_envvar=True, help="URL of the index; /simple/ lies below it")
@USERNAME_OPTION
@click.option("--stack", metavar="NAME", help="Stack that `up` has made; it gets the packages it lacks")
def load(url: str | None, username: str, stack: str | None, results: Path, quiet: bool, **_: Any) -> NoReturn:
    """Load an index that is already up, with the packages that it has, and judge it."""
    from bench.commands.run.cycle import Cycle
    from bench.deployment.live import LiveIndex
    from bench.index.target import Target
    from bench.report.report_blocks import REPORT

    if stack is not None:
        _load_stack(stack, results, quiet)
    if url is None:
        raise UsageError("there is no index to load: name its --url, or a --stack that `python -m bench up` has made")
    index = LiveIndex(Target(url, username, os.environ.get("PYPI_PASSWORD", "")))
    parameters = load_parameters(given_options(), stack_file={})
    if parameters.wheel_kb is not None and not parameters.workload.shape.uploads:
        raise UsageError(
            f"--wheel-kb {parameters.wheel_kb} changes nothing: the index has its wheels, and the workload "
            f"{parameters.workload.name} uploads none"
        )
    run_to_end(Cycle(index, parameters), REPORT, results, quiet)


def _load_stack(name: str, results: Path, quiet: bool) -> NoReturn:
    """Load a stack on AWS that is up."""
    from bench.commands.run.cycle import Cycle
    from bench.deployment.aws.index import KeptIndex
    from bench.deployment.aws.stacks.removal import session_of
    from bench.deployment.aws.stacks.stack_folder import StackFolder
    from bench.report.report_blocks import REPORT

    context = click.get_current_context()
    for option in ("url", "username"):
        if context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(f"--{option} with --stack {name}: the stack knows its own; leave it out")
    folder = StackFolder.find(name)
    index = KeptIndex(folder, session_of(folder.read()))
    run_to_end(Cycle(index, load_parameters(given_options(), stack_file={}), fills=True), REPORT, results, quiet)
