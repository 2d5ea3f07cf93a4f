"""Reader of a check: asks for the files that change, and hands each answer to the judge."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, cycle, islice

from bench.commands.consistency.items import File, Project
from bench.commands.consistency.judge import Judge, Read, ReadKind
from bench.index.client import Client, Exchange
from bench.index.pages import ListedFile, NotAListingError, is_json, listed_files, names_project
from bench.index.target import Target

# An index that refuses, or cannot be reached, is not to be asked a thousand times a second.
_PAUSE_AFTER_TROUBLE_S = 0.05
_HTML = "text/html"
_JSON = "application/vnd.pypi.simple.v1+json"


@dataclass
class Focus:
    """Project and files that all readers ask for, and the tasks that have answered."""

    project: Project
    files: Sequence[File]
    """The files of the project that change at the moment: those are downloaded."""
    tasks: set[str]


class Reader:
    """Reads over one connection."""

    def __init__(self, client: Client, target: Target, focus: Focus, judge: Judge, number: int) -> None:
        """`number` decides what it asks for first, so that several readers do not all ask for the same."""
        self._client = client
        self._target = target
        self._focus = focus
        self._judge = judge
        self._first = number % len(ReadKind)
        self._turns = count(number)

    async def read_each_kind(self, *, pause_s: float = 0.0) -> None:
        """Ask once for everything there is to ask for, with a pause after each answer."""
        for kind in islice(cycle(ReadKind), self._first, self._first + len(ReadKind)):
            await self._read(kind)
            await asyncio.sleep(pause_s)

    def abort(self) -> None:
        self._client.abort()

    async def _read(self, kind: ReadKind) -> None:
        project, files = self._focus.project, self._focus.files
        file = files[next(self._turns) % len(files)]
        if kind is ReadKind.INDEX_PAGE:
            answer = await self._client.get(self._target.simple_path, _HTML)
            trouble = answer.trouble or self._judge_index_page(answer, project)
        elif kind is ReadKind.DOWNLOAD and file.path is not None:
            answer = await self._client.get(file.path, "*/*")
            trouble = answer.trouble or self._judge_download(answer, file)
        else:  # also where no listing has shown yet where the file is
            asks_for_json = kind is ReadKind.LISTING_JSON
            answer = await self._client.get(self._target.listing_path(project.name), _JSON if asks_for_json else _HTML)
            trouble = answer.trouble or self._judge_listing(answer, project)
        if trouble is None:
            self._focus.tasks.add(answer.served_by)
        else:
            self._judge.error(answer.served_by, trouble)
            await asyncio.sleep(_PAUSE_AFTER_TROUBLE_S)

    # Each returns what is wrong with an answer that cannot be judged.

    def _judge_index_page(self, answer: Exchange, project: Project) -> str | None:
        if answer.is_absence:
            return f"status {answer.status}"
        self._judge.index_page(
            _read(answer, ReadKind.INDEX_PAGE), project, named=names_project(answer.body, project.name)
        )
        return None

    def _judge_download(self, answer: Exchange, file: File) -> str | None:
        self._judge.download(_read(answer, ReadKind.DOWNLOAD), file, None if answer.is_absence else answer.body)
        return None

    def _judge_listing(self, answer: Exchange, project: Project) -> str | None:
        listed: Mapping[str, ListedFile] = {}
        if not answer.is_absence:
            try:
                listed = {file.filename: file for file in listed_files(answer.body)}
            except NotAListingError:
                return "no listing"
        kind = ReadKind.LISTING_JSON if is_json(answer.body) else ReadKind.LISTING_HTML
        self._judge.listing(_read(answer, kind), project, listed)
        for file in project.files:
            if file.path is None and file.label in listed:
                file.path = self._target.path_of(listed[file.label].reference, self._target.listing_path(project.name))
        return None


def _read(answer: Exchange, kind: ReadKind) -> Read:
    return Read(answer.served_by, kind, answer.sent_s, answer.done_s)
