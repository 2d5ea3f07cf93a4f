"""The command line: options, environment, exit codes. docs/exit-codes.md is the page for users."""

from __future__ import annotations

import copy
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

import click

from bench.commands.cost.command import cost
from bench.commands.options import (
    CLIENTS,
    LIMITS,
    LOAD_OPTIONS,
    OVERRIDES_OPTION,
    PACKAGES,
    RESULT_OPTIONS,
    SEED,
    STACK_HELP,
    TASKS,
    THRESHOLD,
    VARIABLES,
    WHEEL_KB,
    engine_option,
    examples,
    load_options,
    with_options,
)
from bench.commands.parameters import IndexParameters, RunParameters, given_options
from bench.common.failures import UsageError
from bench.common.ranges import Number, Whole
from bench.runtime.interruption import SIGNALS, Interruptions
from bench.runtime.progress import open_progress
from sizing.counted import counted

# What only some commands need is imported by those: a command line that is refused is refused at once.
if TYPE_CHECKING:
    from bench.report.layout import Layout
    from bench.report.model import Report
    from bench.report.outcome import Outcome
    from bench.runtime.run import Job


T = TypeVar("T", bound="Outcome")


class RunByDefault(click.Group):
    """`python -m bench --packages 10` is `python -m bench run --packages 10`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_option_of_run = not args or (
            args[0].startswith("-") and args[0] not in (*ctx.help_option_names, "--version")
        )
        return super().parse_args(ctx, ["run", *args] if is_option_of_run else args)


@click.group(
    cls=RunByDefault,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=examples("", "--packages 20 --clients 50", "load --url https://pypiserver.example.com", "cost --stack prod"),
)
@click.version_option(package_name="pypiserver-stack", message="%(package)s %(version)s")
def cli() -> None:
    """Prove the capacity of a package index: stand it up, load it, judge it, take it down.

    Without a command: run. `python -m bench run --help` lists its options.
    """


@with_options(LIMITS, *LOAD_OPTIONS, *RESULT_OPTIONS, THRESHOLD)
@cli.command(
    short_help="Stand a stack up here, load it, judge it, take it down",
    epilog=examples("run", "run -c profile=heavy --tasks 4", "run --threshold listing_p95_s=1 --quiet", "run --keep"),
)
@click.option(
    "--target",
    type=click.Choice(["local", "aws"]),
    default="local",
    show_default=True,
    help="Place of the deployment; aws is not available yet",
)
@click.option("--stack", default="stress", show_default=True, metavar="NAME", help=STACK_HELP)
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
    **_: Any,
) -> NoReturn:
    """Stand a stack up on this machine, fill it with packages, load it, judge it, take it down."""
    if target == "aws":
        raise UsageError("--target aws is not built yet: use --target local, or `load --url` against a live index")
    from bench.commands.run import job
    from bench.report.report_blocks import REPORT

    shown: list[int] = []

    def show_kept(report: Report, invitation: Sequence[str]) -> None:
        shown.append(report.exit_code)
        _show(report, REPORT, results, quiet)
        print(*invitation, sep="\n", flush=True)

    parameters = RunParameters(stack, engine, overrides, tasks, keep, given_options())
    report = _conduct(results, quiet, job(parameters, show_kept))
    if report.exit_code not in shown:
        _show(report, REPORT, results, quiet)
    sys.exit(report.exit_code)


@with_options(
    *load_options(
        PACKAGES.described("Number of packages to choose from, the first that the index lists"),
        WHEEL_KB.described("Size of each uploaded wheel in KB, for a workload that uploads"),
    ),
    *RESULT_OPTIONS,
    THRESHOLD,
)
@cli.command(
    short_help="Load an index that is already up",
    epilog=examples(
        "load --url https://pypiserver.example.com --clients 200", "load --url http://127.0.0.1:8080 --workload mixed"
    ),
)
@click.option(
    "--url", envvar="PYPI_URL", show_envvar=True, required=True, help="URL of the index; /simple/ lies below it"
)
@click.option(
    "--username", envvar="PYPI_USERNAME", show_envvar=True, default="", help="User name; PYPI_PASSWORD is the password"
)
def load(url: str, username: str, results: Path, quiet: bool, **_: Any) -> NoReturn:
    """Load an index that is already up, with the packages that it has, and judge it."""
    from bench.commands.load import job
    from bench.report.report_blocks import REPORT

    password = os.environ.get("PYPI_PASSWORD", "")
    _run_to_end(job(IndexParameters(url, username, password, given_options())), REPORT, results, quiet)


@with_options(*RESULT_OPTIONS)
@cli.command(
    short_help="Check that no task misses a file once it is uploaded",
    epilog=examples(
        "consistency -c backend=simple-dir --tasks 4",
        "consistency --url https://pypiserver.example.com --tasks 12 --uploads 100",
    ),
)
@click.option("--url", envvar="PYPI_URL", show_envvar=True, help="URL of a live index  [default: a stack of its own]")
@click.option(
    "--username", envvar="PYPI_USERNAME", show_envvar=True, default="", help="User name; PYPI_PASSWORD is the password"
)
@click.option("--stack", metavar="NAME", show_default="stress", help=f"{STACK_HELP}; without --url")
@engine_option(default=None)
@OVERRIDES_OPTION
@click.option("--tasks", type=TASKS, help="Number of tasks to run; with --url, of tasks that there are")
@click.option("--uploads", type=Whole(1, 10_000), default=20, show_default=True, help="Number of wheels to upload")
@click.option(
    "--readers", type=Whole(1, 500), default=16, show_default=True, help="Number of connections that read each change"
)
@click.option(
    "--time-limit",
    "time_limit_s",
    type=Number(1, 86_400),
    default=300,
    show_default=True,
    help="Time in seconds after which no change is begun",
)
@click.option("--keep-packages", is_flag=True, help="Leave the uploaded wheels on the index, and check no removals")
def consistency(results: Path, quiet: bool, **asked: Any) -> NoReturn:
    """Check that no task misses a file from the moment its upload was answered."""
    username_source = click.get_current_context().get_parameter_source("username")
    if asked["url"] is None and username_source is click.core.ParameterSource.COMMANDLINE:
        raise UsageError(
            f"--username {asked['username']} changes nothing without --url: leave it out, or name the index"
        )
    from bench.commands.consistency.blocks import CONSISTENCY
    from bench.commands.consistency.jobs import job

    _run_to_end(job(**asked, password=os.environ.get("PYPI_PASSWORD", "")), CONSISTENCY, results, quiet)


@with_options(*LOAD_OPTIONS, *RESULT_OPTIONS)
@cli.command(
    short_help="Compare stacks, or the reports of finished runs",
    epilog=examples(
        "compare --stacks peer,stress --rounds 5",
        "compare --stacks stress,stress:backend=simple-dir",
        "compare --against limit",
        "compare results/BASELINE results/OTHER --fail-on-regression",
    ),
)
@click.argument("reports", nargs=-1, type=click.Path(path_type=Path), metavar="[BASELINE OTHER...]")
@click.option("--stacks", help="Stacks to load in turn, such as peer,stress:backend=simple-dir")
@click.option("--rounds", type=Whole(1, 1_000), show_default="5", help="Number of loads of each stack")
@click.option("--against", type=click.Choice(["limit"]), help="limit: nginx with the files of the last stack")
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
def compare(reports: tuple[Path, ...], results: Path, quiet: bool, **values: Any) -> NoReturn:
    """Compare stacks, or the reports of finished runs, with the first of them.

    A report is a results folder or the report.json in it.
    """
    from bench.commands.compare.blocks import COMPARISON
    from bench.commands.compare.command import job

    _run_to_end(job(reports, options=given_options(), **values), COMPARISON, results, quiet)


@with_options(PACKAGES, WHEEL_KB, CLIENTS, SEED, *RESULT_OPTIONS)
@cli.command(
    short_help="Show what each setting changes, one at a time",
    epilog=examples("explain --rounds 5", "explain --packages 20 --clients 100 --tasks 2"),
)
@click.option("--rounds", type=Whole(1, 1_000), default=3, show_default=True, help="Number of loads of each step")
@engine_option(default="auto")
@click.option("--tasks", type=TASKS, help="Number of tasks to run in each step")
@click.option("--write", type=click.Path(path_type=Path), help="Page to write the table into, between its markers")
def explain(results: Path, quiet: bool, **values: Any) -> NoReturn:
    """Go from the Terraform module's setup to this one, one setting at a time, and show what each changes."""
    from bench.commands.explain.blocks import EXPLANATION
    from bench.commands.explain.job import job

    _run_to_end(job(options=given_options(), **values), EXPLANATION, results, quiet)


