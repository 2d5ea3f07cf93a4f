import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load.schedule import Action, Arrivals
from bench.load.shapes import Rate
from bench.load.workloads import WORKLOADS, with_options

COLUMNS = ("due_s", "phase", "action", "package", "client")


def same(one: Arrivals, other: Arrivals) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS)


@given(
    name=st.sampled_from(sorted(WORKLOADS)),
    seed=st.integers(0, 2**32),
    packages=st.integers(1, 500),
)
def test_every_schedule_is_ordered_in_range_and_decided_by_its_seed(name: str, seed: int, packages: int) -> None:
    workload = WORKLOADS[name]
    schedule = workload.arrivals(seed, packages)

    assert same(schedule, workload.arrivals(seed, packages))
    assert len({len(getattr(schedule, column)) for column in COLUMNS}) == 1
    assert np.all(np.diff(schedule.due_s) >= 0)
    assert schedule.due_s[0] >= 0
    assert schedule.due_s[-1] < (workload.shape.duration_s or np.nextafter(0, 1))
    assert set(schedule.phase.tolist()) <= set(range(len(workload.shape.phases)))

    uploads = schedule.action == Action.UPLOAD
    assert sorted(schedule.package[uploads].tolist()) == list(range(workload.shape.uploads))
    assert np.all(schedule.package[~uploads] < packages)
    assert np.all(schedule.package >= 0)


@pytest.mark.parametrize("name", ["burst", "production_incident", "medium", "incident_replay"])
def test_another_seed_gives_another_schedule(name: str) -> None:
    assert not same(WORKLOADS[name].arrivals(1, 100), WORKLOADS[name].arrivals(2, 100))


def test_a_burst_is_all_at_once_and_each_client_is_there_once() -> None:
    burst = with_options(WORKLOADS["burst"], clients=7).arrivals(1, 100)
    assert burst.due_s.tolist() == [0.0] * 7
    assert burst.client.tolist() == list(range(7))
    assert np.all(burst.action == Action.INSTALL)


def test_each_round_of_a_repeated_burst_chooses_packages_anew() -> None:
    workload = with_options(WORKLOADS["burst"], duration_s=10)
    first, second = workload.arrivals(1, 100, round_number=0), workload.arrivals(1, 100, round_number=1)
    assert np.array_equal(first.due_s, second.due_s)
    assert not np.array_equal(first.package, second.package)


def test_packages_of_a_burst_are_spread_over_all() -> None:
    burst = with_options(WORKLOADS["burst"], clients=5000).arrivals(1, 100)
    assert np.bincount(burst.package, minlength=100).min() > 20


def test_the_production_incident_makes_as_many_requests_as_the_published_one() -> None:
    workload = WORKLOADS["production_incident"]
    schedule = workload.arrivals(1, 100)
    burst = schedule.phase == workload.shape.phases.index("burst")

    assert len(schedule) * len(workload.install) == 6270, "6,273 were published"
    due_s, count = np.unique(schedule.due_s[burst], return_counts=True)
    assert dict(zip(due_s.tolist(), count.tolist(), strict=True)) == {60.0: 510, 120.0: 510, 180.0: 510, 240.0: 510}
    assert np.bincount(schedule.client[~burst]).tolist() == [5] * 10
    for client in range(10):
        visits_s = schedule.due_s[~burst & (schedule.client == client)]
        assert np.diff(visits_s) == pytest.approx([60.0] * 4)


@pytest.mark.parametrize("name", ["light", "medium", "heavy", "mixed"])
def test_rates_make_the_requests_that_they_promise(name: str) -> None:
    workload = WORKLOADS[name]
    load = workload.shape
    assert isinstance(load, Rate)
    schedule = workload.arrivals(1, 100)
    uploads = int(np.count_nonzero(schedule.action == Action.UPLOAD))
    requests = (len(schedule) - uploads) * 2 + uploads

    assert abs(requests - load.requests) <= 2
    assert uploads / requests == pytest.approx(load.upload_share, abs=0.005)


def test_uploads_and_addresses_are_spread_over_the_whole_time() -> None:
    mixed = WORKLOADS["mixed"].arrivals(1, 100)
    uploads_s = mixed.due_s[mixed.action == Action.UPLOAD]
    assert uploads_s.min() < 30
    assert uploads_s.max() > 270
    replay = WORKLOADS["incident_replay"].arrivals(1, 100)
    for address in range(5):
        due_s = replay.due_s[replay.client == address]
        assert due_s.min() < 2 * 60
        assert due_s.max() > 22 * 60


def test_bursts_are_as_dense_as_the_multiplier_says() -> None:
    workload = with_options(WORKLOADS["heavy"], duration_s=60 * 200, burst_multiplier=5)
    schedule = workload.arrivals(1, 100)
    in_burst = (schedule.due_s >= 60) & (schedule.due_s % 60 < 20)

    assert np.array_equal(in_burst, schedule.phase == workload.shape.phases.index("burst"))
    bursts_s = 199 * 20
    density = np.count_nonzero(in_burst) / bursts_s
    usual_density = np.count_nonzero(~in_burst) / (60 * 200 - bursts_s)
    assert density / usual_density == pytest.approx(5, rel=0.05)


def test_gaps_of_a_rate_are_those_of_independent_users() -> None:
    gaps_s = np.diff(with_options(WORKLOADS["light"], duration_s=3600 * 24).arrivals(1, 100).due_s)
    assert np.std(gaps_s) == pytest.approx(np.mean(gaps_s), rel=0.05), "an exponential distribution: deviation = mean"


def test_a_short_load_asks_for_something() -> None:
    assert len(with_options(WORKLOADS["light"], duration_s=1).arrivals(1, 1)) == 1


def test_the_replay_makes_exactly_the_recorded_requests_of_each_address() -> None:
    workload = WORKLOADS["incident_replay"]
    schedule = workload.arrivals(1, 100)
    requests = np.where(schedule.action == Action.INSTALL, 2, 1)
    assert np.bincount(schedule.client, weights=requests).tolist() == [434, 413, 337, 171, 139]

    per_min = np.histogram(schedule.due_s, bins=24, range=(0, 24 * 60), weights=requests)[0]
    assert per_min.max() == per_min[12], "the burst is in the middle"
    assert np.median(per_min) == pytest.approx(60, abs=8)
    burst_requests = requests[schedule.phase == workload.shape.phases.index("burst")].sum()
    assert burst_requests / (54 / (200 / 60 - 1)) * 60 == pytest.approx(200, rel=0.2)


def test_the_replay_at_speed_is_the_same_order_of_things() -> None:
    usual, fast = (with_options(WORKLOADS["incident_replay"], speed=speed).arrivals(1, 100) for speed in (1, 60))
    assert fast.due_s == pytest.approx(usual.due_s / 60)
    assert np.array_equal(fast.client, usual.client)
