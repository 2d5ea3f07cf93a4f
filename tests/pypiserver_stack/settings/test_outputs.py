"""Settings from another program: which may be Outputs, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from pypiserver_stack.settings import Settings
from pypiserver_stack.settings.problems import SettingsError
from tests.pypiserver_stack.support.plain_settings import plain_settings

TOO_LATE = "takes no output: what is made depends on it, so it has to be known before"


def given(**config: Any) -> Settings:
    """With an Output for each None."""
    return plain_settings(_filled(config))


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    return pulumi.Output.from_input("not known yet") if value is None else value


def test_what_exists_already_may_be_an_output() -> None:
    settings = given(
        zone_id=None,
        ami_id=None,
        efs_kms_key_arn=None,
        instance_subnet_ids=[None, None],
        balancer_subnet_ids=[None, "subnet-0123456789abcdef0"],
        host_extra_files=[{"path": "/etc/motd", "content": None}],
        instance_extra_policy=None,
    )
    assert isinstance(settings.zone_id, pulumi.Output)
    assert len(settings.instance_subnet_ids) == 2
    assert isinstance(settings.host_extra_files[0].content, pulumi.Output)


def test_what_decides_what_is_made_may_not() -> None:
    with pytest.raises(SettingsError) as refused:
        given(
            profile=None,
            instance_min_count=None,
            efs_throughput_mode=None,
            dns_names=["index", None],
            host_users=[{"name": None}],
            instance_subnet_ids=None,
        )
    found = {problem.key: (problem.value, problem.allowed) for problem in refused.value.problems}
    assert found == {
        **dict.fromkeys(
            ["profile", "instance_min_count", "efs_throughput_mode", "dns_names[1]", "host_users[0].name"],
            ("(an output)", TOO_LATE),
        ),
        "instance_subnet_ids": ("(an output)", f"{TOO_LATE}; a list of outputs will do"),
    }


@pytest.mark.parametrize("profile", [3, ["light"], {"light": True}])
def test_a_profile_that_is_no_text_is_refused_once(profile: object) -> None:
    with pytest.raises(SettingsError) as refused:
        plain_settings({"profile": profile})
    (problem,) = refused.value.problems
    assert str(problem) == f"profile = {profile!r}: one of light, medium, heavy, tested, incident"


@pytest.mark.parametrize("name", ["internal", "internal-index", "sg-index", "xn--index", "sthree-index", "aws-index"])
def test_names_that_aws_keeps_for_itself_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="service_name"):
        plain_settings({"service_name": name})


@pytest.mark.parametrize("name", ["internals", "sgx", "an-aws-index"])
def test_names_that_only_look_like_them_are_not(name: str) -> None:
    assert plain_settings({"service_name": name}).service_name == name
