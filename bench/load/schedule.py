"""Arrivals of clients: when each is due, computed before the load starts and from nothing but a shape and a seed.

The index has no say in it: a client that is due is due, however late the answers to the others are. This is what keeps
a stalled index from hiding its own stall (coordinated omission; docs/measuring.md).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class Action(enum.IntEnum):
    """Activity of a client."""

    INSTALL = 0
    """All the requests of `Workload.install`."""
    LOOKUP = 1
    """The listing alone, as when the newest wheel is in the client's cache already."""
    UPLOAD = 2


@dataclass(frozen=True)
class Arrivals:
    """One row per client that arrives."""

    due_s: NDArray[np.float64]
    """Seconds since the start of the load, or of the round where rounds repeat."""
    phase: NDArray[np.uint8]
    """Index into `Shape.phases`."""
    action: NDArray[np.uint8]
    """An `Action`."""
    package: NDArray[np.int64]
    """Index into the packages; for an upload the index of the wheel, each of which occurs once."""
    client: NDArray[np.int64]
    """The address, or the place in the round, that the client has; it decides the user agent."""

    def __len__(self) -> int:
        return len(self.due_s)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Arrivals:
        """The rows for which a mask is true, or those with the given numbers in the given order."""
        return Arrivals(self.due_s[rows], self.phase[rows], self.action[rows], self.package[rows], self.client[rows])

    def in_order(self) -> Arrivals:
        """The rows in the order in which they are due."""
        return self.take(np.argsort(self.due_s, kind="stable"))

    def rows(self) -> Iterator[tuple[float, int, int, int, int]]:
        """Due, phase, action, package and client of each."""
        columns = (self.due_s, self.phase, self.action, self.package, self.client)
        return zip(*(column.tolist() for column in columns), strict=True)


def regular_visits(
    clients: int, interval_s: float, duration_s: float, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """When each client is due, and which one: it starts at a moment of its own, and comes back at a fixed interval."""
    first_due_s = random.uniform(0, interval_s, size=clients)
    visits_s = np.arange(0, duration_s, interval_s)
    due_s = (first_due_s[:, None] + visits_s).ravel()
    client = np.repeat(np.arange(clients), len(visits_s))
    in_time = due_s < duration_s
    return due_s[in_time], client[in_time]


def random_moments(
    count: int,
    duration_s: float,
    bursts_s: Sequence[tuple[float, float]],
    burst_multiplier: float,
    random: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """`count` independent moments, as dense as the rate is high, and whether each falls into a burst.

    Given how many there are, the moments of a Poisson process are spread like independent draws from its rate: they
    come from uniform draws on the cumulated rate, turned back into time.

    Args:
        bursts_s: start and end of each burst, in order.
        burst_multiplier: how many times the usual rate the rate in a burst is.
    """
    edges_s = [0.0, *(edge_s for burst_s in bursts_s for edge_s in burst_s), duration_s]
    in_burst = np.arange(len(edges_s) - 1) % 2 == 1
    weight = np.where(in_burst, burst_multiplier, 1.0)
    cumulated = np.concatenate([[0.0], np.cumsum(np.diff(edges_s) * weight)])
    draws = np.sort(random.uniform(0, cumulated[-1], size=count))
    stretch = np.searchsorted(cumulated, draws, side="right") - 1
    return np.interp(draws, cumulated, edges_s), in_burst[stretch]
