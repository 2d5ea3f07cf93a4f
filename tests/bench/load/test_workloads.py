import pytest

from bench.common.failures import UsageError
from bench.load.samples import Operation
from bench.load.shapes import Rate, Recording
from bench.load.workloads import WORKLOADS, Workload, with_options


def rate_of(workload: Workload) -> Rate:
    assert isinstance(workload.shape, Rate)
    return workload.shape


def test_the_catalogue_is_the_one_that_is_documented() -> None:
    assert list(WORKLOADS) == [
        "burst",
        "production_incident",
        "mixed",
        "uploads",
        "light",
        "medium",
        "heavy",
        "incident_replay",
    ]
    assert all(WORKLOADS[name].name == name for name in WORKLOADS)


def test_burst_is_one_round_of_510_installs_by_name() -> None:
    burst = WORKLOADS["burst"]
    assert (burst.shape.clients, burst.shape.duration_s, burst.shape.phases) == (510, None, ("burst",))
    assert burst.install == (Operation.REDIRECT, Operation.LISTING, Operation.DOWNLOAD)
    assert not burst.shape.repeats
    assert with_options(burst, duration_s=5).shape.repeats


def test_production_incident_has_four_bursts_in_five_minutes() -> None:
    incident = WORKLOADS["production_incident"].shape
    assert incident.burst_starts_s == (60.0, 120.0, 180.0, 240.0)
    assert (incident.duration_s, incident.clients, incident.phases) == (300.0, 510, ("baseline", "burst"))
    assert not incident.repeats


@pytest.mark.parametrize(
    ("name", "usual_per_min", "burst_per_min"),
    [("light", 10, 10), ("medium", 50, 200), ("heavy", 100, 500), ("mixed", 100, 300), ("incident_replay", 60, 200)],
)
def test_rates_are_those_of_the_sizing_guide(name: str, usual_per_min: float, burst_per_min: float) -> None:
    load = rate_of(WORKLOADS[name])
    assert load.requests_per_min == usual_per_min
    assert load.requests_per_min * load.burst_multiplier == pytest.approx(burst_per_min)
    assert WORKLOADS[name].shape.clients is None


def test_the_requests_of_a_rate_count_its_bursts() -> None:
    medium = rate_of(WORKLOADS["medium"])
    assert medium.requests == pytest.approx((300 - 4 * 20) / 60 * 50 + 4 * 20 / 60 * 200)
    cut_short = rate_of(with_options(WORKLOADS["medium"], duration_s=70))
    assert cut_short.requests == pytest.approx(60 / 60 * 50 + 10 / 60 * 200), "the duration ends amid the burst"


def test_the_replayed_rate_makes_the_recorded_number_of_requests() -> None:
    load = WORKLOADS["incident_replay"].shape
    assert isinstance(load, Recording)
    assert sum(load.requests_by_client) == 1494
    assert load.requests == pytest.approx(1494)


def test_speed_compresses_the_recording_and_keeps_its_requests() -> None:
    load = with_options(WORKLOADS["incident_replay"], speed=7).shape
    recorded = WORKLOADS["incident_replay"].shape
    assert isinstance(load, Recording)
    assert isinstance(recorded, Recording)
    assert load.duration_s == pytest.approx(24 * 60 / 7)
    assert load.burst_starts_s == pytest.approx((12 * 60 / 7,))
    assert load.requests == pytest.approx(1494)
    assert load.requests_by_client == recorded.requests_by_client


def test_uploads_needed() -> None:
    assert WORKLOADS["burst"].shape.uploads == 0
    assert WORKLOADS["medium"].shape.uploads == 0
    assert WORKLOADS["uploads"].shape.uploads == 100
    assert with_options(WORKLOADS["uploads"], clients=7).shape.uploads == 7
    assert WORKLOADS["mixed"].shape.uploads == round(0.2 * rate_of(WORKLOADS["mixed"]).requests)


def test_options_change_what_they_name_and_nothing_else() -> None:
    changed = with_options(WORKLOADS["heavy"], duration_s=120, burst_interval_s=30, burst_multiplier=2)
    load = rate_of(changed)
    assert (load.duration_s, load.burst_interval_s, load.burst_multiplier) == (120, 30, 2)
    assert load.requests_per_min == 100
    assert with_options(WORKLOADS["heavy"]) == WORKLOADS["heavy"]
    assert with_options(WORKLOADS["production_incident"], clients=3).shape.clients == 3


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("medium", {"clients": 10}, "--clients does not apply to the workload medium"),
        ("uploads", {"duration_s": 10}, "--duration does not apply to the workload uploads"),
        ("incident_replay", {"duration_s": 10}, "--duration does not apply to the workload incident_replay"),
        ("production_incident", {"duration_s": 60}, "--duration 60 ends before the first burst"),
        ("burst", {"burst_interval_s": 10}, "--burst-interval does not apply to the workload burst"),
        ("light", {"burst_interval_s": 10}, "--burst-interval does not apply to the workload light"),
        ("incident_replay", {"burst_interval_s": 10}, "--burst-interval does not apply"),
        ("medium", {"burst_interval_s": 20}, "--burst-interval 20.*last 20 s"),
        ("medium", {"burst_interval_s": 300}, "--duration 300 ends before"),
        ("burst", {"burst_multiplier": 2}, "--burst-multiplier does not apply to the workload burst"),
        ("light", {"burst_multiplier": 2}, "--burst-multiplier does not apply to the workload light"),
        ("incident_replay", {"burst_multiplier": 2}, "--burst-multiplier does not apply"),
        ("burst", {"speed": 2}, "--speed does not apply to the workload burst"),
        ("medium", {"speed": 2}, "--speed does not apply to the workload medium"),
    ],
)
def test_nonsense_is_refused_and_the_option_named(name: str, options: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        with_options(WORKLOADS[name], **options)