@with_options(PACKAGES, SEED.described("Seed; the same one gives the same bytes"))
@cli.command(
    short_help="Make the test packages in a folder",
    epilog=examples("packages /tmp/wheels", "packages /tmp/wheels --packages 10 --sizes uniform"),
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--sizes",
    type=click.Choice(["log-uniform", "uniform"]),
    default="log-uniform",
    show_default=True,
    help="Distribution of the wheels' sizes",
)
@click.option("--quiet", is_flag=True, help="Print nothing")
def packages(directory: Path, packages: int, seed: int, sizes: Literal["log-uniform", "uniform"], quiet: bool) -> None:
    """Make the test packages in DIRECTORY, without a run."""
    from bench.packages.factory import PackageSet, build, cache_dir_or, export, make_export_folder
    from bench.runtime.scratch import Scratch

    with Interruptions() as interruptions, open_progress(sys.stderr, quiet=quiet) as progress:
        interruptions.arm()
        progress.step("packages")
        package_set = PackageSet(packages=packages, seed=seed, size_distribution=sizes)
        make_export_folder(directory, package_set)
        scratch = Scratch()  # its watchdog ends the builders where this process is killed
        try:
            wheels = build(package_set, cache_dir_or(scratch.path / "cache", progress.note), progress.progress)
            export(wheels, directory)
        finally:
            scratch.remove()
        progress.note(f"{counted(len(wheels), 'wheel')} in {directory}")


