"""The catalogue of workloads: what clients ask for, and the shape of the load. docs/workloads.md is the page for users.

A workload is one entry of `_CATALOGUE`, a new shape one class in `bench.load.shapes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bench.common.failures import UsageError
from bench.common.ranges import spelling
from bench.load.samples import Operation
from bench.load.schedule import Arrivals
from bench.load.shapes import Rate, Recording, Rounds, Shape

# One machine has some 28,000 ports to connect from.
MAX_CLIENTS = 20_000

INSTALL_BY_NAME = (Operation.REDIRECT, Operation.LISTING, Operation.DOWNLOAD)
INSTALL_FROM_SIMPLE = (Operation.LISTING, Operation.DOWNLOAD)


@dataclass(frozen=True)
class Workload:
    """One way of loading an index."""

    name: str
    summary: str
    """One line for people."""
    shape: Shape
    install: tuple[Operation, ...] = INSTALL_FROM_SIMPLE
    """The requests of one install, in order."""
    user_agents: tuple[str, ...] = ("pip/25.3", "poetry/2.1.3")
    thresholds: Mapping[str, float | None] = field(default_factory=dict)
    """Limits that differ from the defaults of `bench.load.thresholds`; None leaves a threshold out."""

    @property
    def total(self) -> int | None:
        """Number of requests of the whole load; None where the index decides by its speed."""
        return self.shape.total(len(self.install))

    def arrivals(self, seed: int, packages: int, round_number: int = 0) -> Arrivals:
        """The clients, in the order in which they are due; the same for the same seed.

        Each of the `packages` is as likely as any other. A workload that repeats its round chooses anew in each.
        """
        random = np.random.default_rng([seed, round_number])
        return self.shape.arrivals(len(self.install), packages, random).in_order()


_CATALOGUE = (
    Workload(
        name="burst",
        summary="510 clients at once, each one install: redirect, listing, newest wheel",
        shape=Rounds(clients=510),
        install=INSTALL_BY_NAME,
    ),
    Workload(
        name="production_incident",
        summary="10 clients that install once a minute, and a burst of 510 each minute, for 5 minutes",
        shape=Rounds(clients=510, duration_s=300.0, burst_interval_s=60.0, baseline_clients=10),
        install=INSTALL_BY_NAME,
    ),
    Workload(
        name="mixed",
        summary="100 requests a minute, 80 % reads and 20 % uploads; 300 a minute during bursts",
        shape=Rate(
            100, duration_s=300.0, burst_interval_s=60.0, burst_length_s=20.0, burst_multiplier=3, upload_share=0.2
        ),
    ),
    Workload(
        name="uploads",
        summary="100 clients at once, each uploads one new wheel",
        shape=Rounds(clients=100, only_uploads=True),
        thresholds={"listing_p95_s": None, "download_p95_s": None},
    ),
    Workload(
        name="light",
        summary="a small team: 10 requests a minute",
        shape=Rate(10, duration_s=300.0),
    ),
    Workload(
        name="medium",
        summary="several pipelines: 50 requests a minute, 200 a minute during bursts",
        shape=Rate(50, duration_s=300.0, burst_interval_s=60.0, burst_length_s=20.0, burst_multiplier=4),
    ),
    Workload(
        name="heavy",
        summary="many parallel jobs: 100 requests a minute, 500 a minute during bursts",
        shape=Rate(100, duration_s=300.0, burst_interval_s=60.0, burst_length_s=20.0, burst_multiplier=5),
    ),
    Workload(
        name="incident_replay",
        summary="the recorded incident: 1,494 requests from 5 addresses in 24 minutes, 60 to 200 a minute",
        shape=Recording(
            60,
            duration_s=24 * 60.0,
            burst_interval_s=12 * 60.0,
            # 1,494 requests in 24 minutes are 60 a minute all along and 54 more in one burst at 200 a minute.
            burst_length_s=54 / (200 / 60 - 60 / 60),
            burst_multiplier=200 / 60,
            requests_by_client=(434, 413, 337, 171, 139),
        ),
    ),
)
WORKLOADS: Mapping[str, Workload] = {workload.name: workload for workload in _CATALOGUE}


def with_options(workload: Workload, **values: Any) -> Workload:
    """`workload` with what the user set: the values of options by their names, within the bounds of the options."""
    for name in values:
        if reason := workload.shape.inapplicable.get(name):
            raise UsageError(f"{spelling(name)} does not apply to the workload {workload.name}: {reason}")
    return replace(workload, shape=workload.shape.changed(workload.name, **values))
