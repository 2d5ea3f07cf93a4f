"""Where does a balancer send many clients that share one cookie jar, as the clients of a single test program do?

In a burst in which everybody begins at once this hardly shows: the requests that leave before the first answer carry no
cookie yet. Here the jar holds what one answer brought before anybody else asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from bench.consistency.client import AGENT
from bench.explain.model import Spread
from bench.failures import UnavailableError
from bench.http_client import Endpoint, connect
from bench.samples import ErrorKind
from bench.target import Target

CLIENTS = 100


async def spread_over_tasks(target: Target, path: str, requests_by_task: Callable[[], Mapping[int, int]]) -> Spread:
    """Have one client fetch the balancer's cookie, if it gives one, and many others ask for `path` with it.

    Args:
        requests_by_task: how many requests each task has had so far.

    Raises:
        OSError: the index takes no connection.
        UnavailableError: a request is not answered.
    """
    endpoint = await Endpoint.of(target)
    jar = await _ask(endpoint, target, path, number=0, jar="")
    before = requests_by_task()
    await asyncio.gather(*(_ask(endpoint, target, path, number, jar) for number in range(1, CLIENTS + 1)))
    after = requests_by_task()
    return Spread(requests=CLIENTS, to_the_busiest_task=max(after[task] - before[task] for task in after))


async def _ask(endpoint: Endpoint, target: Target, path: str, number: int, jar: str) -> str:
    """The cookies of the answer, as a client would send them back."""
    connection = await connect(endpoint, number)
    try:
        cookie = f"Cookie: {jar}\r\n" if jar else ""
        head = f"GET {path} HTTP/1.1\r\nAccept: */*\r\nUser-Agent: {AGENT}\r\n{cookie}"
        answer = await connection.request(head.encode("ascii") + target.headers + b"\r\n")
    finally:
        connection.abort()
    if answer.error is not ErrorKind.NONE or answer.status >= 400:
        raise UnavailableError(f"GET {path} through the balancer ended in {answer.status or answer.error.name.lower()}")
    return "; ".join(cookie.partition(";")[0] for cookie in answer.cookies)
