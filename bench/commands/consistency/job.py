"""`python -m bench consistency`: the check of a live index, and of a stack that is stood up for it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import Any, Literal

from bench.commands.consistency.blocks import CONSISTENCY
from bench.commands.consistency.build import report_fields
from bench.commands.consistency.check import Check, CheckState
from bench.commands.consistency.items import File, Project
from bench.commands.consistency.model import CheckParameters, ConsistencyReport
from bench.commands.consistency.verdict import note_doubts, note_faults
from bench.commands.parameters import limits_parameter
from bench.common.failures import BenchError, UsageError
from bench.deployment import IndexUnderTest
from bench.deployment.live import LiveIndex
from bench.deployment.local import PROJECT_FOLDER, LocalIndex, LocalOptions
from bench.deployment.stack_config import load_stack
from bench.index.target import Target
from bench.packages.factory import PackageSet, build
from bench.runtime.run import Run
from bench.runtime.steps import stand_up, take_down

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
    **parameters: Any,
) -> ConsistencyCheck:
    """What the command line asks for.

    Raises:
        UsageError: options that change nothing, no password, or a stack file that cannot be read.
    """
    checked = CheckParameters(tasks=tasks, **parameters)
    if url is not None:
        if stack or engine or overrides:
            raise UsageError(
                f"--stack, --engine and -c change nothing of the live index {url}: leave them, or unset PYPI_URL"
            )
        return ConsistencyCheck(LiveIndex(Target(url, username, password)), checked)
    config, bench_values = load_stack(PROJECT_FOLDER, stack or "stress", overrides)
    enforce_limits = limits_parameter({}, bench_values) == "auto"
    return ConsistencyCheck(LocalIndex(config, LocalOptions(engine or "auto", tasks, enforce_limits)), checked)


class ConsistencyCheck:
    """The check of one index. What it uploads to an index that stays it removes, however it ends."""

    def __init__(self, index: IndexUnderTest, parameters: CheckParameters) -> None:
        self._index = index
        self._parameters = parameters
        self._state = CheckState()
        self._target: Target | None = None

    def work(self, run: Run) -> None:
        self._target = target = stand_up(run, self._index)
        tasks = self._index.describe().tasks
        if tasks:
            self._parameters = self._parameters.model_copy(update={"tasks": len(tasks)})
        parameters, state = self._parameters, self._state
        run.step("packages")
        state.projects, state.tasks = _projects(run, parameters.uploads), set(tasks)
        try:
            run.step("uploads")
            check = Check(target, state, parameters.readers, run.progress.progress)
            run.wait_for(check.run("upload", parameters.time_limit_s / (1 if parameters.keep_packages else 2)))
            if not parameters.keep_packages:
                run.step("removals")
                run.wait_for(check.run("removal", parameters.time_limit_s / 2))
        finally:
            note_faults(run.findings, state)
        failures = self._index.task_failures()
        note_doubts(run.findings, parameters, state, [*failures.ended, *failures.oom_kills])

    def down(self, run: Run) -> None:
        """Remove what the check has left on an index that stays, and take down one that does not."""
        take_down(run, self._remove_rest, self._index.down)

    def report(self, run: Run) -> ConsistencyReport:
        return run.conclude(CONSISTENCY, **report_fields(run.findings, self._parameters, self._state))

    def _remove_rest(self) -> list[str]:
        remaining = [file for file in self._state.files if file.remains]
        target = self._target
        if self._index.is_temporary or self._parameters.keep_packages or target is None or not remaining:
            return []
        with contextlib.suppress(TimeoutError, BenchError):  # what remains is reported in either case
            check = Check(target, self._state, self._parameters.readers, lambda done, total: None)
            asyncio.run(asyncio.wait_for(check.remove_rest(), _CLEANING_S))
        return [f"{file.label} on {target.url}" for file in remaining if file.remains]


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
