"""What an answer proves: known moments, and every order of events that a consistent index can produce."""

from __future__ import annotations

import itertools
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.commands.consistency.items import File, Project
from bench.commands.consistency.judge import AnswerFault, Judge, Read, ReadKind
from bench.index.pages import ListedFile
from bench.packages.factory import Wheel

SHA256 = "ab" * 32


def a_file(
    number: int = 1,
    *,
    begun_s: float = inf,
    uploaded_s: float = inf,
    removal_begun_s: float = inf,
    removed_s: float = inf,
) -> File:
    wheel = Wheel("bench-x", f"0.0.{number}", Path(f"bench_x-0.0.{number}-py3-none-any.whl"), 5, SHA256)
    return File(wheel, b"noise", None, begun_s, uploaded_s, removal_begun_s, removed_s)


def a_read(sent_s: float, done_s: float, task: str = "a", kind: ReadKind = ReadKind.LISTING_HTML) -> Read:
    return Read(task, kind, sent_s, done_s)


def listing(*files: File, sha256: str | None = SHA256) -> dict[str, ListedFile]:
    algorithm = "" if sha256 is None else "sha256"
    return {file.label: ListedFile(file.label, f"/packages/{file.label}", algorithm, sha256 or "") for file in files}


NOTHING: set[AnswerFault] = set()


@pytest.mark.parametrize(
    ("sent_s", "done_s", "if_shown", "if_missing"),
    [
        (1, 9, {AnswerFault.EARLY}, NOTHING),
        (1, 10, NOTHING, NOTHING),
        (9, 25, NOTHING, NOTHING),
        (19.9, 29, NOTHING, NOTHING),
        (20, 29, NOTHING, {AnswerFault.STALE}),
        (20, 30, NOTHING, NOTHING),
        (29, 45, NOTHING, NOTHING),
        (39.9, 50, NOTHING, NOTHING),
        (40, 50, {AnswerFault.STALE_REMOVAL}, NOTHING),
    ],
)
@pytest.mark.parametrize("kind", ReadKind)
def test_an_answer_has_to_be_true_of_some_moment_between_question_and_answer(
    kind: ReadKind, sent_s: float, done_s: float, if_shown: set[AnswerFault], if_missing: set[AnswerFault]
) -> None:
    file = a_file(begun_s=10, uploaded_s=20, removal_begun_s=30, removed_s=40)
    for shown, expected in ((True, if_shown), (False, if_missing)):
        judge, read = Judge(), a_read(sent_s, done_s, kind=kind)
        if kind is ReadKind.DOWNLOAD:
            judge.download(read, file, file.content if shown else None)
        elif kind is ReadKind.INDEX_PAGE:
            judge.index_page(read, Project("bench-x", [file]), named=shown)
        else:
            judge.listing(read, Project("bench-x", [file]), listing(file) if shown else {})
        tally = judge.tallies["a"]
        assert set(tally.faults) == expected
        proves = if_missing == {AnswerFault.STALE} or if_shown == {AnswerFault.STALE_REMOVAL}
        assert (tally.reads, tally.idle_reads) == ((1, 0) if proves else (0, 1))


def test_how_old_misses_are_and_when_they_end() -> None:
    file, judge = a_file(begun_s=10, uploaded_s=20), Judge()
    project = Project("bench-x", [file])
    answers = [(20.5, 20.6, False), (21.0, 21.5, False), (20.7, 21.6, True), (22.0, 22.25, True), (23.0, 23.1, True)]
    for sent_s, done_s, shown in answers:
        judge.listing(a_read(sent_s, done_s), project, listing(file) if shown else {})
    lag = judge.lags[file.label, "upload", "a"]
    assert (lag.misses, lag.oldest_miss_s) == (2, 1.0)
    # The answer asked for at 20.7 was overtaken by a miss that was asked for later.
    assert (lag.right, lag.settled_s) == (2, 2.25)
    assert judge.tallies["a"].faults == {AnswerFault.STALE: 2}


