"""The options that several commands share, in the groups in which they are declared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from bench.common.ranges import Whole
from bench.load.parameters import TYPES, VARIABLES
from bench.load.thresholds import Override

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]

# More tasks than any service has here; the plan of a stack sets a smaller limit of its own.
TASKS = Whole(1, 10_000)


def _parameter(name: str, help: str, default: str) -> Decorator:
    """An option whose value may come from the environment or the stack file too, which is why it has no default."""
    spelling = "--" + name.removesuffix("_s").replace("_", "-")
    help += f"; or {VARIABLES[name]}" if name in VARIABLES else ""
    metavar = "NAME" if name == "workload" else None
    return click.option(spelling, name, type=TYPES[name], metavar=metavar, show_default=default, help=help)


class _Folder(click.Path):
    """A folder that has a name: an unset variable in a script, `--results "$DIR"`, does not mean this folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path that `value` spells.

        Raises:
            click.BadParameter: it is empty.
        """
        if value == "":
            raise click.BadParameter("'' names no folder: name one, or . for the current one", ctx, param)
        return super().convert(value, param, ctx)


RESULT_OPTIONS = (
    click.option(
        "--results",
        type=_Folder(path_type=Path),
        default=Path("results"),
        show_default=True,
        help="Folder for the reports",
    ),
    click.option("--quiet", is_flag=True, help="Print only the result"),
)
PACKAGES_OPTION = _parameter("packages", "Number of packages, three wheels each", "100")
WHEEL_KB_OPTION = _parameter("wheel_kb", "Size of each wheel in KB", "from 1 KB to 5 MB, half of them below 73 KB")
CLIENTS_OPTION = _parameter("clients", "Number of clients that start at once", "the workload's, 510 for burst")
SEED_OPTION = _parameter("seed", "Seed of the packages and of the schedule", "0")
LOAD_OPTIONS = (
    _parameter("workload", "Name of the workload, one of docs/workloads.md", "burst"),
    PACKAGES_OPTION,
    WHEEL_KB_OPTION,
    CLIENTS_OPTION,
    _parameter("duration_s", "Duration of the load in seconds", "the workload's"),
    _parameter("burst_interval_s", "Time from one burst to the next in seconds", "the workload's"),
    _parameter("burst_multiplier", "Rate during a burst, as a multiple of the usual rate", "the workload's"),
    _parameter("speed", "Factor by which a recorded workload is compressed", "1"),
    SEED_OPTION,
    _parameter("cookies", "Cookie jar: none, or one that all clients share", "none"),
    _parameter("generators", "Number of processes that send the load", "one for each core, 4 at most"),
    *RESULT_OPTIONS,
)
THRESHOLD_OPTION = click.option(
    "--threshold",
    "thresholds",
    type=Override(),
    multiple=True,
    metavar="NAME=LIMIT",
    help="Limit of a figure in place of the usual one, such as error_rate=0.05; repeatable",
)
OVERRIDES_OPTION = click.option(
    "-c",
    "--config",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Setting of the deployment in place of the stack file's; repeatable",
)
STACK_HELP = "Name of the stack, as in Pulumi.NAME.yaml"


def engine_option(*, default: str | None) -> Decorator:
    """The engine that evaluates the program. Without a default the command can tell whether it was given."""
    return click.option(
        "--engine",
        type=click.Choice(["auto", "pulumi", "embedded"]),
        default=default,
        show_default="auto",
        help="Engine that evaluates the program; auto is pulumi where that is on PATH, else embedded",
    )


def with_options(*options: Decorator) -> Decorator:
    """All of `options` on a command, in this order in its help."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def examples(*lines: str) -> str:
    """The end of a command's help: command lines that can be pasted."""
    commands: Sequence[str] = [f"  python -m bench {line}".rstrip() for line in lines]
    return "\n".join(["\b", "Examples:", *commands])
