"""Settings of backups, and the cron expressions that AWS takes."""

from __future__ import annotations

import pytest

from pypiserver_stack.settings import SettingsError, allowed
from tests.pypiserver_stack.support.plain_settings import plain_settings


def problems(**config: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as refused:
        plain_settings(config)
    return {problem.key: problem.allowed for problem in refused.value.problems}


def test_the_defaults() -> None:
    settings = plain_settings()
    assert (settings.backup_enabled, settings.backup_retention_days, settings.backup_force_destroy) == (True, 7, False)
    assert settings.backup_schedule == "cron(0 2 * * ? *)"


@pytest.mark.parametrize(
    "schedule",
    [
        "cron(15 * ? * * *)",
        "cron(0 12 * * ? *)",
        "cron(00 02 * * ? *)",
        "cron(59 23 31 12 ? 2199)",
        "cron(0 0/8 * * ? *)",
        "cron(0 */6 * * ? *)",
        "cron(0 2,14 * * ? *)",
        "cron(0 2 ? * MON-FRI *)",
        "cron(0 2 ? * mon,THU *)",
        "cron(0 2 ? * 1 2026-2030)",
        "cron(0 2 ? JAN-MAR 6L *)",
        "cron(0 2 ? * L *)",
        "cron(0 2 ? * TUE#2 *)",
        "cron(0 2 L * ? *)",
        "cron(0 2 LW * ? *)",
        "cron(0 2 3W 1/3 ? *)",
    ],
)
def test_schedules_that_aws_takes(schedule: str) -> None:
    assert plain_settings({"backup_schedule": schedule}).backup_schedule == schedule


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "0 2 * * ? *",
        "rate(1 day)",
        "cron(0 2 * * *)",  # as crontab has it
        "cron(0 2 * * * *)",
        "cron(0 2 ? * ? *)",
        "cron(? 2 * * ? *)",
        "cron(0 2 * ? ? *)",
        "cron(60 2 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 2 0 * ? *)",
        "cron(0 2 32 * ? *)",
        "cron(0 2 * 13 ? *)",
        "cron(0 2 * JANUARY ? *)",
        "cron(0 2 ? * 0 *)",
        "cron(0 2 ? * 8 *)",
        "cron(0 2 ? * MON#6 *)",
        "cron(0 2 ? * JAN *)",
        "cron(0 2 40W * ? *)",
        "cron(0 2 * * ? 1969)",
        "cron(0 L * * ? *)",
        "cron(0 2/ * * ? *)",
        "cron(0 2/0 * * ? *)",
        "cron(0 2- * * ? *)",
        "cron(0 2,,3 * * ? *)",
        "cron(0 *-3 * * ? *)",
        "cron(0  2 * * ? *)",
        "cron(0 ² * * ? *)",
        "cron(0 2 * * ? *) ",
    ],
)
def test_schedules_that_aws_refuses(schedule: str) -> None:
    assert problems(backup_schedule=schedule) == {"backup_schedule": allowed("backup_schedule")}


@pytest.mark.parametrize("minutes", ["*", "0,30", "0/15", "0-5"])
def test_backups_start_once_an_hour_at_most(minutes: str) -> None:
    (sentence,) = problems(backup_schedule=f"cron({minutes} 2 * * ? *)").values()
    assert sentence.startswith(f"its minutes are {minutes}, and a backup can start once an hour at most")


@pytest.mark.parametrize("days", ["0", "36501", "1.5", "forever"])
def test_retention_out_of_bounds_is_refused(days: str) -> None:
    assert problems(backup_retention_days=days) == {"backup_retention_days": "a whole number from 1 to 36500"}
