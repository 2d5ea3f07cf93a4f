"""When instruments are read."""

from __future__ import annotations

import threading

import pytest

from bench.common.failures import UnavailableError
from bench.deployment.observe.collector import Collector, Instrument
from bench.deployment.observe.sampler import Probe, sampled

GAUGE = Instrument("healthy_targets", "balancer", "count", "a number")
# Longer than any test.
NEVER_S = 1000.0


class Numbers:
    """Gives 1, 2, 3, ...; tells when it has given so many."""

    def __init__(self, wanted: int = 0) -> None:
        self.given = 0
        self.enough = threading.Event()
        self._wanted = wanted

    def __call__(self) -> list[float]:
        self.given += 1
        if self.given >= self._wanted:
            self.enough.set()
        return [float(self.given)]


def test_each_is_read_before_and_after() -> None:
    collector = Collector((GAUGE,), NEVER_S)
    with sampled([Probe(collector, Numbers())]):
        pass
    assert collector.series()[0].values == [1, 2]


def test_each_is_read_at_its_own_period() -> None:
    often, seldom = Numbers(wanted=5), Numbers()
    with sampled([Probe(Collector((GAUGE,), 0.01), often), Probe(Collector((GAUGE,), NEVER_S), seldom)]):
        assert often.enough.wait(20)
    assert seldom.given == 2


def test_it_is_read_to_the_end_where_the_load_fails() -> None:
    numbers = Numbers()
    with pytest.raises(ZeroDivisionError), sampled([Probe(Collector((GAUGE,), NEVER_S), numbers)]):
        raise ZeroDivisionError
    assert numbers.given == 2
    assert "observation" not in {thread.name for thread in threading.enumerate()}


def test_one_that_cannot_be_read_is_asked_again_and_keeps_no_other_from_being_read() -> None:
    numbers = Numbers()

    def broken_at_first() -> list[float]:
        if numbers()[0] == 1:
            raise UnavailableError("the balancer does not answer")
        return [7.0]

    never = Collector((GAUGE,), NEVER_S)
    later = Collector((GAUGE,), NEVER_S)

    def broken() -> list[float]:
        raise FileNotFoundError("/proc/net/sockstat")

    with sampled([Probe(never, broken), Probe(later, broken_at_first)]):
        pass
    assert never.series()[0].absence == "it could not be read: /proc/net/sockstat"
    assert later.series()[0].values == [7.0]
