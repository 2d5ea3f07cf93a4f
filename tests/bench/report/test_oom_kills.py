"""Until when an OOM kill counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.commands.parameters import load_parameters
from bench.commands.run.cycle import Cycle
from bench.deployment import TaskFailures
from bench.deployment.description import Local
from bench.deployment.live import LiveIndex
from bench.index.target import Target
from bench.report.build import RunRecord
from bench.report.model import Report
from bench.runtime.progress import Progress
from bench.runtime.run import Run, conduct

OOM_KILL = "task-1 needed more memory than its limit of 512 MB"


class KilledForMemory(LiveIndex):
    """An index with a task that has had an OOM kill."""

    is_temporary = True

    def task_failures(self) -> TaskFailures:
        return TaskFailures(oom_kills=(OOM_KILL,))


def ended(results: Path, local: Local | None) -> Report:
    """The report of a run whose task had an OOM kill when the measurement had come so far."""

    class ReportingCycle(Cycle):
        def work(self, run: Run) -> None:
            run.record.local = local

    index = KilledForMemory(Target("http://127.0.0.1"))
    return conduct(results, ["bench"], Progress(), ReportingCycle(index, load_parameters({}, {})))


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_an_oom_kill_during_the_measurement_fails_the_run(tmp_path: Path) -> None:
    report = ended(tmp_path, None)
    assert (report.exit_code, report.failure) == (3, OOM_KILL)


def test_an_oom_kill_of_a_kept_stack_leaves_the_verdict_as_it_was(tmp_path: Path, record: RunRecord) -> None:
    assert ended(tmp_path, record.local).exit_code == 0
