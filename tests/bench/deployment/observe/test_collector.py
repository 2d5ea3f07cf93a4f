"""Series of readings: known answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.deployment.observe.collector import Collector, Instrument

GAUGE = Instrument("instance_memory", "machine", "MB", "a file")
COUNTER = Instrument("balancer_requests", "balancer", "1/s", "a counter", is_counter=True)


def collected(*readings: tuple[float, float, float], period_s: float = 1.0) -> Collector:
    collector = Collector((GAUGE, COUNTER), period_s)
    for unix_s, *values in readings:
        collector.add(unix_s, values)
    return collector


def test_a_gauge_is_what_was_read_and_a_counter_its_increase_per_second() -> None:
    gauge, counter = collected((100.0, 5, 10), (101.0, 7, 30), (103.0, 6, 30), (103.5, 6, 40)).series()
    assert (gauge.unix_s, gauge.values) == ([100.0, 101.0, 103.0, 103.5], [5, 7, 6, 6])
    assert (counter.unix_s, counter.values) == ([100.0, 101.0, 103.0], [20.0, 0.0, 20.0])
    assert (counter.metric, counter.subject, counter.unit, counter.period_s) == (
        "balancer_requests",
        "balancer",
        "1/s",
        1.0,
    )
    assert counter.absence is None


def test_a_load_shorter_than_a_period_has_a_rate_all_the_same() -> None:
    _, counter = collected((100.0, 5, 10), (100.25, 7, 30)).series()
    assert (counter.unix_s, counter.values) == ([100.0], [80.0])


def test_the_end_of_a_load_is_no_period_of_its_own_where_it_is_short() -> None:
    _, counter = collected((100.0, 0, 0), (101.0, 0, 10), (101.25, 0, 35)).series()
    assert counter.unix_s == [100.0]
    assert counter.values == [28.0]


def test_what_could_not_be_read_says_why() -> None:
    collector = Collector((GAUGE, COUNTER), 1.0)
    collector.fail("it could not be read: there is no such file")
    for series in collector.series():
        assert (series.values, series.unix_s) == ([], [])
        assert series.absence == "it could not be read: there is no such file"


def test_one_reading_of_a_counter_is_no_rate() -> None:
    collector = collected((100.0, 5, 10))
    collector.fail("the balancer has ended")
    gauge, counter = collector.series()
    assert gauge.values == [5]
    assert (counter.values, counter.absence) == ([], "the balancer has ended")


@given(st.lists(st.tuples(st.floats(0.6, 5), st.integers(0, 1000)), min_size=1, max_size=20))
def test_rates_add_up_to_the_whole_increase(steps: list[tuple[float, int]]) -> None:
    readings = [(0.0, 0.0, 0.0)]
    for gap_s, increase in steps:
        unix_s, _, count = readings[-1]
        readings.append((unix_s + gap_s, 0.0, count + increase))
    _, counter = collected(*readings).series()
    ends_s = [*counter.unix_s[1:], readings[-1][0]]
    total = sum(
        value * (end_s - start_s) for value, start_s, end_s in zip(counter.values, counter.unix_s, ends_s, strict=True)
    )
    assert total == pytest.approx(readings[-1][2])