cli.add_command(cost)


@cli.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
    short_help="Rotate the generated password of a deployed stack",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def rotate(arguments: tuple[str, ...]) -> None:
    """Rotate the generated password of a deployed stack: `python -m pypiserver_stack.rotate` under another name."""
    from pypiserver_stack.rotate.command import rotate_command

    command = copy.copy(rotate_command)
    command.epilog = examples("rotate --stack prod --keep-old", "rotate --stack prod")
    command(arguments, prog_name="python -m bench rotate", standalone_mode=False)


def _run_to_end(job: Job[T], layout: Layout[T], results: Path, quiet: bool) -> NoReturn:
    """Do a job, show its outcome, and exit with its code."""
    outcome = _conduct(results, quiet, job)
    _show(outcome, layout, results, quiet)
    sys.exit(outcome.exit_code)


def _conduct(results: Path, quiet: bool, job: Job[T]) -> T:
    from bench.runtime.run import conduct

    with open_progress(sys.stderr, quiet=quiet) as progress:
        outcome = conduct(results, _command(), progress, job)
    # All is done: a signal from here on could only make the exit code another than the report's.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    return outcome


def _show(outcome: T, layout: Layout[T], results: Path, quiet: bool) -> None:
    """Print an outcome. Where nobody can read it, the exit code and the report in its folder have to do."""
    from bench.report.formats.terminal import print_outcome

    document = layout.document(results / outcome.run.id)
    try:
        print_outcome(outcome, layout.blocks(outcome), document, sys.stdout, quiet=quiet)
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _command() -> list[str]:
    """What repeats the run, values from the environment included."""
    variables = [f"{name}={os.environ[name]}" for name in VARIABLES if os.environ.get(name)]
    return [*(["env", *variables] if variables else []), "python", "-m", "bench", *sys.argv[1:]]
