"""Measurements of a variant, round by round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.commands.compare import model
from bench.load.samples import Samples


@dataclass(frozen=True)
class Round:
    """One load of one variant; it has at least one request."""

    latency_s: NDArray[np.float64]
    failed: int
    duration_s: float
    """From the first request that was due to the last answer."""
    per_task: Mapping[str, int]
    """Requests of every task, those that had none included."""
    cpu_s: Mapping[str, float | None] = field(default_factory=dict)
    """CPU time of the tasks, the balancer and the generator; None, or left out, where it was not measured."""

    @classmethod
    def of(cls, samples: Samples, per_task: Mapping[str, int], cpu_s: Mapping[str, float | None]) -> Round:
        """The round that `samples`, of at least one request, and the other sides describe."""
        return cls(
            latency_s=np.array(samples.latency_s),
            failed=int(samples.failed.sum()),
            duration_s=float(samples.done_s.max() - samples.due_s.min()),
            per_task=per_task,
            cpu_s=cpu_s,
        )

    @property
    def requests(self) -> int:
        """Number of requests."""
        return len(self.latency_s)


@dataclass(frozen=True)
class Contender:
    """A variant with what it measured."""

    variant: model.ComparedVariant
    rounds: Sequence[Round]
    """Empty for a report without samples."""
    known: Mapping[str, float | None] = field(default_factory=dict)
    """By name, the figures of such a report."""
