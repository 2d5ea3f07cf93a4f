"""Run of a command: its folders, its record, and an orderly end whatever happens."""

from __future__ import annotations

import contextlib
import math
import re
import shutil
import time
import traceback
from collections.abc import Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from bench.common.failures import BenchError, DiskFullError, ExitCode, UnavailableError, UsageError, is_disk_full
from bench.deployment.graph import Resource
from bench.packages.factory import PackageSet, Wheel, build, cache_dir_or
from bench.report.build import RunRecord, build_outcome, report_fields
from bench.report.layout import Layout
from bench.report.model import Report
from bench.report.outcome import Outcome
from bench.report.redact import hide
from bench.report.report_blocks import REPORT
from bench.report.run_folder import RunFolder
from bench.runtime.interruption import Interrupted, Interruptions
from bench.runtime.progress import Progress
from bench.runtime.scratch import Scratch, remove_abandoned

T = TypeVar("T", bound=Outcome)
ResultT = TypeVar("ResultT")
OutcomeT = TypeVar("OutcomeT", covariant=True)

# Less than the largest wheel: where that is all there is left, nothing works any more.
_FULL_BYTES = 6 * 2**20


@dataclass(frozen=True)
class Run:
    """One run while it goes on, or the part of it that one of several indexes has."""

    record: RunRecord
    folder: RunFolder
    """Where its results go."""
    scratch: Scratch
    progress: Progress
    interruptions: Interruptions
    scratch_folder: Path
    """Where its temporary files go, within the folder of `scratch`."""
    name: str = ""
    """Of the index that the part is about; empty for the whole run."""

    def part(self, number: int, name: str) -> Run:
        """The part of the run that an index has: with folders of its own, and its name in steps and sentences.

        Args:
            number: different for each index of the run; it sorts the folders.
        """
        scratch_folder = self.scratch_folder / str(number)
        scratch_folder.mkdir()
        folder = self.folder.part(f"{number}-{re.sub(r'[^a-zA-Z0-9_.=-]+', '-', name).strip('-')}")
        return replace(self, folder=folder, scratch_folder=scratch_folder, name=name)

    def wheels(self, package_set: PackageSet) -> tuple[Wheel, ...]:
        """The wheels of a package set, with the progress of building them; see `bench.packages.factory.build`."""
        return build(package_set, self._cache_dir, self.progress.progress)

    @cached_property
    def _cache_dir(self) -> Path:
        return cache_dir_or(self.scratch.path / "cache", self.progress.note)

    def step(self, name: str) -> None:
        """Go on to the next step; `Interrupted` where a signal has come."""
        self.interruptions.check()
        self.progress.step(f"{name} {self.name}".strip())

    def note(self, text: str) -> None:
        self.progress.note(text)

    def show_progress(self, done: float, total: float) -> None:
        self.progress.progress(done, total)

    def wait_for(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        return self.interruptions.run(work)

    def keep_secret(self, secrets: Collection[str]) -> None:
        self.record.secrets.update(secret for secret in secrets if secret)

    def pause(self, duration_s: float) -> None:
        time.sleep(duration_s)  # what a signal raises ends it

    def write_text(self, name: str, text: str) -> None:
        self.folder.write_text(name, hide(text, self.record.secrets))

    def open_log(self, name: str) -> IO[bytes]:
        return (self.folder.path / name).open("ab")

    def write_infrastructure(self, resources: Iterable[Resource]) -> None:
        self.folder.write_infrastructure(resources, self.record.secrets)

    def warn(self, sentences: Iterable[str]) -> None:
        """Note what makes the result worth less, each sentence once."""
        warnings = self.record.warnings
        warnings += [sentence for sentence in map(self._named, sentences) if sentence not in warnings]

    def fail(self, code: ExitCode, sentence: str) -> None:
        """Note a failure; the first of a kind is kept."""
        self.record.fail(code, self._named(sentence))

    def fail_above_all(self, code: ExitCode, sentence: str) -> None:
        """Note a failure that explains the others of its kind, and takes their place."""
        self.record.failures[code] = self._named(sentence)

    def _named(self, sentence: str) -> str:
        return f"{self.name}: {sentence}" if self.name else sentence

    def report(self) -> Report:
        """The report as far as the run has got, written to the results folder too."""
        return self.conclude(REPORT, **report_fields(self.record))

    def conclude(self, layout: Layout[T], **own: Any) -> T:
        """The outcome of the run as far as it got, written to the results folder; `own` are the fields of its kind.

        One that cannot be written is still returned, and says so.
        """
        outcome = build_outcome(layout.kind, self.record, datetime.now(UTC), **own)
        try:
            layout.write(outcome, self.folder)
        except BenchError as error:
            self.record.fail(error.exit_code, str(error))
            return build_outcome(layout.kind, self.record, datetime.now(UTC), **own)
        return outcome


class Job(Protocol[OutcomeT]):
    """Work of a run."""

    def work(self, run: Run) -> None:
        """Everything up to the verdict. May end by an error or by a signal at any moment."""

    def down(self, run: Run) -> None:
        """Take down what `work` put up, as far as that got; may not raise."""

    def report(self, run: Run) -> OutcomeT:
        """Outcome of the run, written to the results folder too. Nothing else is asked of a job afterwards."""


def conduct(results: Path, command: Sequence[str], progress: Progress, job: Job[OutcomeT]) -> OutcomeT:
    """Do the work of `job`, take everything down, and report, however the work ends.

    A value that the work refuses before it has measured anything leaves no folder: there is nothing to report.

    Args:
        results: where the run's folder is made.
        command: what repeats the run.

    Raises:
        BenchError: no run could be started, or it was refused; nothing is left of it.
    """
    with Interruptions() as interruptions:
        run = _start(results, command, progress, interruptions)
        refusal = None
        try:
            refusal = _work(run, job)
        finally:
            progress.step("down")
            job.down(run)
        if refusal is not None and _is_nothing_left(run):
            run.folder.remove()
            raise UsageError(hide(str(refusal), run.record.secrets)) from refusal
        progress.step("report")
        if interruptions.received is not None:
            run.record.fail(ExitCode.INTERRUPTED, f"interrupted by {interruptions.received.name}")
        return job.report(run)


def _work(run: Run, job: Job[OutcomeT]) -> UsageError | None:
    """Do the work, and note why it ended early; returns what it refused."""
    try:
        try:
            run.interruptions.arm()
            job.work(run)
        finally:
            run.interruptions.shield()
    except Interrupted:
        pass
    except BaseException as error:
        _note_failure(run, error)
        return error if isinstance(error, UsageError) else None
    return None


def _is_nothing_left(run: Run) -> bool:
    """Whether all that came of a run is that a value was refused."""
    record = run.record
    measured = record.samples is not None or run.folder.has_figures
    taken_down = record.teardown is None or record.teardown.complete
    interrupted = run.interruptions.received is not None
    return set(record.failures) == {ExitCode.USAGE} and taken_down and not measured and not interrupted


def _start(results: Path, command: Sequence[str], progress: Progress, interruptions: Interruptions) -> Run:
    started_at = datetime.now(UTC)
    folder = RunFolder.create(results, started_at)
    try:
        scratch = Scratch()
    except BenchError:
        folder.path.rmdir()
        raise
    for mark in remove_abandoned():
        progress.step("clean up")
        progress.note(f"removed what the killed run {mark} had left behind")
    record = RunRecord(run_id=folder.run_id, seed=0, started_at=started_at, command=command)
    return Run(record, folder, scratch, progress, interruptions, scratch.path)


def _free_bytes(folder: Path) -> float:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return math.inf  # somebody has deleted the folder: whatever is wrong, it is not that the disk is full


def _note_failure(run: Run, error: BaseException) -> None:
    if isinstance(error, OSError) and is_disk_full(error):
        run.record.fail(ExitCode.INTERNAL, str(DiskFullError(error.filename or run.scratch.path)))
    elif isinstance(error, UnavailableError) and _free_bytes(run.scratch.path) < _FULL_BYTES:
        # The index, whose files lie there, has no words for it.
        run.record.fail(ExitCode.INTERNAL, str(DiskFullError(run.scratch.path)))
        run.record.warnings.append(str(error))
    elif isinstance(error, BenchError):
        run.record.fail(error.exit_code, str(error))
    else:
        path = run.folder.path / "traceback.txt"
        text = "".join(traceback.format_exception(error))
        with contextlib.suppress(OSError):
            path.write_text(hide(text, run.record.secrets), "utf-8")
        run.record.fail(
            ExitCode.INTERNAL, f"internal error, please report it together with {path}: {type(error).__name__}: {error}"
        )