def test_a_miss_that_was_overtaken_does_not_undo_what_followed_it() -> None:
    file, judge = a_file(begun_s=10, uploaded_s=20), Judge()
    project = Project("bench-x", [file])
    judge.listing(a_read(22.0, 22.5), project, listing(file))
    judge.listing(a_read(21.0, 23.0), project, {})
    lag = judge.lags[file.label, "upload", "a"]
    assert (lag.misses, lag.settled_s, lag.right) == (1, 2.5, 1)
    judge.listing(a_read(24.0, 25.0), project, {})
    assert (lag.misses, lag.settled_s, lag.right) == (2, None, 0)
    assert judge.lagged(file, "upload")
    assert not judge.follows(file, "upload", "a", 1)


def test_an_answer_that_misses_several_files_is_one_stale_read() -> None:
    files = [a_file(number, begun_s=1, uploaded_s=2 + number) for number in (1, 2)]
    judge = Judge()
    judge.listing(a_read(5, 6), Project("bench-x", files), {})
    assert judge.tallies["a"].faults == {AnswerFault.STALE: 1}
    assert [lag.oldest_miss_s for lag in judge.lags.values()] == [2, 1]


def test_a_project_is_on_the_index_page_as_long_as_it_has_a_file() -> None:
    first, second = (
        a_file(1, begun_s=1, uploaded_s=2, removal_begun_s=5, removed_s=6),
        a_file(2, begun_s=3, uploaded_s=4),
    )
    project, judge = Project("bench-x", [first, second]), Judge()
    judge.index_page(a_read(7, 8, kind=ReadKind.INDEX_PAGE), project, named=False)
    assert judge.tallies["a"].faults == {AnswerFault.STALE: 1}
    second.removal_begun_s, second.removed_s = 9, 10
    judge.index_page(a_read(9, 11, "b", ReadKind.INDEX_PAGE), project, named=True)
    assert not judge.tallies["b"].faults
    judge.index_page(a_read(12, 13, "b", ReadKind.INDEX_PAGE), project, named=True)
    assert judge.tallies["b"].faults == {AnswerFault.STALE_REMOVAL: 1}
    assert judge.lags["bench-x", "removal", "b"].oldest_miss_s == 2


def test_what_was_shown_is_not_lost_by_another_task_but_for_downloads() -> None:
    file, judge = a_file(begun_s=1), Judge()
    project = Project("bench-x", [file])
    judge.listing(a_read(2, 3, "a"), project, listing(file))
    judge.listing(a_read(4, 5, "b"), project, {})
    assert not judge.tallies["b"].faults
    judge.download(a_read(2.5, 5, "b", ReadKind.DOWNLOAD), file, None)  # asked for before anybody could have seen it
    assert not judge.tallies["b"].faults
    judge.download(a_read(4, 5, "b", ReadKind.DOWNLOAD), file, None)
    assert judge.tallies["b"].faults == {AnswerFault.LOST: 1}
    judge.listing(a_read(4, 5, "a"), project, {})
    assert judge.tallies["a"].faults == {AnswerFault.LOST: 1}
    file.removal_begun_s = 6
    judge.listing(a_read(7, 8, "a"), project, {})
    assert judge.tallies["a"].faults == {AnswerFault.LOST: 1}


def test_a_project_is_lost_if_none_of_its_files_can_have_gone() -> None:
    unanswered, removed = a_file(1, begun_s=1), a_file(2, begun_s=1, uploaded_s=2, removal_begun_s=9, removed_s=10)
    later = a_file(3, begun_s=5, uploaded_s=5.5, removal_begun_s=6, removed_s=6.5)
    project, judge = Project("bench-x", [unanswered, removed, later]), Judge()
    judge.index_page(a_read(3, 4, kind=ReadKind.INDEX_PAGE), project, named=True)
    judge.index_page(a_read(7, 8, kind=ReadKind.INDEX_PAGE), project, named=False)
    assert judge.tallies["a"].faults == {AnswerFault.STALE: 1, AnswerFault.LOST: 1}
    # What was shown may have been the one that has gone since, and the others may never have been there.
    judge.index_page(a_read(11, 12, kind=ReadKind.INDEX_PAGE), project, named=False)
    assert judge.tallies["a"].faults == {AnswerFault.STALE: 1, AnswerFault.LOST: 1}


