"""Check of an index: change it, and from the moment the change was answered ask every task about it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from math import inf
from time import perf_counter
from typing import Any

from bench.commands.consistency.items import CheckedItem, File, Project
from bench.commands.consistency.judge import Change, Judge
from bench.commands.consistency.reader import Focus, Reader
from bench.common.failures import UnavailableError
from bench.index.client import Exchange, IndexSession
from bench.index.target import Target
from bench.index.upload import Form

# Beside the readers of each round: they read on while the index changes, so that every cache is warm when it does.
BACKGROUND_READERS = 4
_BACKGROUND_PAUSE_S = 0.02
# How many answers in a row have to know of a change before a task is believed to know of it.
_ANSWERS = 3
# For a task to answer at all: it may have gone.
_PATIENCE_S = 10.0
# For a task that answers, but does not know of a change: NFS may keep the attributes of a directory for 60 s.
_SETTLING_S = 90.0
# For as long all readers read as fast as they can; whoever waits longer need not keep a live index busy.
_HASTE_S = 1.0
_WAITING_PAUSE_S = 0.1
_REMOVAL_ATTEMPTS = 5
_REMOVAL_PAUSE_S = 0.2
# For an upload or a removal that is under way when the check is interrupted.
_LAST_WORD_S = 5.0


@dataclass
class CheckState:
    """Results of a check so far."""

    judge: Judge = field(default_factory=Judge)
    projects: Sequence[Project] = ()
    tasks: set[str] = field(default_factory=set)
    """Those that are known: the stack has them, or they have answered. '' is for answers that name none."""
    changes: Counter[Change] = field(default_factory=Counter)
    """Those that the index answered with success."""
    refusals: dict[tuple[Change, str], str] = field(default_factory=dict)
    """Answers in place of success, by change and file name."""
    silences: Counter[str] = field(default_factory=Counter)
    """By task: changes about which it gave no answer that proves anything."""

    @property
    def files(self) -> list[File]:
        """All files of the check, in the order of their uploads."""
        return [file for project in self.projects for file in project.files]

    @property
    def counted_tasks(self) -> set[str]:
        """Those that have to answer. Where some answers name their task, those that name none are the balancer's."""
        return {task for task in self.tasks if task} or self.tasks


