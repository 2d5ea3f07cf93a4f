"""What the deployment is called, and ARNs: what AWS refuses in a tag or knows as no partition is refused here."""

from __future__ import annotations

import json

import pytest

from pypiserver_stack.settings import SettingsError, allowed, read_settings
from pypiserver_stack.settings.types import PARTITIONS

PLAIN = {"allow_http": "true"}


def problems(**config: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as refused:
        read_settings({**PLAIN, **config})
    return {problem.key: problem.allowed for problem in refused.value.problems}


@pytest.mark.parametrize("value", ["aws:x", "AWS:x", "aWs:", " staging", "staging ", " ", "", "a\n", "a&b", "x" * 257])
def test_an_environment_that_is_refused_as_a_tag_is_refused(value: str) -> None:
    assert problems(environment=value) == {"environment": allowed("environment")}


@pytest.mark.parametrize("value", ["x", "aws", "my aws:x", "Team A / staging", "a.b:c/d=e+f-g@h_1", "x" * 256])
def test_an_environment_that_is_a_tag_is_taken(value: str) -> None:
    assert read_settings({**PLAIN, "environment": value}).environment == value


ARNS = {
    "efs_kms_key_arn": "arn:{}:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "alarm_topic_arns": "arn:{}:sns:us-west-2:123456789012:incidents",
    "certificate_arn": "arn:{}:acm:us-west-2:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab",
    "efs_maintenance_role_arn": "arn:{}:iam::123456789012:role/maintenance",
    "secret_readers": "arn:{}:iam::123456789012:role/ci",
}


@pytest.mark.parametrize("key", ARNS)
def test_an_arn_is_of_a_partition_that_there_is(key: str) -> None:
    for partition in PARTITIONS:
        read_settings({**PLAIN, key: ARNS[key].format(partition)})
    for partition in ("", "aws-", "awsx", "aws-mars", "aws-us", "aws-cn-x"):
        assert problems(**{key: ARNS[key].format(partition)}) == {key: allowed(key)}


@pytest.mark.parametrize("tags", ['{"cost-center": "42", "a": ""}', {"cost-center": "42", "a": ""}])
def test_further_tags(tags: object) -> None:
    assert read_settings({**PLAIN, "tags": tags}).tags == {"cost-center": "42", "a": ""}


@pytest.mark.parametrize(
    "tags",
    [
        *('{"name": "x"}', '{"Stack": "x"}', '{"SERVICE": "x"}', '{"AmazonECSManaged": ""}', '{"aws:x": "y"}'),
        *('{"": "x"}', '{"a&b": "x"}', '{"a": "b&c"}', '{"a": " b"}', '{"a": 1}', "a=b", "[]", "7"),
        *(json.dumps({"a" * 129: "x"}), json.dumps({"a": "x" * 257}), json.dumps({f"a{i}": "" for i in range(41)})),
    ],
)
def test_tags_that_aws_refuses_or_the_deployment_has(tags: str) -> None:
    assert problems(tags=tags) == {"tags": allowed("tags")}
