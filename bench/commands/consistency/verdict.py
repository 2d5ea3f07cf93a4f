"""Verdict of a check (inconsistent, unproved, or neither), and its warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bench.commands.consistency.check import CheckState
from bench.commands.consistency.judge import NAMELESS, AnswerFault, Change
from bench.commands.consistency.model import CheckParameters
from bench.common.failures import ExitCode
from bench.report.build import RunRecord
from sizing.counted import counted

_MAX_UNSETTLED = 5
_WORDS = {
    AnswerFault.STALE: "missed what was there before they were sent",
    AnswerFault.STALE_REMOVAL: "were shown what was gone before they were sent",
    AnswerFault.LOST: "missed what had been shown before",
    AnswerFault.EARLY: "were shown what nobody had begun to upload",
    AnswerFault.WRONG_DIGEST: "listed a wrong digest",
    AnswerFault.WRONG_BYTES: "downloaded wrong bytes",
}


def note_faults(record: RunRecord, state: CheckState) -> None:
    """Note whether an answer was wrong. That holds however the check ended."""
    if faults := state.judge.faults:
        record.fail(ExitCode.THRESHOLDS_MISSED, _inconsistency(faults, state))


def note_doubts(record: RunRecord, asked: CheckParameters, state: CheckState, accidents: Sequence[str]) -> None:
    """Note what a check that came to its end does not prove. One wrong answer weighs more than any number of doubts.

    Args:
        accidents: what befell the stack meanwhile, in words.
    """
    doubts = [*accidents, *_doubts(asked, state)]
    if doubts and not state.judge.faults:
        record.fail(ExitCode.UNTRUSTWORTHY, "; ".join(doubts))
    else:
        record.warnings += doubts
    record.warnings += _warnings(asked, state)


def _inconsistency(faults: Counter[AnswerFault], state: CheckState) -> str:
    reads = sum(tally.reads for tally in state.judge.tallies.values())
    counts = "; ".join(f"{faults[fault]:,} {words}" for fault, words in _WORDS.items() if faults[fault])
    oldest_s = max((lag.oldest_miss_s for lag in state.judge.lags.values() if lag.misses), default=None)
    age = f"; the oldest stale one was sent {oldest_s:.3f} s after the change" if oldest_s is not None else ""
    return f"of {counted(reads, 'read')} {counts}{age}"


def _doubts(asked: CheckParameters, state: CheckState) -> list[str]:
    """Why it proves nothing that no fault was found."""
    tallies = state.judge.tallies
    if not any(tally.reads for tally in tallies.values()):
        return ["not one read proves anything"]
    tasks = state.counted_tasks
    silent = sorted(task for task in tasks if task not in tallies or not tallies[task].reads)
    doubts = [f"{task or NAMELESS} answered no read: nothing is proved of it" for task in silent]
    named = sum(bool(task) for task in tasks)
    if asked.tasks is not None and named < asked.tasks and asked.tasks > 1:
        doubts.append(f"--tasks {asked.tasks}: {named} answered, nothing is proved of the others")
    return doubts


def _warnings(asked: CheckParameters, state: CheckState) -> list[str]:
    warnings = []
    changes: tuple[Change, ...] = ("upload",) if asked.keep_packages else ("upload", "removal")
    for change in changes:
        tried = state.changes[change] + sum(of == change for of, _ in state.refusals)
        if tried < asked.uploads:
            warnings.append(
                f"{tried} of {counted(asked.uploads, change)} begun in the {asked.time_limit_s:g} s of the check"
            )
    if state.refusals:
        warnings.append(f"changes that failed: {len(state.refusals)}, such as {next(iter(state.refusals.values()))}")
    errors: Counter[str] = sum((tally.errors for tally in state.judge.tallies.values()), Counter())
    if errors:
        counts = ", ".join(f"{count:,} {error}" for error, count in errors.most_common())
        warnings.append(f"reads that failed and prove nothing: {errors.total():,} ({counts})")
    warnings += [
        f"{task or NAMELESS} gave no answer that proves anything about {count} of "
        f"{counted(state.changes.total(), 'change')}"
        for task, count in sorted(state.silences.items())
    ]
    unsettled = [key for key, lag in state.judge.lags.items() if lag.misses and lag.settled_s is None]
    warnings += [
        f"{task or NAMELESS} did not know of the {change} of {thing} as long as it was asked"
        for thing, change, task in unsettled[:_MAX_UNSETTLED]
    ]
    if state.tasks and not any(state.tasks):
        warnings.append("the index does not say which task answers (X-Served-By): nothing is proved of one task alone")
    elif asked.tasks is None:
        answered = counted(sum(map(bool, state.tasks)), "task")
        warnings.append(f"{answered} answered; whether there are more is not known without --tasks")
    return warnings
