"""Looks at an account before a stack is made in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.ec2.models import EC2Backend

from bench.commands.cost.bill import evaluated
from bench.deployment.aws.preflight import Preflight, look_before
from bench.deployment.aws.session import AwsSession
from bench.deployment.local_cloud import REGION
from bench.deployment.stack_config import load_stack
from tests.aws_stand_in import account
from tests.aws_stand_in.endpoint import aws_endpoint
from tests.evaluation_cache import ROOT


@pytest.fixture
def session() -> Iterator[AwsSession]:
    with aws_endpoint():
        account.make_account()
        yield AwsSession.open(REGION)


def looked(session: AwsSession, *overrides: str) -> Preflight:
    return look_before(session, evaluated(load_stack(ROOT, "stress", overrides)[0]))


def test_nothing_is_in_the_way(session: AwsSession) -> None:
    assert looked(session) == Preflight((), ())


def test_everything_that_is_in_the_way_is_said_at_once(session: AwsSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """16 vCPUs at most, one address and one VPC are what the stack takes; an account begins with its default VPC."""
    monkeypatch.setattr(account, "QUOTAS", {"L-1216C47A": 15.0, "L-0263D0A3": 0.0})
    ec2 = boto3.client("ec2")
    while len(ec2.describe_vpcs()["Vpcs"]) < 5:
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
    iam = boto3.client("iam")
    iam.delete_role(RoleName="AWSServiceRoleForECS")
    problems = looked(session).problems
    assert [problem.split(":")[0] for problem in problems] == [
        "the stack takes up to 16 vCPUs of on-demand instances, of which the account has 15 and 0 in use in us-west-2",
        "the stack takes up to 1 elastic IP addresses, of which the account has 0 and 0 in use in us-west-2",
        "the stack takes up to 1 VPCs, of which the account has 5 and 5 in use in us-west-2",
        "the account has no service-linked role for ecs.amazonaws.com yet, and the first stack would fail for want of "
        "it",
    ]


def test_running_instances_count(session: AwsSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "QUOTAS", {"L-1216C47A": 16.0, "L-0263D0A3": 5.0})
    assert looked(session).problems == ()
    boto3.client("ec2").run_instances(ImageId="ami-12345678", InstanceType="c5.large", MinCount=1, MaxCount=1)
    (problem,) = looked(session).problems
    assert "up to 16 vCPUs of on-demand instances, of which the account has 16 and 1 in use" in problem


def test_a_type_that_the_zones_do_not_offer(session: AwsSession, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = EC2Backend.describe_instance_type_offerings

    def in_one_zone(*arguments: Any, **named: Any) -> list[Any]:
        return [offering for offering in offered(*arguments, **named) if offering["Location"] != "us-west-2b"]

    monkeypatch.setattr(EC2Backend, "describe_instance_type_offerings", in_one_zone)
    (problem,) = looked(session).problems
    assert problem.startswith(
        "c6a.xlarge is not offered in us-west-2b, where the stack would have instances, but in us-west-2a, us-west-2c"
    )


def test_what_may_not_be_looked_at_is_said_and_stops_nothing(
    session: AwsSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: AwsSession, service: str, region: str | None = None) -> Any:
        client = boto3.client(service)
        if service == "service-quotas":
            client.meta.events.register("before-call.*.*", _deny)
        return client

    monkeypatch.setattr(AwsSession, "client", refused)
    found = looked(session)
    assert found.problems == ()
    assert [sentence.split(":")[0] for sentence in found.unknown] == [
        "Quota of vCPUs",
        "Quota of elastic IP addresses",
        "Quota of VPCs",
    ]
    assert all("AccessDeniedException: not allowed" in sentence for sentence in found.unknown)


def _deny(model: Any, **_: Any) -> None:
    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not allowed"}}, model.name)
