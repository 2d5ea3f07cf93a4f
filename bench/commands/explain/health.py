"""Time of one health check of a task."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from bench.commands.explain.model import HealthCheckTiming
from bench.common.failures import UnavailableError
from bench.index.client import IndexSession
from bench.index.target import Target

CHECKS = 25


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