class Check:
    """One check of one index, of which `state` is the state at any time, also when a method was cancelled."""

    def __init__(
        self, target: Target, state: CheckState, readers: int, on_progress: Callable[[int, int], None]
    ) -> None:
        """
        Args:
            state: with the projects to upload, in this order, of which the index has none.
            readers: connections that read after each change.
            on_progress: called with the number of files that are through, and of all.
        """
        self._state = state
        self._target = target
        self._on_progress = on_progress
        self._focus = Focus(state.projects[0], state.files[:1], state.tasks)
        self._reader_count = readers
        self._session: IndexSession
        self._readers: Sequence[Reader] = ()

    async def run(self, change: Change, time_limit_s: float) -> None:
        """Make a change with every file, and look at each. No change is begun after the time limit.

        Raises:
            UnavailableError: there is no such host, or the index does not take the very first upload.
        """
        self._session = await IndexSession.open(self._target)
        deadline_s = perf_counter() + time_limit_s
        background, self._readers = (
            [self._reader(number) for number in range(count)] for count in (BACKGROUND_READERS, self._reader_count)
        )
        try:
            async with asyncio.TaskGroup() as group:
                reading = [group.create_task(_read_on(reader)) for reader in background]
                for project in self._state.projects:
                    await self._change_project(change, project, deadline_s)
                    self._on_progress(self._state.changes[change], len(self._state.files))
                for task in reading:
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise _innermost(failures) from None
        finally:
            for reader in (*background, *self._readers):
                reader.abort()

    async def remove_rest(self) -> None:
        """Remove what the index may still have of the check, without a read."""
        self._session = await IndexSession.open(self._target)
        for file in self._state.files:
            if file.remains:
                await self._remove(file)

    async def _change_project(self, change: Change, project: Project, deadline_s: float) -> None:
        """Its first file by itself, for what is new; the others at once, for what two changes in a row do."""
        files = project.files if change == "upload" else [file for file in project.files if file.remains]
        self._focus.project = project
        for at_once in filter(None, (files[:1], files[1:])):
            if perf_counter() > deadline_s:
                return
            self._focus.files = at_once
            await self._read_until(lambda: True)  # so that every task has answered for it before it changes
            async with asyncio.TaskGroup() as group:
                change_one = self._upload if change == "upload" else self._remove
                changing = [group.create_task(change_one(file)) for file in at_once]
                await asyncio.wait(changing, return_when=asyncio.FIRST_COMPLETED)
                await self._look(change, project, changing, deadline_s)

    async def _look(
        self, change: Change, project: Project, changing: Sequence[asyncio.Task[File | None]], deadline_s: float
    ) -> None:
        """Read until every task knows of the changes, as far as there is time and patience."""
        judge, begun_s = self._state.judge, perf_counter()

        def changed() -> list[File]:
            return [file for task in changing if task.done() and (file := task.result())]

        def enough() -> bool:
            now_s = perf_counter()
            # The index page changes with the first file of a project, and with the last to go.
            page = [project] if change == "upload" or project.must_hide(now_s, now_s) else []
            items: list[CheckedItem] = [*changed(), *page]
            lagging = any(judge.lagged(item, change) for item in items)
            if now_s > min(begun_s + (_SETTLING_S if lagging else _PATIENCE_S), deadline_s):
                return True
            tasks = self._state.counted_tasks
            known = all(judge.follows(item, change, task, _ANSWERS) for item in items for task in tasks)
            return known and all(task.done() for task in changing)

        await self._read_until(enough)
        for file in changed():
            silent = (task for task in self._state.counted_tasks if not judge.answered(file, change, task))
            self._state.silences.update(silent)

    async def _read_until(self, enough: Callable[[], bool]) -> None:
        """Have each reader read each kind once, and on, until there is enough."""
        begun_s = perf_counter()

        async def read(reader: Reader) -> None:
            await reader.read_each_kind()
            while not enough():
                waits_long = perf_counter() - begun_s > _HASTE_S
                await reader.read_each_kind(pause_s=_WAITING_PAUSE_S if waits_long else 0)

        async with asyncio.TaskGroup() as group:
            for reader in self._readers:
                group.create_task(read(reader))

    async def _upload(self, file: File) -> File | None:
        """The file, if the index says that it took it."""
        file.begun_s = perf_counter()
        answer = await _finished(self._post(Form.of_upload(file.wheel.path)))
        if answer.is_success:
            file.uploaded_s, file.is_held = answer.done_s, True
            self._state.changes["upload"] += 1
            return file
        self._refuse("upload", file, answer)
        if answer.is_turned_away:
            file.begun_s = inf  # as if nobody had begun; after any other trouble it may be there, or yet come to be
        if file is self._state.files[0]:
            raise UnavailableError(
                f"the index at {self._target.url} did not take {self._state.refusals['upload', file.label]}"
            )
        return None

    async def _remove(self, file: File) -> File | None:
        """The file, if the index says that it removed it."""
        file.removal_begun_s = min(file.removal_begun_s, perf_counter())
        for attempt in range(_REMOVAL_ATTEMPTS):
            await asyncio.sleep(_REMOVAL_PAUSE_S if attempt else 0)
            was_held, file.is_held = file.is_held, False
            form = Form.of_removal(file.wheel.name.replace("-", "_"), file.wheel.version)
            answer = await _finished(self._post(form))
            if answer.is_success:
                file.removed_s = answer.done_s
                self._state.changes["removal"] += 1
                return file
            # An upload that nobody answered, to a server that knows no POST, was not taken either.
            if (answer.is_absence and not was_held) or (answer.takes_no_changes and file.uploaded_s == inf):
                file.is_absent = True
                return None
            if answer.is_absence or answer.is_refusal:
                file.is_held = was_held
            if answer.is_refusal:
                break
        self._refuse("removal", file, answer)
        return None

    def _refuse(self, change: Change, file: File, answer: Exchange) -> None:
        trouble = answer.trouble or f"status {answer.status}"
        self._state.refusals[change, file.label] = f"the {change} of {file.label}: {trouble}"

    async def _post(self, form: Form) -> Exchange:
        with self._session.client() as client:
            return await client.post(form)

    def _reader(self, number: int) -> Reader:
        return Reader(self._session.client(number), self._target, self._focus, self._state.judge, number)


async def _read_on(reader: Reader) -> None:
    while True:
        await reader.read_each_kind(pause_s=_BACKGROUND_PAUSE_S)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _finished(request: Coroutine[Any, Any, Exchange]) -> Exchange:
    """The result of a request that is not to be left half-way: cancelled, it gets a moment to come to its end."""
    sending = asyncio.create_task(request)
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        await asyncio.wait([sending], timeout=_LAST_WORD_S)
        sending.cancel()
        raise
