"""What the settings of monitoring take and refuse."""

from __future__ import annotations

import pytest

from pypiserver_stack.settings import SettingsError, warning_sentences
from pypiserver_stack.settings.groups.monitoring import ALARM_NAMES
from tests.pypiserver_stack.support.plain_settings import plain_settings

TOPICS = [f"arn:aws:sns:us-west-2:123456789012:notified-{i}" for i in range(6)]
NOBODY = "alarms notify nobody: set alarm_emails or alarm_topic_arns"


def refusals(**config: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as refused:
        plain_settings(config)
    return {problem.key: problem.allowed for problem in refused.value.problems}


def test_the_defaults_are_those_of_the_plan() -> None:
    settings = plain_settings()
    assert (settings.alarm_response_time_p95_s, settings.alarm_memory_percent, settings.alarm_cpu_percent) == (
        2,
        80,
        70,
    )
    assert (settings.alarm_efs_io_limit_percent, settings.alarm_efs_burst_credit_bytes) == (80, 1e12)
    assert (settings.log_retention_days, settings.dashboard_enabled) == (365, True)
    assert settings.efs_throughput_mode == "elastic"


def test_values_as_pulumi_passes_them() -> None:
    settings = plain_settings(
        {
            "alarm_emails": "ops@wheels.example, night.shift+pypi@wheels.example",
            "alarm_topic_arns": f'["{TOPICS[0]}"]',
            "alarms_off": "host_swap",
            "alarm_efs_burst_credit_bytes": "5e11",
            "log_retention_days": "3653",
        }
    )
    assert settings.alarm_emails == ("ops@wheels.example", "night.shift+pypi@wheels.example")
    assert settings.alarm_topic_arns == (TOPICS[0],)
    assert settings.alarms_off == ("host_swap",)
    assert (settings.alarm_efs_burst_credit_bytes, settings.log_retention_days) == (5e11, 3653)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("alarm_emails", "ops", "a list, each an e-mail address"),
        ("alarm_emails", "ops@wheels", "a list, each an e-mail address"),
        ("alarm_topic_arns", TOPICS[0] + ".fifo", "a list, each ARN of a standard SNS topic"),
        ("alarm_topic_arns", "arn:aws:sqs:us-west-2:123456789012:q", "a list, each ARN of a standard SNS topic"),
        ("alarms_off", "swap", "a list, each one of " + ", ".join(ALARM_NAMES)),
        ("alarm_runbook_url", "docs/operations.md", "a URL without a fragment"),
        ("alarm_runbook_url", "https://wheels.example/operations#top", "a URL without a fragment"),
        ("alarm_memory_percent", "101", "a number from 1 to 100"),
        ("alarm_target_5xx_count", "0", "a whole number from 1 to 1000000"),
        ("alarm_certificate_days", "0", "a whole number from 1 to 365"),
        ("container_insights", "on", "one of enhanced, enabled, disabled"),
        ("log_kms_key_arn", "alias/logs", "the ARN of a KMS key (not of an alias) in the stack's region"),
    ],
)
def test_what_aws_would_not_take_is_refused(key: str, value: str, allowed: str) -> None:
    assert refusals(**{key: value}) == {key: allowed}


@pytest.mark.parametrize("days", ["0", "2", "366", "3654"])
def test_cloudwatch_keeps_logs_for_certain_numbers_of_days_only(days: str) -> None:
    assert refusals(log_retention_days=days)["log_retention_days"].startswith("one of 1, 3, 5, 7, 14, 30, 60, 90, ")


def test_an_alarm_takes_five_actions() -> None:
    assert len(plain_settings({"alarm_topic_arns": ",".join(TOPICS[:5])}).alarm_topic_arns) == 5
    assert refusals(alarm_topic_arns=",".join(TOPICS)) == {
        "alarm_topic_arns": "at most 5: an alarm of CloudWatch takes 5 actions"
    }
    assert refusals(alarm_topic_arns=",".join(TOPICS[:5]), alarm_emails="ops@wheels.example") == {
        "alarm_topic_arns": "at most 4 beside alarm_emails: an alarm of CloudWatch takes 5 actions"
    }


def test_nobody_is_told_twice() -> None:
    assert refusals(alarm_emails="a@wheels.example,b@wheels.example,a@wheels.example") == {
        "alarm_emails": "each once; a@wheels.example is there twice"
    }
    assert refusals(alarm_topic_arns=f"{TOPICS[0]},{TOPICS[0]}") == {
        "alarm_topic_arns": f"each once; {TOPICS[0]} is there twice"
    }


@pytest.mark.parametrize(
    ("config", "cautioned"),
    [
        ({}, True),
        ({"alarm_emails": "ops@wheels.example"}, False),
        ({"alarm_topic_arns": TOPICS[0]}, False),
        ({"alarms_off": ",".join(ALARM_NAMES)}, False),
        ({"alarms_off": ",".join(ALARM_NAMES[1:])}, True),
    ],
)
def test_alarms_that_nobody_hears_are_warned_of(config: dict[str, str], cautioned: bool) -> None:
    assert (NOBODY in warning_sentences(plain_settings(config))) is cautioned