def test_bytes_and_digests_are_those_that_were_uploaded() -> None:
    file, judge = a_file(begun_s=1, uploaded_s=2), Judge()
    project = Project("bench-x", [file])
    judge.listing(a_read(3, 4), project, listing(file, sha256=None))
    assert not judge.tallies["a"].faults
    judge.listing(a_read(3, 4), project, listing(file, sha256="cd" * 32))
    judge.download(a_read(3, 4, kind=ReadKind.DOWNLOAD), file, b"")
    judge.download(a_read(3, 4, kind=ReadKind.DOWNLOAD), file, b"other")
    assert judge.tallies["a"].faults == {AnswerFault.WRONG_DIGEST: 1, AnswerFault.WRONG_BYTES: 2}
    assert ["the first 0 bytes" in example for example in judge.examples] == [False, True, False]


TASKS = ("a", "b", "c")


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[tuple[File, float, float]], list[tuple[Read, float]]]:
    """Files, each with the moments at which it really appears and goes; reads, each with the moment it is true of."""
    moments = iter(draw(st.lists(st.floats(0, 1000), min_size=24, max_size=90, unique=True)))
    files = []
    for number in range(draw(st.integers(1, 3))):
        times = sorted(itertools.islice(moments, 6))
        if draw(st.booleans()):
            times[3:] = [inf] * 3
        begun_s, appears_s, uploaded_s, removal_begun_s, goes_s, removed_s = times
        if draw(st.booleans()):
            uploaded_s = inf  # the answer was lost
        file = a_file(
            number, begun_s=begun_s, uploaded_s=uploaded_s, removal_begun_s=removal_begun_s, removed_s=removed_s
        )
        files.append((file, appears_s, goes_s))
    reads = []
    while len(times := sorted(itertools.islice(moments, 3))) == 3:
        sent_s, true_s, done_s = times
        reads.append(
            (a_read(sent_s, done_s, draw(st.sampled_from(TASKS)), draw(st.sampled_from(list(ReadKind)))), true_s)
        )
    return files, sorted(reads, key=lambda read: read[0].done_s)


def judged(files: list[tuple[File, float, float]], reads: list[tuple[Read, float]]) -> Judge:
    judge, project = Judge(), Project("bench-x", [file for file, _, _ in files])
    for read, true_s in reads:
        there = [file for file, appears_s, goes_s in files if appears_s <= true_s < goes_s]
        if read.kind is ReadKind.INDEX_PAGE:
            judge.index_page(read, project, named=bool(there))
        elif read.kind is ReadKind.DOWNLOAD:
            file = files[0][0]
            judge.download(read, file, file.content if file in there else None)
        else:
            judge.listing(read, project, listing(*there))
    return judge


@given(histories())
def test_whatever_a_consistent_index_answers_is_no_fault(
    history: tuple[list[tuple[File, float, float]], list[tuple[Read, float]]],
) -> None:
    files, reads = history
    judge = judged(files, reads)
    assert {task: set(tally.faults) for task, tally in judge.tallies.items() if tally.faults} == {}
    assert sum(tally.reads + tally.idle_reads for tally in judge.tallies.values()) == len(reads)


@given(histories(), st.data())
def test_an_answer_from_before_the_change_is_always_found(
    history: tuple[list[tuple[File, float, float]], list[tuple[Read, float]]], data: st.DataObject
) -> None:
    files, reads = history
    file, appears_s, goes_s = data.draw(st.sampled_from(files))
    changes = [(appears_s, file.uploaded_s, file.removal_begun_s), (goes_s, file.removed_s, inf)]
    known = [change for change in changes if change[1] < inf]
    if not known:
        return
    changed_s, answered_s, until_s = data.draw(st.sampled_from(known))
    task = data.draw(st.sampled_from(TASKS))
    sent_s, done_s = data.draw(
        st.tuples(st.floats(answered_s, 2000), st.floats(0, 100)).map(lambda moments: (moments[0], sum(moments)))
    )
    if done_s >= until_s:
        return
    before_s = (file.begun_s + changed_s) / 2 if changed_s == appears_s else (appears_s + changed_s) / 2
    stale = (a_read(sent_s, done_s, task), before_s)
    judge = judged(files, sorted([*reads, stale], key=lambda read: read[0].done_s))
    fault = AnswerFault.STALE if changed_s == appears_s else AnswerFault.STALE_REMOVAL
    assert judge.tallies[task].faults[fault] == 1
    assert {other: tally.faults for other, tally in judge.tallies.items() if tally.faults and other != task} == {}
