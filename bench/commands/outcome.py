"""Outcome of a command: its job done, the result printed, the exit code."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from bench.commands.options import VARIABLES
from bench.runtime.interruption import SIGNALS
from bench.runtime.progress import open_progress

# What only a job needs is imported when there is one: a command line that is refused is refused at once.
if TYPE_CHECKING:
    from bench.report.layout import Layout
    from bench.report.outcome import Outcome
    from bench.runtime.run import Job

T = TypeVar("T", bound="Outcome")


def run_to_end(job: Job[T], layout: Layout[T], results: Path, quiet: bool) -> NoReturn:
    """Do a job, show its outcome, and exit with its code."""
    outcome = conducted(results, quiet, job)
    show(outcome, layout, results, quiet)
    sys.exit(outcome.exit_code)


def conducted(results: Path, quiet: bool, job: Job[T]) -> T:
    """The outcome of a job, done with its progress on stderr."""
    from bench.runtime.run import conduct

    with open_progress(sys.stderr, quiet=quiet) as progress:
        outcome = conduct(results, _command(), progress, job)
    # All is done: a signal from here on could only make the exit code another than the report's.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    return outcome


def show(outcome: T, layout: Layout[T], results: Path, quiet: bool) -> None:
    """Print an outcome. Where nobody can read it, the exit code and the report in its folder have to do."""
    from bench.report.formats.terminal import print_outcome

    document = layout.document(results / outcome.run.id)
    try:
        print_outcome(outcome, layout.blocks(outcome), document, sys.stdout, quiet=quiet)
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _command() -> list[str]:
    """The command that repeats the run, values from the environment included."""
    variables = [f"{name}={os.environ[name]}" for name in VARIABLES if os.environ.get(name)]
    return [*(["env", *variables] if variables else []), "python", "-m", "bench", *sys.argv[1:]]
