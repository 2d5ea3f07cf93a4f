"""The check itself: change the index, and from the moment the change was answered ask every task about it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from math import inf
from time import perf_counter
from typing import Any

from bench.consistency.client import Client, Got
from bench.consistency.judge import Change, Judge
from bench.consistency.reader import Focus, Reader
from bench.consistency.things import File, Project, Thing
from bench.failures import UnavailableError
from bench.http_client import Endpoint
from bench.target import Target

# Beside the readers of each round: they read on while the index changes, so that every cache is warm when it does.
BACKGROUND_READERS = 4
_BACKGROUND_PAUSE_S = 0.02
# How many answers in a row have to know of a change before a task is believed to know of it.
_ANSWERS = 3
# For a task to answer at all: it may have gone.
_PATIENCE_S = 10.0
# For a task that answers, but does not know of a change: NFS may keep the attributes of a directory for 60 s.
_SETTLING_S = 90.0
_REMOVAL_ATTEMPTS = 5
_REMOVAL_PAUSE_S = 0.2
# For an upload or a removal that is under way when the check is interrupted.
_LAST_WORD_S = 5.0


@dataclass
class Seen:
    """What a check has seen so far."""

    judge: Judge = field(default_factory=Judge)
    projects: Sequence[Project] = ()
    tasks: set[str] = field(default_factory=set)
    """Those that are known: the stack has them, or they have answered. '' is for answers that name none."""
    changes: Counter[Change] = field(default_factory=Counter)
    """Those that the index answered with success."""
    refusals: dict[tuple[Change, str], str] = field(default_factory=dict)
    """What came in place of success, by change and file name."""
    silences: Counter[str] = field(default_factory=Counter)
    """By task: changes about which it gave no answer that proves anything."""

    @property
    def files(self) -> list[File]:
        """All files of the check, in the order of their uploads."""
        return [file for project in self.projects for file in project.files]


class Check:
    """One check of one index, of which `seen` is the state at any time, also when a method was cancelled."""

    def __init__(
        self, target: Target, endpoint: Endpoint, seen: Seen, readers: int, on_progress: Callable[[int, int], None]
    ) -> None:
        """
        Args:
            seen: with the projects to upload, in this order, of which the index has none.
            readers: connections that read after each change.
            on_progress: called with the number of files that are through, and of all.
        """
        self._seen = seen
        self._target = target
        self._endpoint = endpoint
        self._on_progress = on_progress
        self._focus = Focus(seen.projects[0], seen.files[0], seen.tasks)
        self._background, self._readers = (
            [Reader(self._client(number), target, self._focus, seen.judge, number) for number in range(count)]
            for count in (BACKGROUND_READERS, readers)
        )

    async def run(self, change: Change, time_limit_s: float) -> None:
        """Make a change with one file after the other, and look at each. No change is begun after the time limit.

        Raises:
            UnavailableError: the index refuses the very first upload.
        """
        deadline_s = perf_counter() + time_limit_s
        try:
            async with asyncio.TaskGroup() as group:
                reading = [group.create_task(_read_on(reader)) for reader in self._background]
                await self._change_all(change, deadline_s)
                for task in reading:
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            for reader in (*self._background, *self._readers):
                reader.abort()

    async def remove_rest(self) -> None:
        """Remove what the index may still have of the check, without a read."""
        for file in self._seen.files:
            if file.remains:
                await self._remove(file)

    async def _change_all(self, change: Change, deadline_s: float) -> None:
        change_one = self._upload if change == "upload" else self._remove
        seen: Project | None = None
        for number, (project, file) in enumerate((p, f) for p in self._seen.projects for f in p.files):
            if perf_counter() > deadline_s:
                return
            if change == "removal" and not file.remains:
                continue
            self._focus.project, self._focus.file = project, file
            if project is not seen:
                # So that every task has answered for it before it changes.
                await self._read_until(lambda: True)
                seen = project
            if await change_one(file):
                self._seen.changes[change] += 1
                await self._look(change, project, file, deadline_s)
            self._on_progress(number + 1, len(self._seen.files))

    async def _look(self, change: Change, project: Project, file: File, deadline_s: float) -> None:
        """Read until every task knows of the change, as far as there is time and patience."""
        judge, begun_s = self._seen.judge, perf_counter()
        # The index page changes with the first file of a project, and with the last to go.
        changed: list[Thing] = (
            [file] if change == "removal" and not project.must_hide(begun_s, begun_s) else [file, project]
        )

        def enough() -> bool:
            lagging = any(judge.lagged(thing, change) for thing in changed)
            if perf_counter() > min(begun_s + (_SETTLING_S if lagging else _PATIENCE_S), deadline_s):
                return True
            return all(judge.follows(thing, change, task, _ANSWERS) for thing in changed for task in self._seen.tasks)

        await self._read_until(enough)
        self._seen.silences.update(task for task in self._seen.tasks if not judge.answered(file, change, task))

    async def _read_until(self, enough: Callable[[], bool]) -> None:
        """Have each reader read each kind once, and on, until there is enough."""

        async def read(reader: Reader) -> None:
            await reader.read_each_kind()
            while not enough():
                await reader.read_each_kind()

        async with asyncio.TaskGroup() as group:
            for reader in self._readers:
                group.create_task(read(reader))

    async def _upload(self, file: File) -> bool:
        """Whether the index says that it took the file."""
        file.begun_s = perf_counter()
        got = await _finished(self._client().upload(file.wheel.path))
        if got.is_success:
            file.uploaded_s, file.is_held = got.answer.done_s, True
            return True
        self._refuse("upload", file, got)
        if got.is_refusal:
            file.begun_s = inf  # as if nobody had begun; after any other trouble it may be there, or yet come to be
        if file is self._seen.files[0]:
            raise UnavailableError(
                f"the index at {self._target.url} refused {self._seen.refusals['upload', file.label]}"
            )
        return False

    async def _remove(self, file: File) -> bool:
        """Whether the index says that it removed the file."""
        file.removal_begun_s = min(file.removal_begun_s, perf_counter())
        for attempt in range(_REMOVAL_ATTEMPTS):
            await asyncio.sleep(_REMOVAL_PAUSE_S if attempt else 0)
            was_held, file.is_held = file.is_held, False
            got = await _finished(self._client().remove(file.wheel.name.replace("-", "_"), file.wheel.version))
            if got.is_success:
                file.removed_s = got.answer.done_s
                return True
            if got.is_absence and not was_held:
                file.is_absent = True
                return False
            if got.is_absence or got.is_refusal:
                file.is_held = was_held
            if got.is_refusal:
                break
        self._refuse("removal", file, got)
        return False

    def _refuse(self, change: Change, file: File, got: Got) -> None:
        answer = got.trouble or f"status {got.answer.status}"
        self._seen.refusals[change, file.label] = f"the {change} of {file.label}: {answer}"

    def _client(self, number: int = 0) -> Client:
        return Client(self._target, self._endpoint, number)


async def _read_on(reader: Reader) -> None:
    while True:
        await reader.read_each_kind(pause_s=_BACKGROUND_PAUSE_S)


async def _finished(request: Coroutine[Any, Any, Got]) -> Got:
    """The result of a request that is not to be left half-way: cancelled, it gets a moment to come to its end."""
    sending = asyncio.create_task(request)
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        await asyncio.wait([sending], timeout=_LAST_WORD_S)
        sending.cancel()
        raise
