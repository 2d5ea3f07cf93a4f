"""Spread over the tasks of many clients that share one cookie jar, as those of a single test program do.

In a burst in which everybody begins at once this hardly shows: the requests that leave before the first answer carry no
cookie yet. Here the jar holds what one answer brought before anybody else asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from bench.commands.explain.model import Spread
from bench.common.failures import UnavailableError
from bench.index.client import Exchange, IndexSession
from bench.index.errors import ErrorKind
from bench.index.target import Target

CLIENTS = 100
# A server that ends idle connections early fails a request now and then, which is another probe's matter.
_ATTEMPTS = 5


async def spread_over_tasks(target: Target, path: str, requests_by_task: Callable[[], Mapping[str, int]]) -> Spread:
    """Have one client fetch the balancer's cookie, if it gives one, and many others ask for `path` with it.

    Raises:
        UnavailableError: the first request is not answered, however often it is sent, or there is no such host.
    """
    session = await IndexSession.open(target, keep_cookies=True)
    await _fetch_cookies(session, path)
    before = requests_by_task()
    await asyncio.gather(*(_ask(session, path, number) for number in range(1, CLIENTS + 1)))
    after = requests_by_task()
    return Spread(requests=CLIENTS, to_the_busiest_task=max(after[task] - before[task] for task in after))


async def _fetch_cookies(session: IndexSession, path: str) -> None:
    for _ in range(_ATTEMPTS):
        answer = await _ask(session, path, number=0)
        if answer.error is ErrorKind.NONE and answer.status < 400:
            return
    raise UnavailableError(f"GET {path} through the balancer ended in {answer.status or answer.error.name.lower()}")


async def _ask(session: IndexSession, path: str, number: int) -> Exchange:
    with session.client(number) as client:
        return await client.get(path)
