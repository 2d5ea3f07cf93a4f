"""Where does a balancer send many clients that share one cookie jar, as the clients of a single test program do?

In a burst in which everybody begins at once this hardly shows: the requests that leave before the first answer carry no
cookie yet. Here the jar holds what one answer brought before anybody else asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from bench.commands.explain.model import Spread
from bench.common.failures import UnavailableError
from bench.index.errors import ErrorKind
from bench.index.http_client import Answer, Endpoint, connect
from bench.index.plain_client import AGENT
from bench.index.target import Target

CLIENTS = 100
# A server that ends idle connections early fails a request now and then, which is another probe's matter.
_ATTEMPTS = 5


async def spread_over_tasks(target: Target, path: str, requests_by_task: Callable[[], Mapping[int, int]]) -> Spread:
    """Have one client fetch the balancer's cookie, if it gives one, and many others ask for `path` with it.

    Args:
        requests_by_task: how many requests each task has had so far.

    Raises:
        OSError: the index takes no connection.
        UnavailableError: the first request is not answered, however often it is sent.
    """
    endpoint = await Endpoint.of(target)
    jar = await _cookies(endpoint, target, path)
    before = requests_by_task()
    await asyncio.gather(*(_ask(endpoint, target, path, number, jar) for number in range(1, CLIENTS + 1)))
    after = requests_by_task()
    return Spread(requests=CLIENTS, to_the_busiest_task=max(after[task] - before[task] for task in after))


async def _cookies(endpoint: Endpoint, target: Target, path: str) -> str:
    """What an answer brings, as a client would send it back."""
    for _ in range(_ATTEMPTS):
        answer = await _ask(endpoint, target, path, number=0, jar="")
        if answer.error is ErrorKind.NONE and answer.status < 400:
            return "; ".join(cookie.partition(";")[0] for cookie in answer.cookies)
    raise UnavailableError(f"GET {path} through the balancer ended in {answer.status or answer.error.name.lower()}")


async def _ask(endpoint: Endpoint, target: Target, path: str, number: int, jar: str) -> Answer:
    connection = await connect(endpoint, number)
    try:
        cookie = f"Cookie: {jar}\r\n" if jar else ""
        head = f"GET {path} HTTP/1.1\r\nAccept: */*\r\nUser-Agent: {AGENT}\r\n{cookie}"
        return await connection.request(head.encode("ascii") + target.headers + b"\r\n")
    finally:
        connection.abort()
