"""The balancer's settings: what AWS refuses is refused here."""

from __future__ import annotations

from typing import get_args

import pytest

from bench.load.workloads import WORKLOADS
from pypiserver_stack.settings import Settings, SettingsError, allowed, read_settings, warning_sentences

PLAIN = {"allow_http": "true"}


def problems(**config: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as refused:
        read_settings({**PLAIN, **config})
    return {problem.key: problem.allowed for problem in refused.value.problems}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("idle_timeout_s", "0"),
        ("idle_timeout_s", "4001"),
        ("deregistration_delay_s", "3601"),
        ("slow_start_s", "1"),
        ("slow_start_s", "29"),
        ("slow_start_s", "901"),
        ("desync_mitigation_mode", "monitor"),
        ("access_log_retention_days", "0"),
        ("waf_rate_limit_per_5_min", "9"),
    ],
)
def test_a_value_out_of_bounds_is_refused(key: str, value: str) -> None:
    assert problems(**{key: value}) == {key: allowed(key)}


ALGORITHMS = get_args(Settings.model_fields["load_balancing_algorithm"].annotation)


@pytest.mark.parametrize(
    ("key", "value", "off", "refused"),
    [
        ("slow_start_s", "30", "0", {"least_outstanding_requests", "weighted_random"}),
        ("stickiness_enabled", "true", "false", {"weighted_random"}),
    ],
)
def test_what_goes_with_some_algorithms_alone_is_refused_with_the_others(
    key: str, value: str, off: str, refused: set[str]
) -> None:
    for algorithm in ALGORITHMS:
        chosen = {"load_balancing_algorithm": algorithm}
        if algorithm in refused:
            assert f"does not go with load_balancing_algorithm {algorithm}" in problems(**chosen, **{key: value})[key]
        else:
            read_settings({**PLAIN, **chosen, key: value})
        read_settings({**PLAIN, **chosen, key: off})


@pytest.mark.parametrize(("keepalive_s", "idle_timeout_s", "warned"), [(75, 60, False), (60, 60, True), (75, 90, True)])
def test_a_server_that_hangs_up_before_the_balancer_is_warned_of(
    keepalive_s: int, idle_timeout_s: int, warned: bool
) -> None:
    config = {"gunicorn_keepalive_s": str(keepalive_s), "idle_timeout_s": str(idle_timeout_s)}
    warnings = warning_sentences(read_settings({**PLAIN, **config}))
    assert any("502" in warning for warning in warnings) == warned


def test_the_limit_for_an_address_is_above_twice_the_burst() -> None:
    clients = WORKLOADS["burst"].shape.clients
    assert clients is not None
    burst = clients * 3 * 5
    assert burst == 7650
    assert read_settings(PLAIN).waf_rate_limit_per_5_min >= 2 * burst
