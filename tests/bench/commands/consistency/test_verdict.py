"""What a check comes to, and what it says beside that."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bench.commands.consistency.check import CheckState
from bench.commands.consistency.judge import AnswerFault, Lag, Tally
from bench.commands.consistency.model import CheckParameters
from bench.commands.consistency.verdict import note_doubts, note_faults
from bench.common.failures import ExitCode
from bench.report.build import RunRecord, ending_of


def asked(tasks: int | None = 2) -> CheckParameters:
    return CheckParameters(uploads=3, readers=16, time_limit_s=60, keep_packages=False, tasks=tasks)


def a_check(*tasks: str) -> CheckState:
    """One that came to its end without a fault."""
    state = CheckState(tasks=set(tasks))
    state.changes.update({"upload": 3, "removal": 3})
    for task in tasks:
        state.judge.tallies[task] = Tally(reads=100)
    return state


def verdict(state: CheckState, tasks: int | None = 2, accidents: tuple[str, ...] = ()) -> tuple[ExitCode, str, str]:
    """Exit code, failure, warnings."""
    record = RunRecord(run_id="x", seed=0, started_at=datetime.now(UTC), command=["bench"])
    note_faults(record, state)
    note_doubts(record, asked(tasks), state, accidents)
    ending = ending_of(record)
    return ending.exit_code, ending.failure or "", "\n".join(ending.warnings)


def test_every_task_answered_and_nothing_was_wrong() -> None:
    assert verdict(a_check("a", "b")) == (ExitCode.PASSED, "", "")


def test_no_read_at_all_is_no_pass() -> None:
    state = a_check("a", "b")
    state.judge.tallies.clear()
    code, failure, _ = verdict(state)
    assert (code, failure) == (ExitCode.UNTRUSTWORTHY, "not one read proves anything")


def test_a_task_without_a_read_that_proves_something_is_no_pass() -> None:
    state = a_check("a", "b")
    state.judge.tallies["b"] = Tally(reads=0, idle_reads=50)
    state.silences["b"] = 6
    code, failure, warnings = verdict(state)
    assert (code, failure) == (ExitCode.UNTRUSTWORTHY, "b answered no read: nothing is proved of it")
    assert warnings == "b gave no answer that proves anything about 6 of 6 changes"


@pytest.mark.parametrize("tasks", [("a",), ("",), ("a", "")])
def test_fewer_tasks_than_there_are_is_no_pass(tasks: tuple[str, ...]) -> None:
    code, failure, _ = verdict(a_check(*tasks))
    assert code is ExitCode.UNTRUSTWORTHY
    assert "--tasks 2" in failure


def test_an_index_that_does_not_name_its_tasks_passes_as_a_whole() -> None:
    for tasks in (None, 1):
        code, _, warnings = verdict(a_check(""), tasks)
        assert code is ExitCode.PASSED
        assert "X-Served-By" in warnings


def test_tasks_that_nobody_counted_are_told() -> None:
    code, _, warnings = verdict(a_check("a", "b"), None)
    assert code is ExitCode.PASSED
    assert warnings == "2 tasks answered; whether there are more is not known without --tasks"


def test_a_wrong_answer_weighs_more_than_all_doubts() -> None:
    state = a_check("a")
    state.judge.tallies["a"].faults.update({AnswerFault.STALE: 2, AnswerFault.WRONG_BYTES: 1})
    lag = Lag(misses=2, oldest_miss_s=1.25)
    state.judge.lags["x.whl", "upload", "a"] = lag
    code, failure, warnings = verdict(state, accidents=("task-1 ended with status -9",))
    assert code is ExitCode.THRESHOLDS_MISSED
    assert failure.startswith("of 100 reads 2 missed what was there before they were sent; 1 downloaded wrong bytes;")
    assert "1.250 s after the change" in failure
    assert "task-1 ended" in warnings
    assert "--tasks 2" in warnings
    assert "a did not know of the upload of x.whl as long as it was asked" in warnings


def test_a_part_that_ended_is_no_pass() -> None:
    code, failure, _ = verdict(a_check("a", "b"), accidents=("task-1 ended with status -9",))
    assert (code, failure) == (ExitCode.UNTRUSTWORTHY, "task-1 ended with status -9")


def test_what_failed_and_what_was_not_reached_is_told() -> None:
    state = a_check("a", "b")
    state.changes["upload"] = 1
    state.refusals["upload", "x.whl"] = "the upload of x.whl: status 502"
    state.judge.tallies["a"].errors.update({"status 502": 4})
    state.judge.tallies[""].errors.update({"connect": 2})
    code, _, warnings = verdict(state)
    assert code is ExitCode.PASSED
    assert "2 of 3 uploads begun in the 60 s of the check" in warnings
    assert "changes that failed: 1, such as the upload of x.whl: status 502" in warnings
    assert "reads that failed and prove nothing: 6 (4 status 502, 2 connect)" in warnings
    assert "removals were begun" not in warnings
