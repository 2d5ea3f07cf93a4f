"""Use of connections that a server has kept idle for a while.

A server that closes idle connections after two seconds, below a balancer that keeps them for sixty, closes some at the
very moment at which the balancer sends a request on them. The balancer cannot know whether the request was begun, and
answers 502 or 503.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from time import perf_counter

from bench.commands.explain.model import Idle
from bench.index.client import Client, Exchange, IndexSession
from bench.index.target import Target

CLIENTS = 100
IDLE_S = 2.0
# A connection is closed within a fraction of a millisecond, and those of a wave one after the other within a few: the
# waves are placed around that moment. Pulled apart by more they would miss it.
OFFSETS_S = (-0.012, -0.008, -0.004, 0.0, 0.004)
_FAILED = (502, 503, 504)


async def use_after_idling(target: Target, path: str) -> Idle:
    """Send waves of requests for `path`, each about two seconds after the answers to the one before.

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
    return Idle(requests=len(answers), failed=sum(_has_failed(answer) for answer in answers))


async def _wave(clients: list[Client], path: str) -> list[Exchange]:
    return await asyncio.gather(*(client.get(path) for client in clients))


def _has_failed(answer: Exchange) -> bool:
    return answer.status in _FAILED or answer.status == 0
