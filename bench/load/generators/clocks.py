"""Clocks of other machines: their offset from ours, and the largest error of the times that it corrects.

Monotonic clocks are compared, those that samples are taken with. Nothing sets them, so that neither a wrong time of day
nor a step of it reaches a sample.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter

# Among so many round trips there is one that did not have to wait on its way.
ECHOES = 10


@dataclass(frozen=True)
class ClockReading:
    """Reading of another machine's clock by one echo."""

    offset_s: float
    """That clock minus ours, if the echo took as long there as back; wrong by half of the round trip at most."""
    round_trip_s: float


@dataclass(frozen=True)
class ClockCorrection:
    """Correction of the times of a load, by one reading of the clock before the load and one after it."""

    before: ClockReading
    after: ClockReading

    @property
    def later_by_s(self) -> float:
        """To be added to times that were taken by the first reading alone."""
        return (self.before.offset_s - self.after.offset_s) / 2

    @property
    def residual_s(self) -> float:
        """Largest error of corrected times, if the true offset moved in one direction only."""
        drift_s = abs(self.after.offset_s - self.before.offset_s)
        return (drift_s + self.before.round_trip_s + self.after.round_trip_s) / 2


async def read_clock(echo: Callable[[], Awaitable[float]]) -> ClockReading:
    """The reading with the smallest round trip of several; `echo` returns the time of the other clock."""
    return min([await _reading(echo) for _ in range(ECHOES)], key=lambda reading: reading.round_trip_s)


async def _reading(echo: Callable[[], Awaitable[float]]) -> ClockReading:
    asked_s = perf_counter()
    time_there_s = await echo()
    answered_s = perf_counter()
    return ClockReading(time_there_s - (asked_s + answered_s) / 2, answered_s - asked_s)
