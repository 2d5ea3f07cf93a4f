"""Known answers, computed by hand from the ten requests of conftest.py, and what must hold for any requests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.index.errors import ErrorKind
from bench.load.samples import Operation, Samples
from bench.report import figures
from bench.report.model import Percentiles

SamplesOf = Callable[..., Samples]


def test_all_requests_together(samples: Samples) -> None:
    whole = figures.summary(samples)

    assert (whole.requests, whole.failed, whole.error_rate, whole.status_5xx) == (10, 2, 0.2, 1)
    # First due at 0 s, last done at 20 s.
    assert whole.throughput_rps == 0.5
    # Latencies in order: 0.5 0.5 0.5 1 1 1 1.5 2.5 4 8; the failed ones are 2.5 and 8.
    assert whole.latency_s == Percentiles(p50=1.0, p95=8.0, p99=8.0, max=8.0)
    # The last was sent half a second after it was due, another a quarter.
    assert whole.service_time_s == Percentiles(p50=1.0, p95=7.5, p99=7.5, max=7.5)
    assert whole.received_bytes == 1000
    assert whole.errors_by_kind == {"timeout": 1, "status": 1}


def test_a_request_that_ends_as_another_begins_is_not_in_flight_with_it(samples: Samples) -> None:
    # From 12.0 s: sent at 11 (to 13.5), 12 (to 12.5) and 12 (to 16); the one sent at 10.5 ends then. At 12.5 one ends
    # and one begins.
    assert figures.summary(samples).peak_in_flight == 3


def test_operations(samples: Samples) -> None:
    by_operation = figures.operations(samples)

    assert by_operation.redirect.latency_s == Percentiles(p50=0.5, p95=1.0, p99=1.0, max=1.0)
    assert (by_operation.listing.requests, by_operation.listing.failed, by_operation.listing.status_5xx) == (3, 1, 1)
    assert by_operation.download.error_rate == 0.25
    # Due 1.5 s to done 20 s.
    assert by_operation.download.throughput_rps == pytest.approx(4 / 18.5)


def test_an_operation_that_was_never_asked_has_no_figures_rather_than_good_ones(samples: Samples) -> None:
    upload = figures.operations(samples).upload

    assert (upload.requests, upload.failed, upload.status_5xx) == (0, 0, 0)
    assert (upload.error_rate, upload.throughput_rps, upload.latency_s, upload.service_time_s) == (None,) * 4


def test_phases_in_the_order_of_the_workload(samples: Samples) -> None:
    baseline, burst = figures.phases(samples)

    assert (baseline.name, baseline.requests, baseline.throughput_rps) == ("baseline", 3, 1.2)
    # Seven requests, due from 10 s on and done at 20 s: the idle time before does not dilute the burst.
    assert (burst.name, burst.requests, burst.throughput_rps) == ("burst", 7, 0.7)
    assert burst.latency_s == Percentiles(p50=1.5, p95=8.0, p99=8.0, max=8.0)


def test_requests_by_task_leave_out_redirects_and_what_no_task_answered(samples: Samples) -> None:
    assert figures.per_task(samples) == {"task-1": 4, "task-2": 2}


def test_work_is_what_the_server_says_and_queueing_the_rest_of_the_service_time(samples: Samples) -> None:
    by_operation = figures.operations(samples)

    # Work 0.125 0.25 0.5 of service times 0.5 0.5 0.75.
    assert by_operation.redirect.work_s == Percentiles(p50=0.25, p95=0.5, p99=0.5, max=0.5)
    assert by_operation.redirect.queueing_s == Percentiles(p50=0.25, p95=0.375, p99=0.375, max=0.375)
    # The server said nothing of the third: its service time of 2.5 s is in neither.
    assert by_operation.listing.work_s == Percentiles(p50=0.5, p95=1.0, p99=1.0, max=1.0)
    assert by_operation.listing.queueing_s == Percentiles(p50=0.5, p95=0.5, p99=0.5, max=0.5)
    assert figures.summary(samples).work_s == Percentiles(p50=0.25, p95=3.0, p99=3.0, max=3.0)


def test_where_no_server_says_what_it_did_nobody_knows(samples_of: SamplesOf) -> None:
    whole = figures.summary(samples_of())

    assert (whole.work_s, whole.queueing_s) == (None, None)


def test_a_server_that_claims_more_work_than_there_was_time_for_is_not_believed(samples_of: SamplesOf) -> None:
    row = (0.0, 0.5, 1.0, Operation.LISTING, 200, "task-1", "burst", ErrorKind.NONE)
    work_s = figures.summary(samples_of((row, row, row), server_s=(0.25, 0.75, 1e12))).work_s

    assert work_s == Percentiles(p50=0.25, p95=0.25, p99=0.25, max=0.25)


@pytest.mark.parametrize(
    ("per_task", "tasks", "expected"),
    [
        ({"task-1": 100, "task-2": 100}, 2, 0.0),
        ({"task-1": 102, "task-2": 98}, 2, 0.02),
        ({"task-1": 90, "task-2": 130, "task-3": 80}, 3, 0.3),
        ({"task-1": 100, "task-2": 100}, 3, 1.0),  # the third answered nothing
        ({"task-1": 300}, 3, 2.0),
        ({"task-1": 100, "task-2": 100}, 1, 0.0),  # one took the place of the other
        ({}, 3, None),
    ],
)
def test_the_deviation_from_an_even_share(per_task: dict[str, int], tasks: int, expected: float | None) -> None:
    assert figures.deviation(per_task, tasks) == pytest.approx(expected)


def test_no_requests_at_all(samples_of: SamplesOf) -> None:
    nothing = figures.summary(samples_of(()))

    assert (nothing.requests, nothing.peak_in_flight, nothing.errors_by_kind) == (0, 0, {})
    assert nothing.latency_s is None


def test_throughput_of_an_instant_is_unknown(samples_of: SamplesOf) -> None:
    instant = samples_of(((1.0, 1.0, 1.0, Operation.LISTING, 200, "task-1", "burst", ErrorKind.NONE),))

    assert figures.summary(instant).throughput_rps is None


latencies = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=300)


@given(latencies)
def test_percentiles_are_values_that_occurred(values: list[float]) -> None:
    exact = figures.percentiles(np.array(values))

    assert exact is not None
    assert exact.p50 <= exact.p95 <= exact.p99 <= exact.max == max(values)
    for share, value in ((0.5, exact.p50), (0.95, exact.p95), (0.99, exact.p99)):
        assert value in values
        assert sum(other <= value for other in values) >= share * len(values)
        assert sum(other < value for other in values) < share * len(values)


moments = st.floats(min_value=0, max_value=100, allow_subnormal=False)
requests = st.lists(
    st.tuples(moments, moments, moments, st.sampled_from(list(Operation)), st.sampled_from(["baseline", "burst"])),
    max_size=40,
)


@given(requests)
def test_operations_and_phases_add_up_to_the_summary(
    samples_of: SamplesOf, drawn: list[tuple[float, float, float, Operation, str]]
) -> None:
    samples = samples_of(
        tuple((*sorted(times), operation, 200, "t", phase, ErrorKind.NONE) for *times, operation, phase in drawn)
    )
    whole = figures.summary(samples)

    assert sum(part.requests for _, part in figures.operations(samples)) == whole.requests
    assert sum(part.requests for part in figures.phases(samples)) == whole.requests
    assert whole.peak_in_flight == max(
        (int(((samples.sent_s <= now) & (samples.done_s > now)).sum()) for now in samples.sent_s), default=0
    )
