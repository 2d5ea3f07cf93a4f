"""Requests that do not stop while a stack is changed: listings, downloads and uploads, each of which must succeed."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.index.client import Exchange, IndexSession
from bench.index.errors import ErrorKind
from bench.index.target import Target
from bench.index.upload import Form
from bench.load.clients import UPLOADER
from tests.pypiserver_stack.container.small_packages import make_wheel

PROJECT = "steady"
KINDS = ("listing", "download", "upload")
_PAUSE_S = 0.01
# Long enough to be under way when a task is taken out, whichever moment that is.
_SLOW_UPLOAD_S = 0.4
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class RequestOutcome:
    """What came of one request."""

    kind: str
    status: int
    error: ErrorKind
    served_by: str

    @property
    def failed(self) -> bool:
        return self.status != 200 or self.error is not ErrorKind.NONE


class SteadyLoad:
    """Sends requests while it is entered: over connections that are kept, over new ones, and uploads that take long."""

    def __init__(self, target: Target, folder: Path, *, uploads_as: Target | None = None) -> None:
        """
        Args:
            folder: where it makes what it uploads.
            uploads_as: the same index with the credentials of those who upload; None: everybody has the same.
        """
        self.outcomes: list[RequestOutcome] = []
        self.uploaded: set[str] = set()
        """File names that the index has said it took."""
        self._target = target
        self._uploads_as = uploads_as or target
        self._folder = folder
        self._versions = itertools.count(1)
        self._more = threading.Condition()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="steady-load")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending.set()
        self._thread.join(_PATIENCE_S)
        assert not self._thread.is_alive()

    @property
    def failed(self) -> list[RequestOutcome]:
        """What must be empty."""
        return [outcome for outcome in self.outcomes if outcome.failed]

    def await_more(self, served_by: Iterable[str], count: int = 5) -> None:
        """Wait until so many further requests of each kind have been answered by each of these tasks."""
        first, wanted = len(self.outcomes), [(task, kind) for task in served_by for kind in KINDS]

        def enough() -> bool:
            answered = Counter((outcome.served_by, outcome.kind) for outcome in self.outcomes[first:])
            return all(answered[each] >= count for each in wanted)

        with self._more:
            assert self._more.wait_for(enough, _PATIENCE_S)

    async def _run(self) -> None:
        session, uploads = await IndexSession.open(self._target), await IndexSession.open(self._uploads_as)
        await self._upload(uploads, takes_s=0)
        async with asyncio.TaskGroup() as clients:
            for keep in (True, True, False):
                clients.create_task(self._read(session, keep=keep))
            for takes_s in (0, _SLOW_UPLOAD_S):
                clients.create_task(self._write(uploads, takes_s))

    async def _read(self, session: IndexSession, *, keep: bool) -> None:
        client = session.client()
        (filename,) = [name for name in self.uploaded if "-0.0.1-" in name]
        paths = {"listing": self._target.listing_path(PROJECT), "download": f"/packages/{filename}"}
        for kind in itertools.cycle(paths):
            if self._ending.is_set():
                break
            self._record(kind, await client.get(paths[kind]))
            if not keep:
                client.close()
            await asyncio.sleep(_PAUSE_S)
        client.close()

    async def _write(self, session: IndexSession, takes_s: float) -> None:
        while not self._ending.is_set():
            await self._upload(session, takes_s)
            await asyncio.sleep(_PAUSE_S)

    async def _upload(self, session: IndexSession, takes_s: float) -> None:
        wheel = make_wheel(self._folder, PROJECT, f"0.0.{next(self._versions)}", padding=bytes(10_000))
        client = session.client(user_agent=UPLOADER)
        answer = await client.post(_slow_form(wheel, takes_s))
        self._record("upload", answer)
        if answer.status == 200:
            self.uploaded.add(wheel.name)
        client.close()

    def _record(self, kind: str, answer: Exchange) -> None:
        with self._more:
            self.outcomes.append(RequestOutcome(kind, answer.status, answer.error, answer.served_by))
            self._more.notify_all()


def _slow_form(wheel: Path, takes_s: float) -> Form:
    """The form of an upload whose last bytes are sent a while after the others."""

    @dataclass(frozen=True)
    class SlowForm(Form):
        async def stream(self) -> AsyncIterator[bytes]:
            *most, last = [chunk async for chunk in super().stream()]
            for chunk in most:
                yield chunk
            await asyncio.sleep(takes_s)
            yield last

    return SlowForm.of_upload(wheel)
