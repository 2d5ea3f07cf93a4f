"""Replacement of a service's tasks as ECS does it: how many at a time, how often it tries. Arithmetic alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.deployment.graph import Resource


@dataclass(frozen=True)
class RolloutStep:
    """The next change: start so many tasks of the new revision, or take so many of the old one away."""

    start: int = 0
    stop: int = 0


@dataclass(frozen=True)
class Rollout:
    """Deployment settings of a service."""

    minimum_healthy_percent: int
    maximum_percent: int
    circuit_breaker: bool
    rollback: bool
    """Whether the old revision comes back when the circuit breaker opens."""

    def next_step(self, desired: int, old: int, new: int) -> RolloutStep | None:
        """What to do when `old` and `new` healthy tasks run; None where only `desired` new ones do, or nothing can be.

        New tasks come first, as far as there is room for them. ECS makes room as well where the hosts are full; there
        are none here.
        """
        room = math.floor(desired * self.maximum_percent / 100) - old - new
        if (start := min(desired - new, room)) > 0:
            return RolloutStep(start=start)
        spare = old + new - desired
        if spare <= 0:
            spare = old + new - math.ceil(desired * self.minimum_healthy_percent / 100)
        if (stop := min(old, spare)) > 0:
            return RolloutStep(stop=stop)
        return None


def failures_allowed(desired: int) -> int:
    """How many tasks of a deployment may fail before the circuit breaker opens: half of those wanted, 3 to 200."""
    return min(200, max(3, math.ceil(desired / 2)))


def read_rollout(service: Resource) -> Rollout:
    """How a service of the graph is deployed; ECS's defaults where it says nothing."""
    breaker = service.inputs.get("deploymentCircuitBreaker", {})
    return Rollout(
        minimum_healthy_percent=service.inputs.get("deploymentMinimumHealthyPercent", 100),
        maximum_percent=service.inputs.get("deploymentMaximumPercent", 200),
        circuit_breaker=breaker.get("enable", False),
        rollback=breaker.get("rollback", False),
    )
