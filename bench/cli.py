"""The command line: options, environment, exit codes. docs/exit-codes.md is the page for users."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn

import click

from bench.console import open_progress
from bench.failures import UsageError
from bench.interruption import SIGNALS, Interruptions
from bench.parameters import VARIABLES, Asked, IndexParameters, RunParameters
from bench.report.model import Report
from bench.report.terminal import print_summary
from bench.run import Job, Outcome, conduct
from bench.scratch import Scratch

Command = Callable[..., Any]


class RunByDefault(click.Group):
    """`python -m bench --packages 10` is `python -m bench run --packages 10`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        names_a_command = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if names_a_command else ["run", *args])


RESULT_OPTIONS = (
    click.option(
        "--results",
        type=click.Path(path_type=Path),
        default=Path("results"),
        show_default=True,
        help="For the reports.",
    ),
    click.option("--quiet", is_flag=True, help="Say nothing but the result."),
)
PACKAGE_OPTIONS = (
    click.option("--packages", type=int, help="Packages of three wheels each [100; NUM_PACKAGES]."),
    click.option("--wheel-kb", type=int, help="What each wheel carries [from 1 KB to 5 MB, half of them below 73]."),
)
LOAD_OPTIONS = (
    click.option("--workload", metavar="NAME", help="What to send: burst (default), ...; docs/workloads.md."),
    *PACKAGE_OPTIONS,
    click.option("--clients", type=int, help="Clients that start at once [510; CONCURRENT_CLIENTS]."),
    click.option("--duration", "duration_s", type=float, help="Seconds to go on for [TEST_DURATION_SECONDS]."),
    click.option(
        "--burst-interval", "burst_interval_s", type=float, help="Seconds between bursts [BURST_INTERVAL_SECONDS]."
    ),
    click.option("--burst-multiplier", type=float, help="Rate of a burst, in times the usual one [BURST_MULTIPLIER]."),
    click.option("--speed", type=float, help="Compresses a recorded workload by this factor."),
    click.option("--seed", type=int, help="Seed of packages and schedule [0]."),
    click.option("--cookies", type=click.Choice(["none", "shared"]), help="none, or one jar for all clients [none]."),
    click.option("--generators", type=int, help="Processes that send the load [one for each core, up to 4]."),
    *RESULT_OPTIONS,
)
THRESHOLD_OPTION = click.option(
    "--threshold", "thresholds", multiple=True, metavar="NAME=LIMIT", help="Overrides a threshold."
)


def _load_options(command: Command) -> Command:
    """The options of every command that sends a load."""
    return _with(LOAD_OPTIONS, command)


def _judged_load_options(command: Command) -> Command:
    """The options of every command that sends a load and judges it."""
    return _with((*LOAD_OPTIONS, THRESHOLD_OPTION), command)


def _package_options(command: Command) -> Command:
    """The options of every command that fills an index."""
    return _with(PACKAGE_OPTIONS, command)


def _result_options(command: Command) -> Command:
    """The options of every command that leaves a result."""
    return _with(RESULT_OPTIONS, command)


