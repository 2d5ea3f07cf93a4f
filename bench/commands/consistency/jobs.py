"""`python -m bench consistency`: the check of a live index, and of a stack that is stood up for it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Literal

from bench.commands.consistency.blocks import CONSISTENCY
from bench.commands.consistency.build import build_consistency_report
from bench.commands.consistency.check import Check, Seen
from bench.commands.consistency.model import CheckParameters, ConsistencyReport
from bench.commands.consistency.things import File, Project
from bench.commands.consistency.verdict import note_doubts, note_faults
from bench.commands.parameters import RunParameters, limits_parameter
from bench.common.failures import BenchError, UsageError
from bench.deployment.local import PROJECT_FOLDER, LocalDeployment
from bench.deployment.stack_config import load_stack
from bench.index.probe import probe
from bench.index.target import Target
from bench.packages.factory import PackageSet, build
from bench.report.build import Findings
from bench.runtime.run import Run
from bench.runtime.teardown import take_down
from sizing.counted import counted

# The first makes the project; the others, uploaded at once, change one that every task has listed.
_FILES_PER_PROJECT = 3
_WHEEL_BYTES = 20_000
# For removing from a live index what an interrupted check has left there.
_CLEANING_S = 30.0


def job(
    *,
    url: str | None,
    username: str,
    password: str,
    stack: str | None,
    engine: Literal["auto", "pulumi", "embedded"] | None,
    overrides: tuple[str, ...],
    tasks: int | None,
    **asked: Any,
) -> LiveIndex | LocalStack:
    """What the command line asks for.

    Args:
        asked: what `CheckParameters` has beside tasks.

    Raises:
        UsageError: options that change nothing, no password, or a stack file that cannot be read.
    """
    if url is None:
        parameters = RunParameters(stack or "stress", engine or "auto", overrides, tasks, keep=False, options={})
        return LocalStack(parameters, CheckParameters(tasks=tasks, **asked))
    if stack or engine or overrides:
        raise UsageError(
            f"--stack, --engine and -c change nothing of the live index {url}: leave them, or unset PYPI_URL"
        )
    if username and not password:
        raise UsageError(f"PYPI_PASSWORD is not set: set it to the password of {username}")
    return LiveIndex(Target(url, username, password), CheckParameters(tasks=tasks, **asked))


class _Job:
    """What both have in common: the check and its report."""

    def __init__(self, asked: CheckParameters) -> None:
        self._asked = asked
        self._seen = Seen()

    def report(self, run: Run) -> ConsistencyReport:
        """What was found, in the results folder too."""

        def build_report(findings: Findings, ended_at: datetime) -> ConsistencyReport:
            return build_consistency_report(findings, self._asked, self._seen, ended_at)

        return run.written(CONSISTENCY, build_report)

    def _check(
        self, run: Run, target: Target, tasks: Collection[str] = (), accidents: Callable[[], list[str]] = list
    ) -> None:
        asked, seen = self._asked, self._seen
        run.step("packages")
        seen.projects, seen.tasks = _projects(run, asked.uploads), set(tasks)
        try:
            run.step("uploads")
            check = Check(target, seen, asked.readers, run.progress.progress)
            run.interruptions.run(check.run("upload", asked.time_limit_s / (1 if asked.keep_packages else 2)))
            if not asked.keep_packages:
                run.step("removals")
                run.interruptions.run(check.run("removal", asked.time_limit_s / 2))
        finally:
            note_faults(run.findings, seen)
        note_doubts(run.findings, asked, seen, accidents())


class LiveIndex(_Job):
    """The check of an index that is already there. What it uploads it removes, however it ends."""

    def __init__(self, target: Target, asked: CheckParameters) -> None:
        super().__init__(asked)
        self._target = target

    def work(self, run: Run) -> None:
        """See whether the index is there, and check it."""
        run.findings.secrets |= {self._target.password} - {""}
        run.findings.index_url = self._target.url
        run.step("probe")
        run.interruptions.run(probe(self._target))
        self._check(run, self._target)

    def down(self, run: Run) -> None:
        """Remove what the check has left on the index."""
        run.findings.teardown = take_down((self._remove_rest, run.scratch.remove))

    def _remove_rest(self) -> list[str]:
        if self._asked.keep_packages or not self._remaining():
            return []
        with contextlib.suppress(TimeoutError, BenchError):  # what remains is told in either case
            check = Check(self._target, self._seen, self._asked.readers, lambda done, total: None)
            asyncio.run(asyncio.wait_for(check.remove_rest(), _CLEANING_S))
        return [f"{file.label} on {self._target.url}" for file in self._remaining()]

    def _remaining(self) -> list[File]:
        return [file for file in self._seen.files if file.remains]


class LocalStack(_Job):
    """The check of a stack on this machine, which is taken down however it ends."""

    def __init__(self, parameters: RunParameters, asked: CheckParameters) -> None:
        super().__init__(asked)
        self._parameters = parameters
        self._config, bench_values = load_stack(PROJECT_FOLDER, parameters.stack, parameters.overrides)
        self._limits = limits_parameter(parameters.options, bench_values)
        self._stack: LocalDeployment | None = None

    def work(self, run: Run) -> None:
        """Stand the stack up and check it."""
        parameters = self._parameters
        run.step("evaluate")
        self._stack = stack = LocalDeployment(
            self._config, parameters.engine, parameters.tasks, run.scratch.path, limits=self._limits
        )
        stack.evaluate()
        run.findings.secrets |= stack.secrets
        run.findings.stack = stack.stack

        run.step("start")
        target = stack.start()
        tasks = [task.id for task in stack.processes.tasks]
        run.findings.index_url = target.url
        run.progress.note(f"{counted(len(tasks), 'task')} behind {target.url}")
        self._asked = self._asked.model_copy(update={"tasks": len(tasks)})

        self._check(run, target, tasks, lambda: [*stack.processes.ended(), *stack.processes.oom_sentences()])

    def down(self, run: Run) -> None:
        """Take everything down."""
        parts = (self._stack.stop, self._stack.delete) if self._stack is not None else ()
        run.findings.teardown = take_down((*parts, run.scratch.remove))


def _projects(run: Run, uploads: int) -> tuple[Project, ...]:
    """The packages of this check, and of no other: their names carry its id."""
    package_set = PackageSet(
        packages=-(-uploads // _FILES_PER_PROJECT),
        versions=tuple(f"0.0.{number}" for number in range(1, _FILES_PER_PROJECT + 1)),
        name_prefix=f"bench-consistency-{run.findings.run_id}",
        min_bytes=_WHEEL_BYTES,
        max_bytes=_WHEEL_BYTES,
    )
    # Not in the cache: nobody will want them again.
    wheels = build(package_set, run.scratch.path / "wheels", run.progress.progress)[:uploads]
    by_project = itertools.groupby(wheels, key=lambda wheel: wheel.name)
    return tuple(Project(name, [File.of(wheel) for wheel in of_project]) for name, of_project in by_project)
