"""Layout of a command's reports: the title, the command's own blocks, and what every report begins and ends with."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Generic, TypeVar

from bench.report import formats
from bench.report.blocks import Block, Blocks, Cell, Note
from bench.report.outcome import Outcome, Teardown
from bench.report.run_folder import RunFolder
from sizing.counted import counted

T = TypeVar("T", bound=Outcome)


@dataclass(frozen=True)
class Layout(Generic[T]):
    """Layout of one command's outcome, in files and on the terminal."""

    kind: type[T]
    file_stem: str
    """Name of the report's files, without suffix."""
    title: Callable[[T], str]
    """The measured subject, in a few words."""
    own_blocks: Callable[[T], Iterable[Block]]
    """The blocks that only this command's outcome has."""

    def blocks(self, outcome: T) -> Blocks:
        """The whole report."""
        title = f"{self.title(outcome)}: {outcome.headline}"
        return [_run(outcome, title), *self.own_blocks(outcome), *_ends(outcome)]

    def write(self, outcome: T, folder: RunFolder) -> None:
        """Write the report in every format."""
        blocks = self.blocks(outcome)
        for format_ in formats.ALL:
            folder.write_text(self.file_stem + format_.suffix, format_.text(outcome, blocks))

    def document(self, folder: Path) -> Path:
        """The file for people."""
        return folder / (self.file_stem + formats.MARKDOWN.suffix)


def _run(outcome: Outcome, title: str) -> Note:
    run = outcome.run
    took = timedelta(seconds=round((run.ended_at - run.started_at).total_seconds()))
    sentence = (
        f"Run {run.id}, started {run.started_at:%Y-%m-%d %H:%M:%S} UTC, took {took}, with seed {run.seed}, "
        f"on {outcome.machine}."
    )
    if outcome.warnings:
        sentence += f" It has {counted(len(outcome.warnings), 'warning')}, at the end."
    return Note(heading=title, level=1, lines=[sentence], shown="document")


def _ends(outcome: Outcome) -> Iterator[Note]:
    if outcome.warnings:
        yield Note(heading="Warnings", label="Warning", style="warning", lines=outcome.warnings, form="list")
    if outcome.teardown is not None:
        yield _teardown(outcome.teardown)
    yield Note(heading="Repeat it", lines=[shlex.join(outcome.run.command)], form="command", shown="document")


def _teardown(teardown: Teardown) -> Note:
    if teardown.complete:
        return Note(heading="Teardown", lines=["Everything the run made is gone."], shown="document")
    leftovers = [Cell(leftover, "code") for leftover in teardown.leftovers]
    return Note(heading="Teardown: left behind", lines=leftovers, form="list", shown="document")
