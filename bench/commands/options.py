"""The options that several commands share, each declared once: name, type, bounds, variable, default and help."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from bench.common.ranges import Number, Whole, spelling
from bench.load.health import MAX_PROCESSES
from bench.load.thresholds import Override
from bench.load.workloads import MAX_CLIENTS, WORKLOADS
from bench.packages.factory import MAX_PACKAGES

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

# More tasks than any service has here; the plan of a stack sets a smaller limit of its own.
TASKS = Whole(1, 10_000)


class StackFileOption(click.Option):
    """Option that the stack file can set too, as `bench:` and its name, and some by an environment variable.

    Where the default depends on the workload or the machine, `show_default` says how.
    """

    def __init__(self, name: str, type: click.ParamType[Any], help: str, **attributes: Any) -> None:
        attributes = {"show_envvar": "envvar" in attributes, **attributes}
        super().__init__([spelling(name), name], type=type, help=help, **attributes)

    def described(self, help: str) -> StackFileOption:
        """The same option with other words for a command in which it means something else."""
        other = copy.copy(self)
        other.help = help
        return other

    def get_error_hint(self, ctx: click.Context | None) -> str:
        match ctx and ctx.get_parameter_source(self.name):
            case click.core.ParameterSource.ENVIRONMENT:
                return str(self.envvar)
            case click.core.ParameterSource.DEFAULT_MAP:
                return f"bench:{self.name}"
        return click.Parameter.get_error_hint(self, ctx)


class _WorkloadName(click.Choice[str]):
    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        message = super().get_invalid_choice_message(value, ctx)
        nearest = difflib.get_close_matches(str(value), WORKLOADS, n=1)
        return f"{message} Did you mean {nearest[0]!r}?" if nearest else message


class _Limits(click.Choice[str]):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The choice that `value` is: of a bare `off` in a stack file, YAML makes `false`."""
        is_of_file = ctx and ctx.get_parameter_source("limits") is click.core.ParameterSource.DEFAULT_MAP
        return super().convert("off" if is_of_file and value == "false" else value, param, ctx)


class _Folder(click.Path):
    """A folder that has a name: an unset variable in a script, `--results "$DIR"`, does not mean this folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            raise click.BadParameter("'' names no folder: name one, or . for the current one", ctx, param)
        return super().convert(value, param, ctx)


RESULTS = click.Option(
    ["--results"],
    type=_Folder(path_type=Path),
    default=Path("results"),
    help="Folder for the reports",
)
RESULT_OPTIONS = (RESULTS, click.Option(["--quiet"], is_flag=True, help="Print only the result"))
WORKLOAD = StackFileOption(
    "workload",
    _WorkloadName(list(WORKLOADS)),
    "Name of the workload, one of docs/workloads.md",
    default="burst",
    metavar="NAME",
)
PACKAGES = StackFileOption(
    "packages",
    Whole(1, MAX_PACKAGES),
    "Number of packages, three wheels each",
    default=100,
    envvar="NUM_PACKAGES",
)
WHEEL_KB = StackFileOption(
    "wheel_kb", Whole(1, 10_240), "Size of each wheel in KB", show_default="from 1 KB to 5 MB, half of them below 73 KB"
)
CLIENTS = StackFileOption(
    "clients",
    Whole(1, MAX_CLIENTS),
    "Number of clients that start at once",
    show_default="the workload's, 510 for burst",
    envvar="CONCURRENT_CLIENTS",
)
SHAPE_OPTIONS = (
    CLIENTS,
    StackFileOption(
        "duration_s",
        Number(0.1, 7 * 86_400),
        "Duration of the load in seconds",
        show_default="the workload's",
        envvar="TEST_DURATION_SECONDS",
    ),
    StackFileOption(
        "burst_interval_s",
        Number(0.1, 86_400),
        "Time from one burst to the next in seconds",
        show_default="the workload's",
        envvar="BURST_INTERVAL_SECONDS",
    ),
    StackFileOption(
        "burst_multiplier",
        Number(1, 1_000),
        "Rate during a burst, as a multiple of the usual rate",
        show_default="the workload's",
        envvar="BURST_MULTIPLIER",
    ),
    StackFileOption(
        "speed", Number(0.1, 10_000), "Factor by which a recorded workload is compressed", show_default="1"
    ),
)
"""Options that change the shape of a load: each is a value of `bench.load.shapes` by the same name."""
SEED = StackFileOption("seed", Whole(0, 2**32 - 1), "Seed of the packages and of the schedule", default=0)
LIMITS = StackFileOption(
    "limits",
    _Limits(["auto", "off"]),
    "Memory and CPU limits of the tasks: enforced where control groups can be used, or off",
    default="auto",
)
COOKIES = StackFileOption(
    "cookies", click.Choice(["none", "shared"]), "Cookie jar: none, or one that all clients share", default="none"
)
GENERATORS = StackFileOption(
    "generators",
    Whole(1, MAX_PROCESSES),
    "Number of processes that send the load",
    show_default="one for each core, 4 at most",
)


class _Loaders(click.ParamType["int | str"]):
    name = "loaders"
    _number = Whole(1, MAX_PROCESSES)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if str(value).isdecimal():
            return self._number.convert(value, param, ctx)
        if not _SCHEDULER.fullmatch(str(value)):
            self.fail(
                f"{value} is neither a number of loaders from 1 to {MAX_PROCESSES} nor the address of a Dask "
                "scheduler, such as tcp://HOST:8786",
                param,
                ctx,
            )
        return str(value)


_SCHEDULER = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:]+\]|[^\s/:\[\]]+):\d+")
LOADERS = click.Option(
    ["--loaders"],
    type=_Loaders(),
    metavar="N|tcp://HOST:8786",
    help="Dask workers that send the load: N on this machine, or all workers of a scheduler",
    show_default=False,
)


def load_options(
    packages: StackFileOption = PACKAGES, wheel_kb: StackFileOption = WHEEL_KB
) -> tuple[StackFileOption, ...]:
    """All that a load is made of, in the order of the help."""
    return (WORKLOAD, packages, wheel_kb, *SHAPE_OPTIONS, SEED, COOKIES, GENERATORS)


LOAD_OPTIONS = load_options()
VARIABLES = tuple(str(option.envvar) for option in LOAD_OPTIONS if option.envvar)
"""The environment variables that shape a load."""
THRESHOLD = click.Option(
    ["--threshold", "thresholds"],
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
USERNAME_OPTION = click.option(
    "--username",
    envvar="PYPI_USERNAME",
    show_envvar=True,
    default="",
    show_default=False,
    help="User name; PYPI_PASSWORD is the password",
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


def with_options(*options: click.Option) -> Callable[[click.Command], click.Command]:
    """All of `options` on a command, in this order after its own."""

    def add(command: click.Command) -> click.Command:
        command.params += options
        return command

    return add


def examples(*lines: str) -> str:
    """The end of a command's help: command lines that can be pasted."""
    commands: Sequence[str] = [f"  python -m bench {line}".rstrip() for line in lines]
    return "\n".join(["\b", "Examples:", *commands])
