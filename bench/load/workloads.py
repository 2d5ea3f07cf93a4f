"""The workloads, as data: who asks for what, how often, and for how long. docs/workloads.md is the page for users.

There are two shapes. In `Rounds`, many clients start at the same moment, and each goes on as fast as the index lets it.
In `Rate`, clients arrive at a given rate whether or not the index keeps up. When exactly each one is due is computed in
`bench.load.schedule`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bench.common.failures import UsageError
from bench.load.samples import Operation

# One machine has some 28,000 ports to connect from.
MOST_CLIENTS = 20_000

INSTALL_BY_NAME = (Operation.REDIRECT, Operation.LISTING, Operation.DOWNLOAD)
INSTALL_FROM_SIMPLE = (Operation.LISTING, Operation.DOWNLOAD)


@dataclass(frozen=True)
class Rounds:
    """All clients of a round are due at the same moment."""

    clients: int
    """How many start at once."""
    duration_s: float | None = None
    """How long new work keeps arriving; what was begun is then finished. None: one round."""
    burst_interval_s: float | None = None
    """A round starts after each such interval. None: the first starts at once, and the next when the last has ended."""
    uploads: bool = False
    """Each client uploads one new wheel instead of installing a package."""
    baseline_clients: int = 0
    """Clients that install all along, beside the rounds."""
    baseline_interval_s: float = 60.0
    """Each of them begins an install once in so many seconds."""

    @property
    def phases(self) -> tuple[str, ...]:
        return ("baseline", "burst") if self.baseline_clients else ("burst",)

    @property
    def burst_starts_s(self) -> tuple[float, ...]:
        """When the rounds start, in seconds from the start of the load; the first one only where they repeat."""
        return _burst_starts_s(self.duration_s, self.burst_interval_s) if self.burst_interval_s else (0.0,)


@dataclass(frozen=True)
class Rate:
    """Clients arrive at random moments, so many requests a minute on average, more during bursts."""

    requests_per_min: float
    duration_s: float
    burst_interval_s: float | None = None
    """A burst starts after each such interval. None: no bursts."""
    burst_length_s: float = 0.0
    burst_multiplier: float = 1.0
    """The rate during a burst is this many times `requests_per_min`."""
    upload_share: float = 0.0
    """The share of the requests that are uploads."""
    requests_by_client: tuple[int, ...] = ()
    """Exactly so many requests from each client address; empty where the rate alone decides."""

    @property
    def phases(self) -> tuple[str, ...]:
        return ("baseline", "burst") if self.burst_interval_s else ("baseline",)

    @property
    def burst_starts_s(self) -> tuple[float, ...]:
        """When the bursts start, in seconds from the start of the load."""
        return _burst_starts_s(self.duration_s, self.burst_interval_s) if self.burst_interval_s else ()

    @property
    def requests(self) -> float:
        """How many requests the rate makes over the whole duration."""
        burst_s = sum(min(self.burst_length_s, self.duration_s - start_s) for start_s in self.burst_starts_s)
        return self.requests_per_min / 60 * (self.duration_s + (self.burst_multiplier - 1) * burst_s)


def _burst_starts_s(duration_s: float | None, interval_s: float) -> tuple[float, ...]:
    # A burst at the very end would have no time; the margin keeps a quotient of 2.0000000001 from making one.
    bursts = math.ceil((duration_s or 0.0) / interval_s - 1e-9) - 1
    return tuple(interval_s * number for number in range(1, bursts + 1))


@dataclass(frozen=True)
class Workload:
    """One way of loading an index."""

    name: str
    summary: str
    """One line for people."""
    load: Rounds | Rate
    install: tuple[Operation, ...] = INSTALL_FROM_SIMPLE
    """The requests of one install, in order."""
    user_agents: tuple[str, ...] = ("pip/25.3", "poetry/2.1.3")
    thresholds: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))
    """Limits that differ from the defaults of `bench.load.thresholds`; None leaves a threshold out."""

    @property
    def clients(self) -> int | None:
        """How many clients start at once; None where a rate decides."""
        return self.load.clients if isinstance(self.load, Rounds) else None

    @property
    def duration_s(self) -> float | None:
        """How long new work keeps arriving; None for a single round."""
        return self.load.duration_s

    @property
    def phases(self) -> tuple[str, ...]:
        """The names of the phases that samples are told apart by."""
        return self.load.phases

    @property
    def repeats(self) -> bool:
        """Whether the round is started again, as soon as it has ended, until the duration is over."""
        return isinstance(self.load, Rounds) and self.duration_s is not None and self.load.burst_interval_s is None

    def uploads_needed(self) -> int:
        """How many distinct new wheels a run uploads at most: prepare so many before the load."""
        if isinstance(self.load, Rounds):
            return self.load.clients if self.load.uploads else 0
        return round(self.load.requests * self.load.upload_share)


def _catalogue(*workloads: Workload) -> Mapping[str, Workload]:
    return MappingProxyType({workload.name: workload for workload in workloads})


WORKLOADS: Mapping[str, Workload] = _catalogue(
    Workload(
        name="burst",
        summary="510 clients at once, each one install: redirect, listing, newest wheel",
        load=Rounds(clients=510),
        install=INSTALL_BY_NAME,
    ),
    Workload(
        name="production_incident",
        summary="10 clients that install once a minute, and a burst of 510 each minute, for 5 minutes",
        load=Rounds(clients=510, duration_s=300.0, burst_interval_s=60.0, baseline_clients=10),
        install=INSTALL_BY_NAME,
    ),
    Workload(
        name="mixed",
        summary="100 requests a minute, 80 % reads and 20 % uploads; 300 a minute during bursts",
        load=Rate(
            100, duration_s=300.0, burst_interval_s=60.0, burst_length_s=20.0, burst_multiplier=3, upload_share=0.2
        ),
    ),
    Workload(
        name="uploads",
        summary="100 clients at once, each uploads one new wheel",
        load=Rounds(clients=100, uploads=True),
        thresholds=MappingProxyType({"listing_p95_s": None, "download_p95_s": None}),
    ),
    Workload(
        name="light",
        summary="a small team: 10 requests a minute",
        load=Rate(10, duration_s=300.0),
    ),
    Workload(
        name="medium",
        summary="several pipelines: 50 requests a minute, 200 a minute during bursts",
        load=Rate(50, duration_s=300.0, burst_interval_s=60.0, burst_length_s=20.0, burst_multiplier=4),
    ),
    Workload(
        name="heavy",
        summary="many parallel jobs: 100 requests a minute, 500 a minute during bursts",
        load=Rate(100, duration_s=300.0, burst_interval_s=60.0, burst_length_s=20.0, burst_multiplier=5),
    ),
    Workload(
        name="incident_replay",
        summary="the recorded incident: 1,494 requests from 5 addresses in 24 minutes, 60 to 200 a minute",
        load=Rate(
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


def why_not(workload: Workload, option: str) -> str | None:
    """Why an option, named as in `with_options`, has nothing to change in a workload; None where it has."""
    load = workload.load
    recorded = isinstance(load, Rate) and bool(load.requests_by_client)
    match option:
        case "clients" if not isinstance(load, Rounds):
            return "its request rate says how much is asked"
        case "duration_s" if recorded:
            return "it is a recording, which --speed compresses"
        case "duration_s" if isinstance(load, Rounds) and load.uploads:
            return "a wheel can be uploaded only once, so it is one round"
        case "burst_interval_s" if recorded or load.burst_interval_s is None:
            return "it has no bursts whose interval could be set"
        case "burst_multiplier" if recorded or not isinstance(load, Rate) or load.burst_interval_s is None:
            return "it has no rate that a burst could multiply"
        case "speed" if not recorded:
            return "only incident_replay is a recording"
    return None


def with_options(
    workload: Workload,
    *,
    clients: int | None = None,
    duration_s: float | None = None,
    burst_interval_s: float | None = None,
    burst_multiplier: float | None = None,
    speed: float | None = None,
) -> Workload:
    """`workload` with what the user set; None leaves a value as it is.

    Args:
        clients, duration_s, burst_interval_s, burst_multiplier, speed: within the bounds of `parameters.TYPES`.

    Raises:
        UsageError: an option changes nothing in the workload, or bursts do not fit into the duration.
    """
    load = workload.load
    if clients is not None:
        _check_applicable(workload, "clients", "--clients")
        assert isinstance(load, Rounds)
        load = replace(load, clients=clients)
    if duration_s is not None:
        _check_applicable(workload, "duration_s", "--duration")
        load = replace(load, duration_s=duration_s)
    if burst_interval_s is not None:
        _check_applicable(workload, "burst_interval_s", "--burst-interval")
        load = replace(load, burst_interval_s=burst_interval_s)
    if burst_multiplier is not None:
        _check_applicable(workload, "burst_multiplier", "--burst-multiplier")
        assert isinstance(load, Rate)
        load = replace(load, burst_multiplier=burst_multiplier)
    _check_bursts_fit(workload.name, load)
    if speed is not None:
        _check_applicable(workload, "speed", "--speed")
        assert isinstance(load, Rate)
        load = _compressed(load, speed)
    return replace(workload, load=load)


def _check_applicable(workload: Workload, option: str, spelling: str) -> None:
    if reason := why_not(workload, option):
        raise UsageError(f"{spelling} does not apply to the workload {workload.name}: {reason}")


def _check_bursts_fit(name: str, load: Rounds | Rate) -> None:
    if load.burst_interval_s is None:
        return
    if not load.burst_starts_s:
        raise UsageError(
            f"--duration {load.duration_s:g} ends before the first burst of {name}: make it longer than the burst "
            f"interval of {load.burst_interval_s:g} s, or set --burst-interval"
        )
    if isinstance(load, Rate) and load.burst_interval_s <= load.burst_length_s:
        raise UsageError(
            f"--burst-interval {load.burst_interval_s:g}: the bursts of {name} last {load.burst_length_s:g} s, so the "
            "interval must be longer than that"
        )


def _compressed(load: Rate, speed: float) -> Rate:
    return replace(
        load,
        requests_per_min=load.requests_per_min * speed,
        duration_s=load.duration_s / speed,
        burst_interval_s=load.burst_interval_s and load.burst_interval_s / speed,
        burst_length_s=load.burst_length_s / speed,
    )
