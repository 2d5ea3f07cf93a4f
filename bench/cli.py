"""The command line: its commands, and the one that runs without a name. docs/exit-codes.md is the page for users."""

from __future__ import annotations

import click

from bench.commands.aws.down import down
from bench.commands.aws.policy import policy
from bench.commands.aws.status import status
from bench.commands.aws.sweep.command import sweep
from bench.commands.aws.up import up
from bench.commands.baseline import baseline
from bench.commands.compare.command import compare
from bench.commands.consistency.command import consistency
from bench.commands.cost.command import cost
from bench.commands.explain.command import explain
from bench.commands.load import load
from bench.commands.options import examples
from bench.commands.packages import packages
from bench.commands.rotate import rotate
from bench.commands.run.command import run


class RunByDefault(click.Group):
    """`python -m bench --packages 10` is `python -m bench run --packages 10`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_option_of_run = not args or (
            args[0].startswith("-") and args[0] not in (*ctx.help_option_names, "--version")
        )
        return super().parse_args(ctx, ["run", *args] if is_option_of_run else args)


@click.group(
    cls=RunByDefault,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "show_default": True},
    epilog=examples("", "--packages 20 --clients 50", "load --url https://pypiserver.example.com", "cost --stack prod"),
)
@click.version_option(package_name="pypiserver-stack", message="%(package)s %(version)s")
def cli() -> None:
    """Prove the capacity of a package index: stand it up, load it, judge it, take it down.

    Without a command: run. `python -m bench run --help` lists its options.
    """


for command in (
    run,
    load,
    consistency,
    compare,
    baseline,
    explain,
    packages,
    cost,
    rotate,
    up,
    down,
    status,
    sweep,
    policy,
):
    cli.add_command(command)
