"""The jobs of `up` and `down`."""

from __future__ import annotations

from dataclasses import dataclass

from bench.commands.aws.blocks import STACK
from bench.commands.aws.model import StackReport
from bench.deployment.aws.index import NewIndex
from bench.deployment.aws.stacks.removal import remove_stack
from bench.deployment.aws.stacks.stack_folder import StackFolder, StackRecord
from bench.report.outcome import Teardown
from bench.runtime.run import Run
from bench.runtime.steps import stand_up, take_down


@dataclass
class UpJob:
    """Make a stack that stays up; one that does not get to its end is taken down."""

    index: NewIndex
    record: StackRecord
    _is_whole: bool = False

    def work(self, run: Run) -> None:
        stand_up(run, self.index)
        self._is_whole = True

    def down(self, run: Run) -> None:
        if self._is_whole:
            self.index.keep()
            run.scratch.remove()
        else:
            take_down(run, self.index.down)

    def report(self, run: Run) -> StackReport:
        return _report(run, self.record, "up")


@dataclass
class DownJob:
    """Remove a stack that `up` has made, or that a run has left behind."""

    folder: StackFolder
    record: StackRecord
    _leftovers: tuple[str, ...] = ()

    def work(self, run: Run) -> None:
        run.step("destroy")
        run.note(f"account {self.record.account_id}, region {self.record.region}")
        self._leftovers = remove_stack(self.folder, run.note, run.show_progress)

    def down(self, run: Run) -> None:
        run.record.teardown = Teardown(complete=not self._leftovers, leftovers=list(self._leftovers))
        run.scratch.remove()

    def report(self, run: Run) -> StackReport:
        return _report(run, self.record, "down")


def _report(run: Run, record: StackRecord, action: str) -> StackReport:
    return run.conclude(
        STACK,
        action=action,
        name=record.name,
        account_id=record.account_id,
        region=record.region,
        expires_at=record.expires_at,
        stack=run.record.stack,
        plan=run.record.plan,
    )
