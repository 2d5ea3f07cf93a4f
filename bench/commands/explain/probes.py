"""Probes of one index: the spread over tasks under a shared cookie, connections after idling, and the health check."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from statistics import median
from time import perf_counter

from bench.commands.explain.model import HealthCheckTiming, Idle, Spread
from bench.common.failures import UnavailableError
from bench.index.client import Client, Exchange, IndexSession
from bench.index.errors import ErrorKind
from bench.index.target import Target

CLIENTS = 100
# A server that ends idle connections early fails a request now and then, which is not the matter of the spread.
_COOKIE_ATTEMPTS = 5
IDLE_S = 2.0
# A connection is closed within a fraction of a millisecond, and those of a wave one after the other within a few: the
# waves are placed around that moment. Pulled apart by more they would miss it.
OFFSETS_S = (-0.012, -0.008, -0.004, 0.0, 0.004)
_FAILED_AFTER_IDLING = (0, 502, 503, 504)
CHECKS = 25


async def spread_over_tasks(target: Target, path: str, requests_by_task: Callable[[], Mapping[str, int]]) -> Spread:
    """Have one client fetch the balancer's cookie, if it gives one, and many others ask for `path` with it.

    In a burst in which everybody begins at once a cookie hardly shows: the requests that leave before the first answer
    carry none yet. Here the jar holds what one answer brought before anybody else asks.

    Raises:
        UnavailableError: the first request is not answered, however often it is sent, or there is no such host.
    """
    session = await IndexSession.open(target, keep_cookies=True)

    async def ask(number: int) -> Exchange:
        with session.client(number) as client:
            return await client.get(path)

    for _ in range(_COOKIE_ATTEMPTS):
        answer = await ask(0)
        if answer.error is ErrorKind.NONE and answer.status < 400:
            break
    else:
        ending = answer.status or answer.error.name.lower()
        raise UnavailableError(f"GET {path} through the balancer ended in {ending}")
    before = requests_by_task()
    await asyncio.gather(*(ask(number) for number in range(1, CLIENTS + 1)))
    after = requests_by_task()
    return Spread(requests=CLIENTS, to_the_busiest_task=max(after[task] - before[task] for task in after))


async def use_after_idling(target: Target, path: str) -> Idle:
    """Send waves of requests for `path`, each about two seconds after the answers to the one before.

    A server that closes idle connections after two seconds, below a balancer that keeps them for sixty, closes some at
    the very moment at which the balancer sends a request on them. The balancer cannot know whether the request was
    begun, and answers 502 or 503.

    All requests of a wave are sent at once, so that the balancer needs all of its connections to the tasks again, not
    just the one that it used last.
    """
    session = await IndexSession.open(target)
    with ExitStack() as closing:
        clients = [closing.enter_context(session.client(number)) for number in range(CLIENTS)]
        await _wave(clients, path)  # opens the clients' own connections, so that the waves to come are at once
        last = await _wave(clients, path)
        answers: list[Exchange] = []
        for offset_s in OFFSETS_S:
            first_done_s = min(answer.done_s for answer in last)
            await asyncio.sleep(first_done_s + IDLE_S + offset_s - perf_counter())
            last = await _wave(clients, path)
            answers += last
    return Idle(requests=len(answers), failed=sum(answer.status in _FAILED_AFTER_IDLING for answer in answers))


async def _wave(clients: list[Client], path: str) -> list[Exchange]:
    return await asyncio.gather(*(client.get(path) for client in clients))


async def time_health_checks(urls: Iterable[str], path: str) -> HealthCheckTiming:
    """Ask each task itself, at its own URL, for `path` some times over, one request after the other.

    Raises:
        UnavailableError: a check is not passed, or there is no such host.
    """
    latencies_s = []
    for url in urls:
        session = await IndexSession.open(Target(url))
        with session.client() as client:
            for _ in range(CHECKS):
                answer = await client.get(path)
                if not answer.is_success:
                    raise UnavailableError(f"the health check GET {path} at {url} ended in {answer.trouble or 'a 404'}")
                latencies_s.append(answer.done_s - answer.sent_s)
    return HealthCheckTiming(path=path, checks=len(latencies_s), median_s=median(latencies_s))
