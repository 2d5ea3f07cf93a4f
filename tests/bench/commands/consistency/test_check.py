"""The check against indexes that go wrong in ways whose count is known."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
import uvloop

from bench.commands.consistency.check import BACKGROUND_READERS, Check, CheckState
from bench.commands.consistency.items import Project
from bench.commands.consistency.judge import AnswerFault, Change, ReadKind
from bench.common.failures import UnavailableError
from bench.index.target import Target
from tests.bench.fake_index import FakeIndex

MakeProject = Callable[..., Project]
READERS = 8


def checked(
    index: FakeIndex,
    projects: Sequence[Project],
    changes: Sequence[Change] = ("upload", "removal"),
    *,
    time_limit_s: float = 60.0,
    tasks: Sequence[str] = (),
    state: CheckState | None = None,
) -> CheckState:
    """What a check sees of an index."""
    state = CheckState() if state is None else state
    state.projects, state.tasks = projects, set(tasks)

    async def run() -> None:
        async with await index.serve():
            target = Target(index.url, "uploader", "s3cret")
            check = Check(target, state, READERS, lambda done, total: None)
            for change in changes:
                await check.run(change, time_limit_s)
            await check.remove_rest()

    uvloop.run(run())
    return state


def faults(state: CheckState) -> dict[str, Counter[AnswerFault]]:
    return {task: tally.faults for task, tally in state.judge.tallies.items() if tally.faults}


def test_an_index_without_fault_is_found_without_fault(project: MakeProject) -> None:
    index = FakeIndex(tasks=("a", "b", "c"))
    projects = [project(f"bench-x-{number}", ("0.0.1", "0.0.2", "0.0.3")) for number in range(3)]
    state = checked(index, projects)
    assert faults(state) == {}
    assert state.tasks == {"a", "b", "c"}
    assert state.changes == {"upload": 9, "removal": 9}
    assert index.files == {}
    assert not state.silences
    for kind in ReadKind:
        assert state.judge.reads_by_kind[kind] > 0
    for task, tally in state.judge.tallies.items():
        # What was cancelled at the end was answered, but never counted.
        assert 0 <= index.reads[task] - tally.reads - tally.idle_reads <= 2 * BACKGROUND_READERS
        assert tally.reads > 3 * 9
        assert not tally.errors
    assert all(lag.settled_s is not None and lag.settled_s > 0 for lag in state.judge.lags.values())


def test_connections_that_the_index_ends_are_opened_again(project: MakeProject) -> None:
    index = FakeIndex()
    index.ends_connections = True
    state = checked(index, [project("bench-x-0", ("0.0.1", "0.0.2"))])
    assert state.changes == {"upload": 2, "removal": 2}
    assert faults(state) == {}
    assert all(tally.reads and not tally.errors for tally in state.judge.tallies.values())


def test_every_task_has_answered_before_anything_changes(project: MakeProject) -> None:
    class Counting(FakeIndex):
        answered_before: tuple[str, ...] = ()

        async def take(self, filename: str, content: bytes) -> int:
            self.answered_before = self.answered_before or tuple(self.reads)
            return await super().take(filename, content)

    tasks = tuple("abcdefghijkl")
    index = Counting(tasks)
    checked(index, [project("bench-x-0")], ["upload"])
    assert sorted(index.answered_before) == sorted(tasks)


class LateIndex(FakeIndex):
    """After each change, task b answers the next few reads as if it did not know of it.

    To the check, a read is stale if it was sent after the change was answered. So that the count is exact, the answer
    to a change waits until every background reader is waiting for one too; those are answered when the first reader
    turns up that was waiting for the change.
    """

    LATE_ANSWERS = 7

    def __init__(self) -> None:
        super().__init__()
        self.stale: Counter[str] = Counter()
        """Stale answers by task."""
        self._held = 0
        self._all_held = asyncio.Event()
        self._called = asyncio.Event()
        self._called.set()
        self._answered = True
        self._before: dict[str, bytes] = {}
        self._late_answers = 0

    async def take(self, filename: str, content: bytes) -> int:
        return await self._hold(lambda: self.files.update({filename: content}))

    async def remove(self, filename: str) -> int:
        return await self._hold(lambda: self.files.pop(filename))

    async def _hold(self, change: Callable[[], object]) -> int:
        self._before = dict(self.files)
        self._held, self._answered = 0, False
        self._all_held.clear()
        self._called.clear()
        await self._all_held.wait()
        change()
        self._answered = True
        self._late_answers = self.LATE_ANSWERS
        return 200

    async def seen_by(self, task: str, kind: str) -> dict[str, bytes] | int:
        if not self._answered:
            before = self._before
            self._held += 1
            if self._held == BACKGROUND_READERS:
                self._all_held.set()
            await self._called.wait()
            return before
        self._called.set()
        if task == "b" and self._late_answers:
            self._late_answers -= 1
            self.stale[task] += 1
            return self._before
        return self.files


def test_every_stale_answer_is_counted_and_no_other(project: MakeProject) -> None:
    index = LateIndex()
    state = checked(index, [project("bench-x-0"), project("bench-x-1")])
    assert index.stale == {"b": 4 * LateIndex.LATE_ANSWERS}
    found = faults(state)
    found["b"].pop(AnswerFault.LOST, None)  # downloads of what task a has listed already: how many is chance
    assert found == {
        "b": {AnswerFault.STALE: 2 * LateIndex.LATE_ANSWERS, AnswerFault.STALE_REMOVAL: 2 * LateIndex.LATE_ANSWERS}
    }
    missed = {(thing, change): lag for (thing, change, task), lag in state.judge.lags.items() if lag.misses}
    assert sum(lag.misses for lag in missed.values()) == 4 * LateIndex.LATE_ANSWERS
    for lag in missed.values():
        assert lag.settled_s is not None
        assert 0 < lag.oldest_miss_s < lag.settled_s


class FrozenIndex(FakeIndex):
    """Task b shows what there was when it was first asked, for ever."""

    async def seen_by(self, task: str, kind: str) -> dict[str, bytes] | int:
        return {} if task == "b" else self.files


def test_a_task_that_never_follows_is_told_from_one_that_is_late(project: MakeProject) -> None:
    state = checked(FrozenIndex(), [project("bench-x-0")], ["upload"], time_limit_s=0.5)
    assert faults(state).keys() == {"b"}
    lag = state.judge.lags["bench_x_0-0.0.1-py3-none-any.whl", "upload", "b"]
    assert lag.settled_s is None
    assert lag.right == 0
    assert lag.misses > READERS / 2


class ElsewhereIndex(FakeIndex):
    """Task b sends whoever asks for a project elsewhere: a pypiserver that falls back, and has heard of nothing."""

    async def seen_by(self, task: str, kind: str) -> dict[str, bytes] | int:
        return 302 if task == "b" and kind == "listing" else self.files


def test_a_redirect_says_that_nothing_is_there(project: MakeProject) -> None:
    state = checked(ElsewhereIndex(), [project("bench-x-0")], ["upload"], time_limit_s=0.3)
    assert faults(state).keys() == {"b"}
    assert faults(state)["b"][AnswerFault.STALE] > 0
    assert not state.judge.tallies["b"].errors


class PartialIndex(FakeIndex):
    """Shows the first half of a file until somebody has downloaded that, and only then answers its upload."""

    def __init__(self) -> None:
        super().__init__()
        self.halves: Counter[str] = Counter()
        """Answers with half of a file, by kind."""
        self._half = ""
        self._downloaded = asyncio.Event()

    async def take(self, filename: str, content: bytes) -> int:
        self._half = filename
        self._downloaded.clear()
        self.files[filename] = content[: len(content) // 2]
        await self._downloaded.wait()
        self._half = ""
        return await super().take(filename, content)

    async def seen_by(self, task: str, kind: str) -> dict[str, bytes] | int:
        if self._half:
            self.halves[kind] += 1
            if kind == "download":
                self._downloaded.set()
        return self.files


def test_a_file_that_is_shown_half_written_is_an_error_of_its_own(project: MakeProject) -> None:
    index = PartialIndex()
    state = checked(index, [project("bench-x-0"), project("bench-x-1")])
    found: Counter[AnswerFault] = sum(faults(state).values(), Counter())
    assert found == {
        AnswerFault.WRONG_BYTES: index.halves["download"],
        AnswerFault.WRONG_DIGEST: index.halves["listing"],
    }
    assert found[AnswerFault.WRONG_BYTES] >= 2
    size = len(state.files[0].content)
    assert any(f"the first {size // 2} bytes in place of its {size}" in example for example in state.judge.examples)


class EagerIndex(FakeIndex):
    """Lists a version that nobody has uploaded, as soon as there is one of the project."""

    async def seen_by(self, task: str, kind: str) -> dict[str, bytes] | int:
        if kind != "listing":
            return self.files
        return {**self.files, **{name.replace("0.0.1", "0.0.9"): content for name, content in self.files.items()}}


def test_a_file_that_nobody_uploaded_is_not_to_be_listed(project: MakeProject) -> None:
    state = checked(EagerIndex(), [project("bench-x-0")])
    found: Counter[AnswerFault] = sum(faults(state).values(), Counter())
    assert found.keys() == {AnswerFault.EARLY}
    assert found[AnswerFault.EARLY] >= READERS
    assert any("0.0.9" in example for example in state.judge.examples)


class ForgetfulIndex(FakeIndex):
    """Lists a file while it is being uploaded, then does not for one answer, before the upload is answered."""

    def __init__(self) -> None:
        super().__init__(tasks=("a",))
        self._listings = 0
        self._forgotten = asyncio.Event()

    async def take(self, filename: str, content: bytes) -> int:
        self.files[filename] = content
        self._listings = 0
        self._forgotten.clear()
        await self._forgotten.wait()
        return 200

    async def seen_by(self, task: str, kind: str) -> dict[str, bytes] | int:
        if kind != "listing" or self._forgotten.is_set():
            return self.files
        self._listings += 1
        if self._listings <= BACKGROUND_READERS:
            return self.files
        # Each background reader has one request under way at the most: one answer before this is complete by now.
        self._forgotten.set()
        return {}


def test_what_a_task_has_shown_it_must_not_lose(project: MakeProject) -> None:
    state = checked(ForgetfulIndex(), [project("bench-x-0"), project("bench-x-1")])
    assert faults(state) == {"a": {AnswerFault.LOST: 2}}


class RefusingIndex(FakeIndex):
    """Answers uploads, removals and reads with statuses of its own."""

    def __init__(self, *, upload: int = 200, removal: int = 200, read: int = 200) -> None:
        super().__init__()
        self._statuses = (upload, removal, read)

    async def take(self, filename: str, content: bytes) -> int:
        return self._statuses[0] if self._statuses[0] != 200 else await super().take(filename, content)

    async def remove(self, filename: str) -> int:
        return self._statuses[1] if self._statuses[1] != 200 else await super().remove(filename)

    async def seen_by(self, task: str, kind: str) -> dict[str, bytes] | int:
        return self._statuses[2] if self._statuses[2] != 200 else await super().seen_by(task, kind)


def test_reads_that_fail_prove_nothing_and_are_not_stale(project: MakeProject) -> None:
    state = checked(RefusingIndex(read=503), [project("bench-x-0")], ["upload"], time_limit_s=0.3)
    assert faults(state) == {}
    assert {task: tally.reads for task, tally in state.judge.tallies.items()} == {"a": 0, "b": 0}
    for tally in state.judge.tallies.values():
        assert tally.errors.keys() == {"status 503"}


def test_an_index_that_does_not_take_the_first_upload_is_unavailable(project: MakeProject) -> None:
    index = RefusingIndex(upload=403)
    with pytest.raises(UnavailableError, match=r"did not take the upload of bench_x_0.*status 403"):
        checked(index, [project("bench-x-0")])


@pytest.mark.parametrize("status", [301, 307, 308, 400, 403, 404, 405, 413, 501])
def test_an_upload_that_was_refused_leaves_nothing(project: MakeProject, status: int) -> None:
    state = CheckState()
    with pytest.raises(UnavailableError, match=f"status {status}"):
        checked(RefusingIndex(upload=status), [project("bench-x-0")], state=state)
    assert [file.label for file in state.files if file.remains] == []


@pytest.mark.parametrize("status", [302, 303, 408, 500, 503])
def test_an_upload_that_failed_may_be_there(project: MakeProject, status: int) -> None:
    state = CheckState()
    with pytest.raises(UnavailableError, match=f"status {status}"):
        checked(RefusingIndex(upload=status), [project("bench-x-0")], state=state)
    assert len([file for file in state.files if file.remains]) == 1


def test_what_cannot_be_removed_remains(project: MakeProject) -> None:
    index = RefusingIndex(removal=405)
    state = checked(index, [project("bench-x-0", ("0.0.1", "0.0.2"))])
    assert [file.label for file in state.files if file.remains] == sorted(index.files)
    assert state.refusals["removal", state.files[0].label].endswith("status 405")
    assert faults(state) == {}


class SlyIndex(FakeIndex):
    """Refuses the second file, and lists it all the same."""

    async def take(self, filename: str, content: bytes) -> int:
        return await super().take(filename, content) + (203 if "0.0.2" in filename else 0)


def test_a_file_whose_upload_was_refused_is_not_to_be_listed(project: MakeProject) -> None:
    state = checked(SlyIndex(), [project("bench-x-0", ("0.0.1", "0.0.2"))], ["upload"])
    found: Counter[AnswerFault] = sum(faults(state).values(), Counter())
    assert found[AnswerFault.EARLY] > 0
    assert state.changes["upload"] == 1


class AnswerlessIndex(FakeIndex):
    """Takes the second file, or does not, without ever saying so: the connection ends."""

    def __init__(self, *, takes: bool) -> None:
        super().__init__()
        self._takes = takes

    async def take(self, filename: str, content: bytes) -> int:
        if "0.0.2" not in filename:
            return await super().take(filename, content)
        if self._takes:
            self.files[filename] = content
        raise ConnectionError


@pytest.mark.parametrize("takes", [True, False])
def test_an_upload_without_an_answer_may_be_there_or_not(project: MakeProject, takes: bool) -> None:
    index = AnswerlessIndex(takes=takes)
    state = checked(index, [project("bench-x-0", ("0.0.1", "0.0.2", "0.0.3"))])
    assert faults(state) == {}
    assert state.changes["upload"] == 2
    assert index.files == {}
    assert not any(file.remains for file in state.files)


def test_the_time_limit_ends_the_check_between_two_changes(project: MakeProject) -> None:
    projects = [project(f"bench-x-{number}") for number in range(50)]
    state = checked(FrozenIndex(), projects, ["upload"], time_limit_s=0.3)
    assert 1 <= state.changes["upload"] < 50
