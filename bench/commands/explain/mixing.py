"""Does a server keep apart the uploads that it receives at the same time?"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from bench.commands.explain.model import Mixing
from bench.index.errors import ErrorKind
from bench.index.http_client import Answer, Endpoint, HttpConnection, connect
from bench.index.plain_client import AGENT, Client
from bench.index.target import Target
from bench.index.upload import CONTENT_TYPE, UploadForm
from bench.packages.factory import PackageSet, Wheel

UPLOADS = 20
NO_ANSWER = "none"
# Between the halves: by then every upload has been let in, also where each costs a bcrypt, and waits for its rest.
PAUSE_S = 2.0
_PATIENCE_S = 20.0
_BYTES = 300_000


def packages_to_mix() -> PackageSet:
    """As many wheels as are uploaded at once, all of one size."""
    return PackageSet(
        packages=UPLOADS, versions=("1.0.0",), min_bytes=_BYTES, max_bytes=_BYTES, name_prefix="test-interleaved"
    )


async def upload_interleaved(target: Target, wheels: Sequence[Wheel]) -> Mixing:
    """Upload all of `wheels` at once, first the one half of each and then the other; then read each of them back.

    Raises:
        OSError: the index takes no connection.
    """
    endpoint = await Endpoint.of(target)
    connections: list[HttpConnection] = []
    try:
        for number in range(len(wheels)):
            connections.append(await connect(endpoint, number))
        answers = await _send(target, connections, wheels)
    finally:
        for connection in connections:
            connection.abort()
    reader = Client(target, endpoint, 0)
    try:
        whole = [await _is_whole(reader, target, wheel) for wheel in wheels]
    finally:
        reader.abort()
    statuses = Counter(map(_outcome, answers))
    return Mixing(uploads=len(wheels), answers=dict(sorted(statuses.items())), whole=sum(whole))


async def _send(
    target: Target, connections: Sequence[HttpConnection], wheels: Sequence[Wheel]
) -> list[asyncio.Future[Answer]]:
    bodies = [b"".join(UploadForm.of(wheel.path).chunks()) for wheel in wheels]
    answers = []
    for connection, body in zip(connections, bodies, strict=True):
        head = f"POST {target.base_path}/ HTTP/1.1\r\nAccept: */*\r\nUser-Agent: {AGENT}\r\n"
        head += f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
        answers.append(connection.request(head.encode("ascii") + target.headers + b"\r\n"))
        await connection.send_body([body[: len(body) // 2]])
    await asyncio.sleep(PAUSE_S)
    for connection, body in zip(connections, bodies, strict=True):
        await connection.send_body([body[len(body) // 2 :]])
    await asyncio.wait(answers, timeout=_PATIENCE_S)
    return answers


def _outcome(answer: asyncio.Future[Answer]) -> str:
    if not answer.done() or answer.result().error is not ErrorKind.NONE:
        return NO_ANSWER
    return str(answer.result().status)


async def _is_whole(reader: Client, target: Target, wheel: Wheel) -> bool:
    got = await reader.get(f"{target.base_path}/packages/{quote(wheel.filename)}", "*/*")
    return got.is_success and hashlib.sha256(got.body).hexdigest() == wheel.sha256
