"""Servers with the faults that the probes are there to find, and without them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A server of `handler`; gives its URL."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def answer(status: int, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def read_head(reader: asyncio.StreamReader) -> tuple[str, str, int]:
    """Method, path, and the length of the body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    method, path, _ = head.split(" ", 2)
    length = re.search(r"(?i)content-length: (\d+)", head)
    return method, path, int(length[1]) if length else 0


class UploadServer:
    """Takes uploads whole; where it mixes, one that is received beside others gets the body of whoever came last."""

    def __init__(self, *, mixes: bool) -> None:
        self.files: dict[str, bytes] = {}
        self.most_at_once = 0
        self._mixes = mixes
        self._under_way = 0
        self._body = b""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            method, path, length = await read_head(reader)
            if method == "POST":
                writer.write(answer(await self._take(reader, length)))
            else:
                content = self.files.get(path.rpartition("/")[2])
                writer.write(answer(404) if content is None else answer(200, content))

    async def _take(self, reader: asyncio.StreamReader, length: int) -> int:
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        begun = await reader.readexactly(length // 2)
        body = begun + await reader.readexactly(length - length // 2)
        self._under_way -= 1
        if self._mixes:
            # Every one after the first is taken for the first.
            self._body = body = self._body or body
        found = re.search(rb'filename="(.*?)"\r\n.*?\r\n\r\n(.*)\r\n--', body, re.DOTALL)
        assert found
        name = found[1].decode()
        if name in self.files:
            return 409
        self.files[name] = found[2]
        return 200


class TwoTasks:
    """A balancer that deals requests to two tasks in turn; a sticky one goes by the cookie of whoever brings one."""

    def __init__(self, *, sticky: bool) -> None:
        self._sticky = sticky
        self._dealt = 0
        self.requests = {1: 0, 2: 0}

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        bound = re.search(r"(?i)cookie: .*task=(\d)", head)
        if bound and self._sticky:
            task = int(bound[1])
        else:
            self._dealt += 1
            task = 1 + self._dealt % 2
        self.requests[task] += 1
        cookie = f"Set-Cookie: task={task}; Path=/\r\n" if self._sticky else ""
        writer.write(f"HTTP/1.1 200 x\r\n{cookie}Content-Length: 0\r\n\r\n".encode())


class KeptConnections:
    """A balancer that answers 503 to what comes on a connection that has been idle for so long."""

    def __init__(self, *, closes_after_s: float) -> None:
        self._closes_after_s = closes_after_s
        self.requests = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        last_s = loop.time()
        while True:
            await read_head(reader)
            self.requests += 1
            writer.write(answer(503 if loop.time() - last_s > self._closes_after_s else 200))
            last_s = loop.time()
