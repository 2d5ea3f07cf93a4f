"""When each client is due, computed before the load starts and from nothing but the workload and a seed.

The index has no say in it: a client that is due is due, however late the answers to the others are. This is what keeps
a stalled index from hiding its own stall (coordinated omission; docs/measuring.md).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.load.workloads import Rate, Rounds, Workload


class Kind(enum.IntEnum):
    """What a client does."""

    INSTALL = 0
    """All the requests of `Workload.install`."""
    LOOKUP = 1
    """The listing alone, as when the newest wheel is in the client's cache already."""
    UPLOAD = 2


@dataclass(frozen=True)
class Arrivals:
    """One row per client that arrives, in the order in which they are due."""

    due_s: NDArray[np.float64]
    """Seconds since the start of the load, or of the round where rounds repeat."""
    phase: NDArray[np.uint8]
    """Index into `Workload.phases`."""
    kind: NDArray[np.uint8]
    """A `Kind`."""
    package: NDArray[np.int64]
    """Index into the packages; for an upload the index of the wheel, each of which occurs once."""
    client: NDArray[np.int64]
    """The address, or the place in the round, that the client has; it decides the user agent."""

    def __len__(self) -> int:
        return len(self.due_s)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Arrivals:
        """The rows for which a mask is true, or those with the given numbers in the given order."""
        return Arrivals(self.due_s[rows], self.phase[rows], self.kind[rows], self.package[rows], self.client[rows])

    def rows(self) -> Iterator[tuple[float, int, int, int, int]]:
        """Due, phase, kind, package and client of each."""
        columns = (self.due_s, self.phase, self.kind, self.package, self.client)
        return zip(*(column.tolist() for column in columns), strict=True)


def arrivals(workload: Workload, seed: int, packages: int, round_number: int = 0) -> Arrivals:
    """Who is due when.

    Args:
        workload: what to ask for.
        seed: the same seed gives the same arrivals.
        packages: how many packages there are to choose from, at least 1. Each is as likely as any other.
        round_number: for a workload that repeats its round, which one; each has its own choice of packages.
    """
    random = np.random.default_rng([seed, round_number])
    if isinstance(workload.load, Rounds):
        return _in_order(_rounds(workload.load, random, packages))
    return _in_order(_rate(workload.load, len(workload.install), random, packages))


def _rounds(load: Rounds, random: np.random.Generator, packages: int) -> Arrivals:
    starts_s = np.array(load.burst_starts_s)
    burst_due_s = np.repeat(starts_s, load.clients)
    client = np.tile(np.arange(load.clients), len(starts_s))
    baseline_due_s, baseline_client = _baseline(load, random)

    due_s = np.concatenate([baseline_due_s, burst_due_s])
    in_burst = np.arange(len(due_s)) >= len(baseline_due_s)
    return Arrivals(
        due_s=due_s,
        phase=np.where(in_burst, load.phases.index("burst"), 0).astype(np.uint8),
        kind=np.full(len(due_s), Kind.UPLOAD if load.uploads else Kind.INSTALL, dtype=np.uint8),
        package=np.arange(len(due_s)) if load.uploads else random.integers(packages, size=len(due_s)),
        client=np.concatenate([baseline_client, client]),
    )


def _baseline(load: Rounds, random: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Each client starts at a moment of its own and then comes back at a fixed interval."""
    if not load.baseline_clients or load.duration_s is None:
        return np.empty(0), np.empty(0, dtype=np.int64)
    first_due_s = random.uniform(0, load.baseline_interval_s, size=load.baseline_clients)
    visits_s = np.arange(0, load.duration_s, load.baseline_interval_s)
    due_s = (first_due_s[:, None] + visits_s).ravel()
    client = np.repeat(np.arange(load.baseline_clients), len(visits_s))
    in_time = due_s < load.duration_s
    return due_s[in_time], client[in_time]


def _rate(load: Rate, requests_per_install: int, random: np.random.Generator, packages: int) -> Arrivals:
    kind, client = _recorded(load) if load.requests_by_client else _by_share(load, requests_per_install)
    random.shuffle(order := np.arange(len(kind)))
    kind, client = kind[order], client[order]
    uploads = kind == Kind.UPLOAD
    due_s, phase = _random_moments(load, len(kind), random)
    return Arrivals(
        due_s=due_s,
        phase=phase,
        kind=kind,
        package=np.where(uploads, np.cumsum(uploads) - 1, random.integers(packages, size=len(kind))),
        client=client,
    )


def _by_share(load: Rate, requests_per_install: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Uploads and installs in such numbers that their requests have the shares and the total that `load` asks for."""
    uploads = round(load.requests * load.upload_share)
    installs = max(1, round(load.requests * (1 - load.upload_share) / requests_per_install))
    kind = np.repeat(np.array([Kind.UPLOAD, Kind.INSTALL], dtype=np.uint8), [uploads, installs])
    return kind, np.arange(len(kind))


def _recorded(load: Rate) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """For each address as many installs, of two requests, as make up its count, and a lookup where that is odd."""
    requests = np.array(load.requests_by_client)
    address = np.arange(len(requests))
    installs = np.repeat(address, requests // 2)
    lookups = np.repeat(address, requests % 2)
    kind = np.repeat(np.array([Kind.INSTALL, Kind.LOOKUP], dtype=np.uint8), [len(installs), len(lookups)])
    return kind, np.concatenate([installs, lookups])


def _random_moments(
    load: Rate, count: int, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """`count` independent moments, as dense as the rate is high, and the phase that each falls into.

    Given how many there are, the moments of a Poisson process are spread like independent draws from its rate: they
    come from uniform draws on the cumulated rate, turned back into time.
    """
    edges_s = [0.0]
    for start_s in load.burst_starts_s:
        edges_s += [start_s, min(start_s + load.burst_length_s, load.duration_s)]
    edges_s.append(load.duration_s)
    in_burst = np.arange(len(edges_s) - 1) % 2 == 1
    weight = np.where(in_burst, load.burst_multiplier, 1.0)
    cumulated = np.concatenate([[0.0], np.cumsum(np.diff(edges_s) * weight)])
    draws = np.sort(random.uniform(0, cumulated[-1], size=count))
    stretch = np.searchsorted(cumulated, draws, side="right") - 1
    return np.interp(draws, cumulated, edges_s), in_burst[stretch].astype(np.uint8)


def _in_order(unordered: Arrivals) -> Arrivals:
    return unordered.take(np.argsort(unordered.due_s, kind="stable"))
