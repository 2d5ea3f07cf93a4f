"""Settings of scaling: schedules as AWS writes them, and what contradicts what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pypiserver_stack.settings import Settings, SettingsError, warning_sentences
from tests.pypiserver_stack.support.plain_settings import plain_settings

PEAK = {"name": "monday", "schedule": "cron(0 8 ? * MON *)", "timezone": "Europe/Berlin", "task_min_count": 4}


def scheduled(*actions: dict[str, Any]) -> Settings:
    return plain_settings({"scheduled_scaling": json.dumps(actions)})


def refusals(**config: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        plain_settings(config)
    return [str(problem) for problem in refused.value.problems]


def test_a_scheduled_action() -> None:
    (action,) = scheduled(PEAK).scheduled_scaling
    assert (action.name, action.schedule, action.timezone) == ("monday", "cron(0 8 ? * MON *)", "Europe/Berlin")
    assert (action.task_min_count, action.task_max_count) == (4, None)


@pytest.mark.parametrize(
    "schedule",
    [
        "cron(0 8 ? * MON-FRI *)",
        "cron(*/15 8,9 1 JAN ? 2030)",
        "cron(0 18 L * ? *)",
        "at(2030-01-31T08:00:00)",
        "rate(1 hour)",
        "rate(30 minutes)",
    ],
)
def test_schedules_that_aws_takes(schedule: str) -> None:
    (action,) = scheduled({**PEAK, "schedule": schedule}).scheduled_scaling
    assert action.schedule == schedule


@pytest.mark.parametrize(
    "change",
    [
        {"schedule": "0 8 * * MON"},
        {"schedule": "cron(0 8 ? * MON)"},
        {"schedule": "cron(0 8 * * MON *)"},
        {"schedule": "cron(0 8 ? * ? *)"},
        {"schedule": "cron(0 24 ? * MON *)"},
        {"schedule": "at(2030-01-31 08:00)"},
        {"schedule": "at(2030-02-30T08:00:00)"},
        {"schedule": "at(2030-01-31T24:00:01)"},
        {"schedule": "rate(1 hours)"},
        {"schedule": "rate(2 hour)"},
        {"schedule": "rate(0 hours)"},
        {"timezone": "Europe/Berln"},
        {"name": "Monday morning"},
        {"task_min_count": 0},
        {"task_min_count": None},
        {"task_min_count": 5, "task_max_count": 4},
        {"desired_count": 5},
    ],
)
def test_what_aws_would_refuse(change: dict[str, Any]) -> None:
    (refusal,) = refusals(scheduled_scaling=json.dumps([PEAK | change]))
    # The part that is wrong, or where it is two of them, the whole with what it takes.
    assert refusal.startswith((f"scheduled_scaling[0].{next(iter(change))} = ", "scheduled_scaling = "))


def test_names_are_unique() -> None:
    assert refusals(scheduled_scaling=json.dumps([PEAK, PEAK])) == [
        "scheduled_scaling = 'monday': a name of one action only"
    ]


def test_an_action_that_nothing_takes_back_is_cautioned_about() -> None:
    assert [warning for warning in warning_sentences(scheduled(PEAK)) if "monday" in warning]
    evening = {**PEAK, "name": "evening", "schedule": "cron(0 18 ? * MON *)", "task_min_count": 2}
    assert not [warning for warning in warning_sentences(scheduled(PEAK, evening)) if "monday" in warning]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scaling_cpu_percent", "9"),
        ("scaling_cpu_percent", "91"),
        ("scaling_memory_percent", "100"),
        ("scaling_requests_per_task_per_min", "0"),
        ("scale_in_cooldown_s", "-1"),
        ("deployment_minimum_healthy_percent", "101"),
        ("deployment_maximum_percent", "99"),
        ("health_check_grace_period_s", "3601"),
        ("wait_for_steady_state", "perhaps"),
    ],
)
def test_bounds(key: str, value: str) -> None:
    (refusal,) = refusals(**{key: value})
    assert refusal.startswith(f"{key} = {value!r}: ")


def test_a_schedule_that_aws_would_refuse_is_told_what_it_could_be() -> None:
    (refusal,) = refusals(scheduled_scaling=json.dumps([{**PEAK, "schedule": "8 o'clock"}]))
    assert "cron(0 8 ? * MON-FRI *)" in refusal
