"""Settings of the file system: what EFS takes, and what it takes together."""

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
    assert settings.deletion_protection is True
    assert (settings.efs_throughput_mode, settings.efs_provisioned_throughput_mibps) == ("elastic", None)
    assert (settings.efs_infrequent_access_after_days, settings.access_point_path) == (30, "/packages")
    assert (settings.efs_kms_key_arn, settings.efs_maintenance_role_arn) == (None, None)


@pytest.mark.parametrize("days", [1, 7, 14, 30, 60, 90, 180, 270, 365])
def test_days_until_infrequent_access_are_numbers_whether_text_or_not(days: int) -> None:
    for value in (days, str(days)):
        assert plain_settings({"efs_infrequent_access_after_days": value}).efs_infrequent_access_after_days == days


def test_infrequent_access_can_be_left_out() -> None:
    assert plain_settings({"efs_infrequent_access_after_days": "never"}).efs_infrequent_access_after_days == "never"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deletion_protection", "perhaps"),
        ("efs_throughput_mode", "fast"),
        ("efs_infrequent_access_after_days", "0"),
        ("efs_infrequent_access_after_days", "15"),
        ("efs_infrequent_access_after_days", "-1"),
        ("efs_infrequent_access_after_days", "²"),
        ("efs_infrequent_access_after_days", "none"),
        ("efs_kms_key_arn", "alias/packages"),
        ("efs_kms_key_arn", "arn:aws:kms:us-west-2:123456789012:alias/packages"),
        ("efs_maintenance_role_arn", "arn:aws:iam::123456789012:user/somebody"),
        ("access_point_path", "packages"),
        ("access_point_path", "/packages/"),
        ("access_point_path", "//packages"),
        ("access_point_path", "/a/b/c/d/e"),
        ("access_point_path", "/.packages"),
        ("access_point_path", "/a b"),
        ("access_point_path", "/a\n"),
        ("access_point_path", "/" + "a" * 100),
        ("access_point_path", ""),
    ],
)
def test_what_efs_does_not_take_is_refused(key: str, value: str) -> None:
    assert problems(**{key: value}) == {key: allowed(key)}


@pytest.mark.parametrize("path", ["/", "/packages", "/a/b/c/d", "/with.dots-and_more", "/" + "a" * 99])
def test_paths_that_efs_takes(path: str) -> None:
    assert plain_settings({"access_point_path": path}).access_point_path == path


@pytest.mark.parametrize("figure", ["0.5", "0", "3415", "much"])
def test_provisioned_throughput_is_within_what_efs_provisions(figure: str) -> None:
    found = problems(efs_throughput_mode="provisioned", efs_provisioned_throughput_mibps=figure)
    assert found == {"efs_provisioned_throughput_mibps": "a number from 1 to 3414"}


def test_provisioned_throughput_and_its_figure_come_together() -> None:
    assert problems(efs_throughput_mode="provisioned") == {
        "efs_throughput_mode": "needs efs_provisioned_throughput_mibps"
    }
    assert problems(efs_provisioned_throughput_mibps="64") == {
        "efs_provisioned_throughput_mibps": "only with efs_throughput_mode provisioned, which is elastic"
    }
    settings = plain_settings({"efs_throughput_mode": "provisioned", "efs_provisioned_throughput_mibps": "64"})
    assert settings.efs_provisioned_throughput_mibps == 64