def _with(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


@click.group(cls=RunByDefault, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def cli() -> None:
    """Stand the deployment up, fill it with packages, send it a burst, measure, judge, take it down.

    Without a command: run. `python -m bench run --help` lists its options.
    """


@cli.command()
@click.option(
    "--target", type=click.Choice(["local", "aws"]), default="local", show_default=True, help="aws is not built yet."
)
@click.option("--stack", default="stress", show_default=True, help="Which Pulumi.<stack>.yaml to evaluate.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "pulumi", "embedded"]),
    default="auto",
    show_default=True,
    help="auto: pulumi where the command is on PATH.",
)
@click.option("-c", "--config", "overrides", multiple=True, metavar="KEY=VALUE", help="Overrides a setting.")
@click.option("--tasks", type=int, help="How many of the planned tasks to run.")
@click.option("--keep", is_flag=True, help="After the report, keep the stack up until Ctrl-C.")
@_judged_load_options
def run(
    target: Literal["local", "aws"],
    stack: str,
    engine: Literal["auto", "pulumi", "embedded"],
    overrides: tuple[str, ...],
    tasks: int | None,
    keep: bool,
    results: Path,
    quiet: bool,
    **asked: Any,
) -> NoReturn:
    """The main job: up, publish, load, judge, down."""
    if target == "aws":
        raise UsageError("--target aws is not built yet: use --target local, or `load --url` against a live index")
    # Imported here: the other commands need neither Pulumi nor its second of start-up.
    from bench.cycle import Cycle

    shown: list[int] = []

    def show_kept(report: Report, invitation: Sequence[str]) -> None:
        shown.append(report.exit_code)
        _show(report, results, quiet)
        print(*invitation, sep="\n", flush=True)

    report = _conduct(
        results, quiet, Cycle(RunParameters(stack, engine, overrides, tasks, keep, Asked(**asked)), show_kept)
    )
    if report.exit_code not in shown:
        _show(report, results, quiet)
    sys.exit(report.exit_code)


@cli.command()
@click.option(
    "--url", envvar="PYPI_URL", show_envvar=True, required=True, help="The address below which /simple/ lies."
)
@click.option("--username", envvar="PYPI_USERNAME", default="", help="The password is taken from PYPI_PASSWORD.")
@_judged_load_options
def load(url: str, username: str, results: Path, quiet: bool, **asked: Any) -> NoReturn:
    """Load an index that is already there: no stack, the same report."""
    from bench.existing import ExistingIndex

    password = os.environ.get("PYPI_PASSWORD", "")
    report = _conduct(results, quiet, ExistingIndex(IndexParameters(url, username, password, Asked(**asked))))
    _show(report, results, quiet)
    sys.exit(report.exit_code)


@cli.command()
@click.option("--url", envvar="PYPI_URL", show_envvar=True, help="A live index [none: a stack on this machine].")
@click.option("--username", envvar="PYPI_USERNAME", default="", help="The password is taken from PYPI_PASSWORD.")
@click.option("--stack", help="Without --url: which Pulumi.<stack>.yaml to evaluate [stress].")
@click.option("--engine", type=click.Choice(["auto", "pulumi", "embedded"]), help="Without --url [auto].")
@click.option("-c", "--config", "overrides", multiple=True, metavar="KEY=VALUE", help="Overrides a setting.")
@click.option("--tasks", type=click.IntRange(min=1), help="How many tasks to run; with --url, how many there are.")
@click.option("--uploads", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Wheels to upload.")
@click.option("--readers", type=click.IntRange(1, 500), default=16, show_default=True, help="Connections that read.")
@click.option(
    "--time-limit", "time_limit_s", type=click.FloatRange(min=1), default=300, show_default=True, help="In seconds."
)
@click.option("--keep-packages", is_flag=True, help="Leave what was uploaded, and check no removals.")
@_result_options
def consistency(results: Path, quiet: bool, **asked: Any) -> NoReturn:
    """Check that no task misses a file from the moment its upload was answered."""
    from bench.consistency.jobs import job
    from bench.consistency.terminal import print_summary

    report = _conduct(results, quiet, job(**asked, password=os.environ.get("PYPI_PASSWORD", "")))
    _print(lambda: print_summary(report, results / report.run.id, sys.stdout, quiet=quiet))
    sys.exit(report.exit_code)


@cli.command()
@click.argument("reports", nargs=-1, type=click.Path(path_type=Path), metavar="[BASELINE.json OTHER.json]...")
@click.option("--stacks", help="Stacks to stand up and load in turn, such as peer,stress:backend=simple-dir.")
@click.option("--rounds", type=int, help="How often each stack takes the load [5].")
@click.option("--against", type=click.Choice(["limit"]), help="limit: nginx with the last stack's bytes as files.")
@click.option("--engine", type=click.Choice(["auto", "pulumi", "embedded"]), help="As with run [auto].")
@click.option("-c", "--config", "overrides", multiple=True, metavar="KEY=VALUE", help="Overrides it in every stack.")
@click.option("--tasks", type=int, help="How many of the planned tasks to run of each stack.")
@click.option("--fail-on-regression", is_flag=True, help="Exit with 7 where anything is worse than in the first.")
@click.option("--least-change", type=float, help="Worse means by this share at least [0.1].")
@click.option("--latency-floor", "latency_floor_s", type=float, help="And a latency by so many seconds [0.01].")
@_load_options
def compare(reports: tuple[Path, ...], results: Path, quiet: bool, **options: Any) -> NoReturn:
    """Hold stacks, or the reports of runs that are over, against the first of them."""
    from bench.compare.command import job
    from bench.compare.terminal import print_comparison

    comparison = _conduct(results, quiet, job(reports, **options))
    _print(lambda: print_comparison(comparison, results / comparison.run.id, sys.stdout, quiet=quiet))
    sys.exit(comparison.exit_code)


@cli.command()
@click.option("--rounds", type=int, default=3, show_default=True, help="How often each step takes the load.")
@_package_options
@click.option("--clients", type=int, help="Clients that start at once [510; CONCURRENT_CLIENTS].")
@click.option("--seed", type=int, help="Seed of packages and schedule [0].")
@click.option(
    "--engine",
    type=click.Choice(["auto", "pulumi", "embedded"]),
    default="auto",
    show_default=True,
    help="As with run.",
)
@click.option("--tasks", type=int, help="How many of the planned tasks to run in each step.")
@click.option("--write", type=click.Path(path_type=Path), help="A page to write the table into, between its markers.")
@_result_options
def explain(results: Path, quiet: bool, **options: Any) -> NoReturn:
    """Go from the Terraform module's setup to ours, one setting at a time, and show what each changes."""
    from bench.explain.job import job
    from bench.explain.terminal import print_explanation

    explanation = _conduct(results, quiet, job(**options))
    _print(lambda: print_explanation(explanation, results / explanation.run.id, sys.stdout, quiet=quiet))
    sys.exit(explanation.exit_code)


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--packages", type=int, envvar="NUM_PACKAGES", default=100, show_default=True, help="Of three wheels each."
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same bytes.")
@click.option("--sizes", type=click.Choice(["log-uniform", "uniform"]), default="log-uniform", show_default=True)
@click.option("--quiet", is_flag=True, help="Say nothing.")
def packages(directory: Path, packages: int, seed: int, sizes: Literal["log-uniform", "uniform"], quiet: bool) -> None:
    """Make the packages without a run, in DIRECTORY."""
    from bench.packages import PackageSet, build, default_cache_dir, export

    with Interruptions() as interruptions, open_progress(sys.stderr, quiet=quiet) as progress:
        interruptions.arm()
        progress.step("packages")
        package_set = PackageSet(packages=packages, seed=seed, size_distribution=sizes)
        scratch = Scratch()  # its watchdog ends the builders where this process is killed
        try:
            wheels = build(package_set, default_cache_dir(), progress.progress)
            export(wheels, directory)
        finally:
            scratch.remove()
        progress.note(f"{len(wheels)} wheels in {directory}")


def _conduct(results: Path, quiet: bool, job: Job[Outcome]) -> Outcome:
    with open_progress(sys.stderr, quiet=quiet) as progress:
        outcome = conduct(results, _command(), progress, job)
    # All is done: a signal from here on could only make the exit code another than the report's.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    return outcome


def _show(report: Report, results: Path, quiet: bool) -> None:
    _print(lambda: print_summary(report, results / report.run.id, sys.stdout, quiet=quiet))


def _print(write: Callable[[], None]) -> None:
    """Print the result. Where nobody can read it, the exit code and the report in its folder have to do."""
    try:
        write()
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _command() -> list[str]:
    """What repeats the run, values from the environment included."""
    variables = [f"{name}={os.environ[name]}" for name in VARIABLES.values() if os.environ.get(name)]
    return [*(["env", *variables] if variables else []), "python", "-m", "bench", *sys.argv[1:]]
