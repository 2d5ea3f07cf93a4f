"""The command `python -m bench down`."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import click

from bench.commands.options import RESULT_OPTIONS, examples, with_options
from bench.commands.outcome import run_to_end


@with_options(*RESULT_OPTIONS)
@click.command(short_help="Remove a stack on AWS", epilog=examples("down monday"))
@click.argument("name")
def down(name: str, results: Path, quiet: bool) -> NoReturn:
    """Remove every resource of the stack NAME, which `up` has made or a run has left behind."""
    from bench.commands.aws.blocks import STACK
    from bench.commands.aws.jobs import DownJob
    from bench.deployment.aws.stacks.stack_folder import StackFolder

    folder = StackFolder.find(name)
    run_to_end(DownJob(folder, folder.read()), STACK, results, quiet)
