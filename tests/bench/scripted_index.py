"""A package index that answers from a script, for the tests of what loads one.

from tests.bench.scripted_index import http, scripted_index, send

async with scripted_index({"/alpha/": http("503 Service Unavailable")}) as index:
    measured = await send(index.url, tmp_path)
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Literal

from bench.index.errors import ErrorKind
from bench.index.target import Target
from bench.load.clients import LoadSpec, ProcessClients, ProcessMeasurement
from bench.load.sending import LoadResult
from bench.load.shapes import Rounds
from bench.load.workloads import INSTALL_BY_NAME, Workload

WHEEL = b"not really a wheel, but nobody opens it" * 100
DIGEST = hashlib.sha256(WHEEL).hexdigest()
ONE_INSTALL = Workload("one", "one install", Rounds(clients=1), install=INSTALL_BY_NAME)
REDIRECTED = ("redirect", 303, "NONE")
LISTED = ("listing", 200, "NONE")
DOWNLOADED = ("download", 200, "NONE")
OPERATIONS = ("redirect", "listing", "download", "upload")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    """Connections are counted from 0, in the order in which they were made."""


@dataclass(frozen=True)
class Reply:
    data: bytes
    then: Literal["go on", "hang up", "wait"] = "go on"
    """Wait: until the client hangs up."""


Answer = bytes | Reply | Awaitable[bytes]
Script = Callable[[Request], Answer] | Answer


@dataclass
class ScriptedIndex:
    """A well-behaved index of the project `alpha`, except for the paths that the script answers in its own way."""

    script: Mapping[str, Script]
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    nobody_connected: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = self.connections
        self.connections += 1
        self.open_connections += 1
        self.nobody_connected.clear()
        try:
            while await self._answer(reader, writer, connection):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.open_connections -= 1
            if not self.open_connections:
                self.nobody_connected.set()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request_line, *header_lines = head.strip().split("\r\n")
        method, path, _ = request_line.split(" ")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in header_lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(method, path, headers, body, connection)
        self.requests.append(request)

        scripted = self.script.get(path) or well_behaved(path)
        answer = scripted(request) if callable(scripted) else scripted
        if not isinstance(answer, bytes | Reply):
            answer = await answer
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        writer.write(reply.data)
        await writer.drain()
        if reply.then == "wait":
            await reader.read()
        return reply.then == "go on"


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def listing(*hrefs: str) -> bytes:
    anchors = "".join(f'<a href="{href}">a file</a><br>' for href in hrefs)
    return http("200 OK", f"<!DOCTYPE html><html><body>{anchors}</body></html>".encode())


WHEEL_HREF = f"/packages/alpha-1.0-py3-none-any.whl#sha256={DIGEST}"
WHEEL_PATH = "/packages/alpha-1.0-py3-none-any.whl"


def well_behaved(path: str) -> bytes:
    return {
        "/alpha/": http("303 See Other", b"", "Location: /simple/alpha/"),
        "/simple/alpha/": listing(WHEEL_HREF),
        WHEEL_PATH: http("200 OK", WHEEL, "X-Served-By: task-7", "Server-Timing: auth;dur=0.042, total;dur=0.61"),
        "/": http("200 OK"),
    }.get(path, http("404 Not Found"))


@asynccontextmanager
async def scripted_index(
    script: Mapping[str, Script] | None = None,
) -> AsyncIterator[ScriptedIndex]:
    index = ScriptedIndex(script or {})
    server = await asyncio.start_server(index.serve, "127.0.0.1", 0)
    index.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield index
    finally:
        server.close()
        if index.open_connections:
            await index.nobody_connected.wait()
        await server.wait_closed()


def spec(url: str, spill_dir: Path, workload: Workload = ONE_INSTALL, **others: object) -> LoadSpec:
    """A load on the index at `url`: its project `alpha`, unless `others` say otherwise."""
    values: dict[str, object] = {"packages": ("alpha",), "uploads": (), "seed": 1, "cookies": "none", **others}
    password = str(values.pop("password", "password"))
    return LoadSpec(Target(url, "user", password), workload, spill_dir=spill_dir, **values)  # type: ignore[arg-type]


async def send(url: str, spill_dir: Path, workload: Workload = ONE_INSTALL, **others: object) -> ProcessMeasurement:
    """What the first round of a load measures, all of it sent by this process."""
    clients = ProcessClients(spec(url, spill_dir, workload, **others))
    await clients.prepare()
    clients.plan(0)
    await clients.run(perf_counter())
    return clients.measured()


async def install(script: Mapping[str, Script], spill_dir: Path) -> list[tuple[str, int, str]]:
    """The rows of one install from an index with this script."""
    async with scripted_index(script) as index:
        return rows(await send(index.url, spill_dir))


def rows(measured: ProcessMeasurement | LoadResult) -> list[tuple[str, int, str]]:
    """Operation, status and error of each request, in the order in which they ended."""
    samples = measured.samples
    return [
        (OPERATIONS[operation], status, ErrorKind(error).name)
        for operation, status, error in zip(
            samples.operation.tolist(), samples.status.tolist(), samples.error.tolist(), strict=True
        )
    ]
