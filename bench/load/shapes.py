"""The shapes of a load: how many clients arrive, and when. A workload is a shape with what its clients ask for.

In `Rounds`, many clients start at the same moment, and each goes on as fast as the index lets it. At a `Rate`, clients
arrive at random moments whether or not the index keeps up. A `Recording` is a rate with the clients that were recorded.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bench.common.failures import UsageError
from bench.load.schedule import Action, Arrivals, random_moments, regular_visits

_FIXED_RATE = "its request rate says how much is asked"
_NO_BURSTS = "it has no bursts whose interval could be set"
_NO_RATE = "it has no rate that a burst could multiply"
_NO_RECORDING = "only incident_replay is a recording"


class Shape(ABC):
    """One way in which clients arrive; every shape is a frozen data class."""

    clients: int | None
    """Number of clients that start at once; None where a rate decides."""
    duration_s: float | None
    """Time for which new work keeps arriving; what was begun is then finished. None: a single round."""
    burst_interval_s: float | None
    """A burst starts after each such interval. None: bursts do not return."""
    burst_multiplier: float | None
    """The rate during a burst is this many times the usual rate; None without a rate."""
    requests_per_min: float | None
    """The usual rate; None without one."""

    @property
    @abstractmethod
    def phases(self) -> tuple[str, ...]:
        """Names of the phases; each sample belongs to one."""

    @property
    @abstractmethod
    def inapplicable(self) -> Mapping[str, str]:
        """The options that change nothing in this shape, each with the reason."""

    @property
    @abstractmethod
    def uploads(self) -> int:
        """Number of distinct new wheels that are uploaded at most."""

    @abstractmethod
    def total(self, requests_per_install: int) -> int | None:
        """Number of requests of the whole load; None where the index decides by its speed."""

    @abstractmethod
    def arrivals(self, requests_per_install: int, packages: int, random: np.random.Generator) -> Arrivals:
        """Who is due when; there are so many `packages` to choose from, each as likely as any other."""

    @property
    def repeats(self) -> bool:
        """Whether the round is started again, as soon as it has ended, until the duration is over."""
        return False

    @property
    def burst_starts_s(self) -> tuple[float, ...]:
        """When bursts start, in seconds from the start of the load: after each interval that leaves them some time."""
        if not self.burst_interval_s:
            return ()
        # The margin keeps a quotient of 2.0000000001 from making a burst at the very end.
        bursts = math.ceil((self.duration_s or 0.0) / self.burst_interval_s - 1e-9) - 1
        return tuple(self.burst_interval_s * number for number in range(1, bursts + 1))

    def changed(self, name: str, **values: Any) -> Self:
        """This shape of the workload `name`, with the values of options that apply to it."""
        shape = replace(self, **values)  # type: ignore[type-var]
        if shape.burst_interval_s is not None and not shape.burst_starts_s:
            raise UsageError(
                f"--duration {shape.duration_s:g} ends before the first burst of {name}: make it longer than the burst "
                f"interval of {shape.burst_interval_s:g} s, or set --burst-interval"
            )
        return shape


@dataclass(frozen=True)
class Rounds(Shape):
    """All clients of a round are due at the same moment."""

    clients: int
    duration_s: float | None = None
    burst_interval_s: float | None = None
    """A round starts after each such interval. None: the first starts at once, and the next when the last has ended."""
    only_uploads: bool = False
    """Each client uploads one new wheel instead of installing a package."""
    baseline_clients: int = 0
    """Clients that install all along, beside the rounds."""
    baseline_interval_s: float = 60.0
    """Each of them begins an install once in so many seconds."""
    burst_multiplier = None
    requests_per_min = None

    @property
    def phases(self) -> tuple[str, ...]:
        return ("baseline", "burst") if self.baseline_clients else ("burst",)

    @property
    def inapplicable(self) -> Mapping[str, str]:
        reasons = {"burst_multiplier": _NO_RATE, "speed": _NO_RECORDING}
        if self.only_uploads:
            reasons["duration_s"] = "a wheel can be uploaded only once, so it is one round"
        if self.burst_interval_s is None:
            reasons["burst_interval_s"] = _NO_BURSTS
        return reasons

    @property
    def uploads(self) -> int:
        return self.clients if self.only_uploads else 0

    @property
    def repeats(self) -> bool:
        return self.duration_s is not None and self.burst_interval_s is None

    @property
    def burst_starts_s(self) -> tuple[float, ...]:
        """When the rounds start, in seconds from the start of the load; the first one only where they repeat."""
        return super().burst_starts_s if self.burst_interval_s else (0.0,)

    def total(self, requests_per_install: int) -> int | None:
        if self.duration_s is not None:
            return None
        return self.clients * (1 if self.only_uploads else requests_per_install)

    def arrivals(self, requests_per_install: int, packages: int, random: np.random.Generator) -> Arrivals:
        starts_s = np.array(self.burst_starts_s)
        baseline_due_s, baseline_client = regular_visits(
            self.baseline_clients, self.baseline_interval_s, self.duration_s or 0.0, random
        )
        due_s = np.concatenate([baseline_due_s, np.repeat(starts_s, self.clients)])
        in_burst = np.arange(len(due_s)) >= len(baseline_due_s)
        return Arrivals(
            due_s=due_s,
            phase=np.where(in_burst, self.phases.index("burst"), 0).astype(np.uint8),
            action=np.full(len(due_s), Action.UPLOAD if self.only_uploads else Action.INSTALL, dtype=np.uint8),
            package=np.arange(len(due_s)) if self.only_uploads else random.integers(packages, size=len(due_s)),
            client=np.concatenate([baseline_client, np.tile(np.arange(self.clients), len(starts_s))]),
        )


@dataclass(frozen=True)
class Rate(Shape):
    """Clients arrive at random moments, so many requests a minute on average, more during bursts."""

    requests_per_min: float
    duration_s: float
    burst_interval_s: float | None = None
    burst_length_s: float = 0.0
    burst_multiplier: float = 1.0
    upload_share: float = 0.0
    """The share of the requests that are uploads."""
    clients = None

    @property
    def phases(self) -> tuple[str, ...]:
        return ("baseline", "burst") if self.burst_interval_s else ("baseline",)

    @property
    def inapplicable(self) -> Mapping[str, str]:
        bursts = {} if self.burst_interval_s else {"burst_interval_s": _NO_BURSTS, "burst_multiplier": _NO_RATE}
        return {"clients": _FIXED_RATE, "speed": _NO_RECORDING, **bursts}

    @property
    def uploads(self) -> int:
        return round(self.requests * self.upload_share)

    @property
    def requests(self) -> float:
        """How many requests the rate makes over the whole duration."""
        burst_s = sum(end_s - start_s for start_s, end_s in self._bursts_s)
        return self.requests_per_min / 60 * (self.duration_s + (self.burst_multiplier - 1) * burst_s)

    @property
    def _bursts_s(self) -> list[tuple[float, float]]:
        return [(start_s, min(start_s + self.burst_length_s, self.duration_s)) for start_s in self.burst_starts_s]

    def total(self, requests_per_install: int) -> int:
        return round(self.requests)

    def arrivals(self, requests_per_install: int, packages: int, random: np.random.Generator) -> Arrivals:
        action, client = self._clients(requests_per_install)
        random.shuffle(order := np.arange(len(action)))
        action, client = action[order], client[order]
        uploads = action == Action.UPLOAD
        due_s, in_burst = random_moments(len(action), self.duration_s, self._bursts_s, self.burst_multiplier, random)
        return Arrivals(
            due_s=due_s,
            phase=in_burst.astype(np.uint8),
            action=action,
            package=np.where(uploads, np.cumsum(uploads) - 1, random.integers(packages, size=len(action))),
            client=client,
        )

    def _clients(self, requests_per_install: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """What each client does, and its number: the requests have the shares and the total that are asked for."""
        installs = max(1, round(self.requests * (1 - self.upload_share) / requests_per_install))
        action = np.repeat(np.array([Action.UPLOAD, Action.INSTALL], dtype=np.uint8), [self.uploads, installs])
        return action, np.arange(len(action))

    def changed(self, name: str, **values: Any) -> Self:
        shape = super().changed(name, **values)
        if shape.burst_interval_s is not None and shape.burst_interval_s <= shape.burst_length_s:
            raise UsageError(
                f"--burst-interval {shape.burst_interval_s:g}: the bursts of {name} last {shape.burst_length_s:g} s, "
                "so the interval must be longer than that"
            )
        return shape


@dataclass(frozen=True)
class Recording(Rate):
    """A rate at which the clients of a recorded load come back, each with as many requests as it made then."""

    requests_by_client: tuple[int, ...] = ()

    @property
    def inapplicable(self) -> Mapping[str, str]:
        return {
            "clients": _FIXED_RATE,
            "duration_s": "it is a recording, which --speed compresses",
            "burst_interval_s": _NO_BURSTS,
            "burst_multiplier": _NO_RATE,
        }

    def _clients(self, requests_per_install: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """For each address as many installs, of two requests, as make up its count, and a lookup where that is odd."""
        requests = np.array(self.requests_by_client)
        address = np.arange(len(requests))
        installs = np.repeat(address, requests // 2)
        lookups = np.repeat(address, requests % 2)
        action = np.repeat(np.array([Action.INSTALL, Action.LOOKUP], dtype=np.uint8), [len(installs), len(lookups)])
        return action, np.concatenate([installs, lookups])

    def changed(self, name: str, speed: float = 1.0, **values: Any) -> Self:
        """This recording, compressed by the factor `speed`."""
        return replace(
            super().changed(name, **values),
            requests_per_min=self.requests_per_min * speed,
            duration_s=self.duration_s / speed,
            burst_interval_s=self.burst_interval_s and self.burst_interval_s / speed,
            burst_length_s=self.burst_length_s / speed,
        )
