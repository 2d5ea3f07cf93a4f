"""How a check reads: the verdict first, a line for each task, and the whole of it in the document."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.commands.consistency.blocks import CONSISTENCY
from bench.commands.consistency.check import CheckState
from bench.commands.consistency.job import report_fields
from bench.commands.consistency.judge import AnswerFault, Lag, Tally
from bench.commands.consistency.model import CheckParameters, ConsistencyReport
from bench.commands.consistency.verdict import note_faults
from bench.report.build import RunRecord, build_outcome
from bench.report.formats.markdown import markdown_text
from bench.report.formats.terminal import print_outcome

NOW = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
PARAMETERS = CheckParameters(uploads=3, readers=16, time_limit_s=60, keep_packages=False, tasks=2)


def report_of(state: CheckState) -> ConsistencyReport:
    record = RunRecord(run_id="x", seed=0, started_at=NOW, command=["bench"], index_url="http://index.example")
    note_faults(record, state)
    return build_outcome(ConsistencyReport, record, NOW, **report_fields(record, PARAMETERS, state))


@pytest.fixture
def consistent() -> ConsistencyReport:
    state = CheckState(tasks={"task-10", "task-2"})
    state.changes.update({"upload": 3, "removal": 3})
    for task in state.tasks:
        state.judge.tallies[task] = Tally(reads=1000)
    return report_of(state)


@pytest.fixture
def inconsistent() -> ConsistencyReport:
    state = CheckState(tasks={"a|b"})
    state.judge.tallies["a|b"] = Tally(reads=1000)
    state.judge.tallies["a|b"].faults[AnswerFault.STALE] = 7
    state.judge.lags["some.whl", "upload", "a|b"] = Lag(misses=7, oldest_miss_s=1.5)
    state.judge.examples = [f"lost: number {number}" for number in range(5)]
    return report_of(state)


def terminal_text(report: ConsistencyReport, folder: Path, *, quiet: bool = False) -> str:
    stream = io.StringIO()
    print_outcome(report, CONSISTENCY.blocks(report), CONSISTENCY.document(folder), stream, quiet=quiet)
    return stream.getvalue()


def test_tasks_are_in_the_order_of_their_numbers(consistent: ConsistencyReport, tmp_path: Path) -> None:
    lines = terminal_text(consistent, tmp_path).splitlines()

    assert [line.split()[0] for line in lines[:4]] == ["task", "task-2", "task-10", "all"]
    assert lines[3].split() == ["all", "2,000", "0", "-", "-", "0", "0", "0", "0"]
    assert lines[-1] == "consistent"


def test_quiet_is_the_verdict_alone(inconsistent: ConsistencyReport, tmp_path: Path) -> None:
    assert terminal_text(inconsistent, tmp_path, quiet=True) == (
        "inconsistent: of 1,000 reads 7 missed what was there before they were sent; "
        "the oldest stale one was sent 1.500 s after the change (exit code 3)\n"
    )


def test_the_terminal_shows_a_few_examples_and_the_document_all(
    inconsistent: ConsistencyReport, tmp_path: Path
) -> None:
    assert terminal_text(inconsistent, tmp_path).count("lost: number") == 3
    assert markdown_text(CONSISTENCY.blocks(inconsistent)).count("lost: number") == 5


def test_the_document_has_the_verdict_and_every_miss(inconsistent: ConsistencyReport) -> None:
    lines = markdown_text(CONSISTENCY.blocks(inconsistent)).splitlines()

    assert lines[0].startswith("# consistency of http://index.example: inconsistent: of 1,000 reads")
    assert r"| a\|b | upload | some.whl | 7 | 1.500 s | not seen |" in lines
    assert (
        "Checked http://index.example, 2 tasks: 3 uploads, removed again, with 16 readers after each change, "
        in " ".join(lines)
    )
