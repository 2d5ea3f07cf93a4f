"""An index whose every answer the test decides: the known answers that a check is held against."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import re
import threading
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import unquote


@contextmanager
def serving(index: FakeIndex) -> Iterator[FakeIndex]:
    """Serve an index from a thread of its own."""
    ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def run() -> None:
        async with await index.serve():
            ready.set()
            await stop.wait()

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    try:
        yield index
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


class FakeIndex:
    """Takes uploads, removes, lists in HTML and JSON, and answers in the name of each of its tasks in turn."""

    def __init__(self, tasks: Sequence[str] = ("a", "b")) -> None:
        self.files: dict[str, bytes] = {}
        self.port = 0
        self.reads: Counter[str] = Counter()
        """By task."""
        self.users: set[tuple[str, str]] = set()
        """The methods of requests, and the users who sent them."""
        self.ends_connections = False
        """Behind every answer, without having said so."""
        self._turns = itertools.cycle(tasks)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # What a test overrides.

    async def take(self, filename: str, content: bytes) -> int:
        self.files[filename] = content
        return 200

    async def remove(self, filename: str) -> int:
        return 200 if self.files.pop(filename, None) is not None else 404

    async def seen_by(self, task: str, kind: str) -> dict[str, bytes] | int:
        """What a task sees when it answers a read, or the status that it answers with instead."""
        return self.files

    # What it answers.

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b""
                task = next(self._turns)
                method, path, _ = head.split(" ", 2)
                wants_json = "simple.v1+json" in head
                if credentials := re.search(r"(?i)authorization: basic (\S+)", head):
                    self.users.add((method, b64decode(credentials[1]).decode().partition(":")[0]))
                status, page = await (self._change(body) if method == "POST" else self._page(task, path, wants_json))
                fields = f"HTTP/1.1 {status} x\r\nContent-Length: {len(page)}\r\nX-Served-By: {task}\r\n"
                if status == 303:
                    fields += f"Location: /simple{path}\r\n"
                writer.write(f"{fields}\r\n".encode() + page)
                if self.ends_connections:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _change(self, form: bytes) -> tuple[int, bytes]:
        if b"remove_pkg" in form:
            name, version = (re.search(rb'name="%s"\r\n\r\n(.*?)\r\n' % field, form) for field in (b"name", b"version"))
            assert name
            assert version
            return await self.remove(f"{name[1].decode()}-{version[1].decode()}-py3-none-any.whl"), b""
        upload = re.search(rb'filename="(.*?)"\r\n.*?\r\n\r\n(.*)\r\n--', form, re.DOTALL)
        assert upload
        return await self.take(upload[1].decode(), upload[2]), b""

    async def _page(self, task: str, path: str, wants_json: bool) -> tuple[int, bytes]:
        if not path.startswith(("/simple/", "/packages/")):
            return 303, b""
        kind = "index" if path == "/simple/" else "download" if path.startswith("/packages/") else "listing"
        self.reads[task] += 1
        files = await self.seen_by(task, kind)
        if isinstance(files, int):
            return files, b""
        if kind == "download":
            content = files.get(unquote(path.rpartition("/")[2]))
            return (404, b"") if content is None else (200, content)
        if kind == "index":
            names = {filename.partition("-")[0].replace("_", "-") for filename in files}
            if not names:
                return 200, b"<!DOCTYPE html>"
            return 200, "".join(f'<a href="{name}/">{name}</a>' for name in sorted(names)).encode()
        project = path.split("/")[2].replace("-", "_")
        listed = {
            name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name.startswith(project)
        }
        if not listed:
            return 404, b""
        if wants_json:
            entries = [
                {"filename": name, "url": f"../../packages/{name}", "hashes": {"sha256": digest}}
                for name, digest in listed.items()
            ]
            return 200, json.dumps({"meta": {"api-version": "1.0"}, "name": project, "files": entries}).encode()
        return 200, "".join(f'<a href="../../packages/{n}#sha256={d}">{n}</a>' for n, d in listed.items()).encode()
