"""Who calls AWS, and where."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest

from bench.common.failures import UnavailableError
from bench.deployment.aws.run_tags import EXPIRES, OWNER, RUN, RunTags
from bench.deployment.aws.session import AwsSession
from bench.deployment.local_cloud import ACCOUNT_ID, REGION
from tests.aws_stand_in.endpoint import aws_endpoint

ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/ci"


@pytest.fixture
def endpoint() -> Iterator[str]:
    with aws_endpoint() as url:
        yield url


def test_the_region_of_the_environment_and_one_that_is_named(endpoint: str) -> None:
    assert AwsSession.open(None).region == REGION
    session = AwsSession.open("eu-central-1")
    assert session.client("ec2").meta.region_name == "eu-central-1"
    assert session.client("ec2", "us-east-1").meta.region_name == "us-east-1"
    assert session.client("ec2") is session.client("ec2", "eu-central-1")
    assert session.account_id == ACCOUNT_ID


def test_an_assumed_role_is_who_calls(endpoint: str) -> None:
    boto3.client("iam").create_role(RoleName="ci", AssumeRolePolicyDocument="{}")
    session = AwsSession.open(REGION, ROLE)
    assert session.caller_arn == f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/ci/pypiserver-bench"
    assert AwsSession.open(REGION).caller_arn != session.caller_arn


def test_a_role_without_credentials_to_assume_it(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(UnavailableError, match="there are no AWS credentials: set AWS_PROFILE"):
        AwsSession.open(REGION, ROLE)


def test_the_tags_of_a_run_are_found_again() -> None:
    tags = RunTags("stress-4f2a91", ROLE, datetime(2026, 11, 30, 12, 0, tzinfo=UTC))
    assert RunTags.of(tags.as_tags()) == tags
    assert RunTags.of({"Name": "x"}) is None
    assert RunTags.of({**tags.as_tags(), EXPIRES: "soon"}) is None
    assert tags.as_tags().keys() == {RUN, OWNER, EXPIRES}
