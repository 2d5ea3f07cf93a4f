"""A comparison in which the kernel killed processes for want of memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.commands.compare.stacks import note_oom_kills
from bench.common.failures import ExitCode
from bench.deployment import TaskFailures
from bench.report.build import Ending, ending_of
from bench.runtime.progress import Progress
from bench.runtime.run import Run, conduct

OOM_KILL = "task-2 needed more memory than its limit of 512 MB"


def ending_with(results: Path, failures: TaskFailures) -> Ending:
    """How a comparison ends in which the tasks of one stack had these failures."""

    class Work:
        def work(self, run: Run) -> None:
            note_oom_kills(run.part(1, "stress"), failures)

        def down(self, run: Run) -> None:
            run.scratch.remove()

        def report(self, run: Run) -> Ending:
            return ending_of(run.record)

    return conduct(results, ["bench"], Progress(), Work())


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_an_oom_kill_that_left_the_task_is_a_warning(tmp_path: Path) -> None:
    ending = ending_with(tmp_path, TaskFailures(oom_kills=(OOM_KILL,)))

    assert ending == (ExitCode.PASSED, None, [f"stress: {OOM_KILL}"])


def test_a_comparison_that_lost_a_task_is_untrustworthy(tmp_path: Path) -> None:
    ending = ending_with(tmp_path, TaskFailures(oom_kills=(OOM_KILL,), lost_tasks=("task-2",)))

    assert ending.exit_code == ExitCode.UNTRUSTWORTHY
    assert ending.failure == "stress: an OOM kill ended task-2, so that the figures are of fewer tasks"
    assert ending.warnings == [f"stress: {OOM_KILL}"]
