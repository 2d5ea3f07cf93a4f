"""What must be in the stack's own region is refused where it is in another, before any resource exists."""

from __future__ import annotations

import pytest

from bench.common.failures import UsageError
from bench.deployment.local_cloud import REGION
from pypiserver_stack.common.regions import ARNS
from tests.pypiserver_stack.support.evaluation import evaluated

KEY = "arn:aws:kms:{}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TOPIC = "arn:aws:sns:{}:123456789012:incidents"
ECR = "123456789012.dkr.ecr.{}.amazonaws.com/pypiserver:v2.4.2"
ELSEWHERE = "eu-west-1"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("certificate_arn", "arn:aws:acm:{}:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"),
        ("efs_kms_key_arn", KEY),
        ("root_volume_kms_key_arn", KEY),
        ("secret_kms_key_arn", KEY),
        ("log_kms_key_arn", KEY),
        ("alarm_topic_arns", TOPIC),
    ],
)
def test_an_arn_of_another_region_is_refused(key: str, value: str) -> None:
    evaluated("stress", (f"{key}={value.format(REGION)}",))
    with pytest.raises(UsageError, match=rf"{key} = .*{ELSEWHERE}.*: in {REGION}, as the stack is"):
        evaluated("stress", (f"{key}={value.format(ELSEWHERE)}",))


ROLE = "arn:{}:iam::123456789012:role/somebody"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("efs_kms_key_arn", f"arn:{{}}:kms:{REGION}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
        ("efs_maintenance_role_arn", ROLE),
        ("secret_readers", ROLE),
    ],
)
def test_an_arn_of_another_partition_is_refused(key: str, value: str) -> None:
    evaluated("stress", (f"{key}={value.format('aws')}",))
    with pytest.raises(UsageError, match=rf"{key} = .*aws-cn.*: of partition aws, as the stack in {REGION} is"):
        evaluated("stress", (f"{key}={value.format('aws-cn')}",))


def test_every_setting_that_takes_an_arn_is_held_against_the_stack() -> None:
    assert set(ARNS) == {
        "alarm_topic_arns",
        "certificate_arn",
        "dns_role_arn",
        "efs_kms_key_arn",
        "efs_maintenance_role_arn",
        "log_kms_key_arn",
        "root_volume_kms_key_arn",
        "secret_kms_key_arn",
        "read_secret_readers",
        "secret_readers",
        "upload_secret_readers",
    }


def test_all_are_told_at_once() -> None:
    with pytest.raises(UsageError, match=r"(?s)efs_kms_key_arn.*alarm_topic_arns"):
        evaluated("stress", tuple(f"{key}={of.format(ELSEWHERE)}" for key, of in ALL))


ALL = (("efs_kms_key_arn", KEY), ("alarm_topic_arns", f"{TOPIC.format(REGION)},{TOPIC}"))


def test_an_image_of_another_region_needs_a_way_out() -> None:
    image = f"image={ECR.format(ELSEWHERE)}"
    evaluated("stress", (image,))
    evaluated("stress", ("nat_gateways=none", f"image={ECR.format(REGION)}"))
    with pytest.raises(UsageError, match=rf"image = .*: in {REGION}"):
        evaluated("stress", ("nat_gateways=none", image))
