"""Clocks of other machines: whatever the network does, the stated residual holds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load.generators import clocks
from bench.load.generators.clocks import ECHOES, ClockCorrection, ClockReading, read_clock

ways_s = st.lists(
    st.tuples(st.floats(1e-5, 0.5), st.floats(1e-5, 0.5)), min_size=ECHOES, max_size=ECHOES
)  # there, and back


class Machines:
    """Two machines with clocks of their own, and a network that takes the given times."""

    def __init__(self, offset_s: float, ways_s: list[tuple[float, float]]) -> None:
        self.now_s = 1000.0
        self.offset_s = offset_s
        self._ways_s: Iterator[tuple[float, float]] = iter(ways_s)

    def clock_s(self) -> float:
        return self.now_s

    async def echo(self) -> float:
        there_s, back_s = next(self._ways_s)
        self.now_s += there_s
        time_there_s = self.now_s + self.offset_s
        self.now_s += back_s
        return time_there_s


def reading_of(offset_s: float, ways_s: list[tuple[float, float]]) -> ClockReading:
    machines = Machines(offset_s, ways_s)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clocks, "perf_counter", machines.clock_s)
        return asyncio.run(read_clock(machines.echo))


@given(offset_s=st.floats(-1e5, 1e5), ways_s=ways_s)
def test_a_reading_is_that_of_the_smallest_round_trip(offset_s: float, ways_s: list[tuple[float, float]]) -> None:
    reading = reading_of(offset_s, ways_s)

    assert reading.round_trip_s == pytest.approx(min(there_s + back_s for there_s, back_s in ways_s))
    assert abs(reading.offset_s - offset_s) <= reading.round_trip_s / 2 + 1e-6


@given(
    offset_s=st.floats(-1e5, 1e5),
    drift_s=st.floats(-1, 1),
    before=ways_s,
    after=ways_s,
    elapsed=st.floats(0, 1),
    due_s=st.floats(0, 1e4),
)
def test_a_corrected_time_is_off_by_the_residual_at_most(
    offset_s: float,
    drift_s: float,
    before: list[tuple[float, float]],
    after: list[tuple[float, float]],
    elapsed: float,
    due_s: float,
) -> None:
    """The clock drifts from one offset to another; a sample is taken when it had done the share `elapsed` of that."""
    correction = ClockCorrection(reading_of(offset_s, before), reading_of(offset_s + drift_s, after))
    time_there_s = due_s + offset_s + elapsed * drift_s

    corrected_s = time_there_s - correction.before.offset_s + correction.later_by_s

    assert abs(corrected_s - due_s) <= correction.residual_s + 1e-6


def test_a_clock_that_keeps_its_pace_is_corrected_by_nothing() -> None:
    reading = ClockReading(offset_s=5000.0, round_trip_s=0.002)

    correction = ClockCorrection(reading, reading)

    assert (correction.later_by_s, correction.residual_s) == (0.0, 0.002)
