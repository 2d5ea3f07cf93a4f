"""Uploads that a server receives at the same time, to see whether it keeps them apart."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bench.commands.explain.model import Mixing
from bench.common.failures import UnavailableError
from bench.index.client import Client, Exchange, IndexSession
from bench.index.errors import ErrorKind
from bench.index.target import Target
from bench.index.upload import Form
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
        UnavailableError: the index takes no connection.
    """
    session = await IndexSession.open(target)
    answers = await asyncio.gather(*(_upload(session, wheel, number) for number, wheel in enumerate(wheels)))
    if refused := next((answer for answer in answers if answer is not None and answer.cause), None):
        raise UnavailableError(f"the index at {target.url} takes no connection: {refused.connection_failure}")
    with session.client() as reader:
        whole = [await _is_whole(reader, target, wheel) for wheel in wheels]
    statuses = Counter(map(_outcome, answers))
    return Mixing(uploads=len(wheels), answers=dict(sorted(statuses.items())), whole=sum(whole))


@dataclass(frozen=True)
class _HalvedForm(Form):
    """A form whose second half is sent a while after the first."""

    async def stream(self) -> AsyncIterator[bytes]:
        body = b"".join([chunk async for chunk in super().stream()])
        yield body[: len(body) // 2]
        await asyncio.sleep(PAUSE_S)
        yield body[len(body) // 2 :]


async def _upload(session: IndexSession, wheel: Wheel, number: int) -> Exchange | None:
    """The answer to an upload; None where it does not come in time."""
    with session.client(number) as client, contextlib.suppress(TimeoutError):
        return await asyncio.wait_for(client.post(_HalvedForm.of_upload(wheel.path)), PAUSE_S + _PATIENCE_S)
    return None


def _outcome(answer: Exchange | None) -> str:
    return NO_ANSWER if answer is None or answer.error is not ErrorKind.NONE else str(answer.status)


async def _is_whole(reader: Client, target: Target, wheel: Wheel) -> bool:
    answer = await reader.get(f"{target.base_path}/packages/{quote(wheel.filename)}")
    return answer.is_success and hashlib.sha256(answer.body).hexdigest() == wheel.sha256
