"""Requests that do not stop while a stack is changed: listings, downloads and uploads, each of which must succeed."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.index.errors import ErrorKind
from bench.index.http_client import Answer, Endpoint, HttpConnection, connect
from bench.index.target import Target
from bench.index.upload import CONTENT_TYPE, UploadForm
from bench.load.clients import UPLOADER
from tests.pypiserver_stack.container.small_packages import make_wheel

PROJECT = "steady"
KINDS = ("listing", "download", "upload")
_PAUSE_S = 0.01
# Long enough to be under way when a task is taken out, whichever moment that is.
_SLOW_UPLOAD_S = 0.4
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Outcome:
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

    def __init__(self, target: Target, folder: Path) -> None:
        """
        Args:
            folder: where it makes what it uploads.
        """
        self.outcomes: list[Outcome] = []
        self.uploaded: set[str] = set()
        """File names that the index has said it took."""
        self._target = target
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
    def failed(self) -> list[Outcome]:
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
        endpoint = await Endpoint.of(self._target)
        await self._upload(await connect(endpoint), takes_s=0)
        async with asyncio.TaskGroup() as clients:
            for keep in (True, True, False):
                clients.create_task(self._read(endpoint, keep=keep))
            for takes_s in (0, _SLOW_UPLOAD_S):
                clients.create_task(self._write(endpoint, takes_s))

    async def _read(self, endpoint: Endpoint, *, keep: bool) -> None:
        connection = await connect(endpoint)
        (filename,) = [name for name in self.uploaded if "-0.0.1-" in name]
        paths = {"listing": self._target.listing_path(PROJECT), "download": f"/packages/{filename}"}
        for kind in itertools.cycle(paths):
            if self._ending.is_set():
                break
            if not (keep and connection.usable):
                connection.close()
                connection = await connect(endpoint)
            head = f"GET {paths[kind]} HTTP/1.1\r\n".encode() + self._target.headers + b"\r\n"
            self._record(kind, await connection.request(head))
            await asyncio.sleep(_PAUSE_S)
        connection.close()

    async def _write(self, endpoint: Endpoint, takes_s: float) -> None:
        while not self._ending.is_set():
            connection = await connect(endpoint)
            await self._upload(connection, takes_s)
            await asyncio.sleep(_PAUSE_S)

    async def _upload(self, connection: HttpConnection, takes_s: float) -> None:
        wheel = make_wheel(self._folder, PROJECT, f"0.0.{next(self._versions)}", padding=bytes(10_000))
        form = UploadForm.of(wheel)
        head = f"POST / HTTP/1.1\r\nUser-Agent: {UPLOADER}\r\nContent-Type: {CONTENT_TYPE}\r\n".encode()
        head += f"Content-Length: {form.length_bytes}\r\n".encode() + self._target.headers + b"\r\n"
        answered = connection.request(head)
        *most, last = form.chunks()
        await connection.send_body(most)
        await asyncio.sleep(takes_s)
        await connection.send_body([last])
        answer = await answered
        self._record("upload", answer)
        if answer.status == 200:
            self.uploaded.add(wheel.name)
        connection.close()

    def _record(self, kind: str, answer: Answer) -> None:
        with self._more:
            self.outcomes.append(Outcome(kind, answer.status, answer.error, answer.served_by))
            self._more.notify_all()
