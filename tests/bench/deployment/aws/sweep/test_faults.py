"""A sweep under the errors of AWS: what passes is waited for, what does not is named, expired credentials end it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.refusals import CredentialsExpiredError
from bench.deployment.aws.sweep.removal import PATIENCE, PAUSE_S
from bench.deployment.aws.sweep.survey import survey
from bench.deployment.local_cloud import REGION
from tests.aws_stand_in.clients import client
from tests.bench.deployment.aws.sweep.small_account import make
from tests.bench.deployment.aws.sweep.support import EXPIRED, Fault, FaultySession, InstantClock, is_due, swept

PASSING = {
    "interfaces that stay for minutes": (Fault("ec2", "DeleteSubnet", "DependencyViolation", times=30), 30),
    "a certificate in use": (Fault("acm", "DeleteCertificate", "ResourceInUseException", times=4), 4),
    "throttling": (Fault("logs", "DeleteLogGroup", "ThrottlingException", times=7), 7),
    "a group that scales": (Fault("autoscaling", "DeleteAutoScalingGroup", "ScalingActivityInProgress", times=3), 3),
    "a cluster with instances": (
        Fault("ecs", "DeleteCluster", "ClusterContainsContainerInstancesException", times=5),
        5,
    ),
    "a provider in use": (Fault("ecs", "DeleteCapacityProvider", "ResourceInUseException", times=5), 5),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_waited_for(name: str) -> None:
    fault, times = PASSING[name]
    ours = make(EXPIRED)
    session, clock = FaultySession(REGION, faults=(fault,)), InstantClock()
    assert swept(session, clock) == ()
    assert session.refused == [fault.operation] * times
    assert clock.waited_s >= times * PAUSE_S
    assert ours.gone()


def test_what_does_not_pass_is_named_once_nothing_moves() -> None:
    make(EXPIRED)
    fault = Fault("ec2", "DeleteSubnet", "DependencyViolation", message="The subnet has dependencies")
    clock = InstantClock()
    remaining = swept(FaultySession(REGION, faults=(fault,)), clock)
    assert {one.resource.kind for one in remaining} == {"subnet", "VPC"}
    (subnet,) = (str(one) for one in remaining if one.resource.kind == "subnet")
    assert "DeleteSubnet answered DependencyViolation: The subnet has dependencies" in subnet
    assert "`aws ec2 delete-subnet --subnet-id subnet-" in subnet
    # It gives up by the clock, and not before.
    assert timedelta(seconds=clock.waited_s) >= PATIENCE
    assert client("efs").describe_file_systems()["FileSystems"] == []


def test_a_denied_removal_is_named_at_once_and_the_rest_is_removed() -> None:
    make(EXPIRED)
    clock = InstantClock()
    (remaining,) = swept(FaultySession(REGION, faults=(Fault("s3", "DeleteBucket", "AccessDenied"),)), clock)
    assert str(remaining).startswith("bucket ")
    assert "not allowed: DeleteBucket; remove it with `aws s3 rb --force s3://" in str(remaining)
    assert client("ec2").describe_vpcs(Filters=[{"Name": "tag-key", "Values": ["pypiserver-bench:run"]}])["Vpcs"] == []


def test_kinds_that_nobody_may_list_are_named() -> None:
    make(EXPIRED)
    session = FaultySession(REGION, faults=(Fault("iam", "ListRoles", "AccessDenied"),))
    found = survey(ServiceClients(session), is_due)
    assert found.unseen == {"IAM role": "not allowed: ListRoles"}
    (words,) = found.unseen_in_words
    assert words.startswith("IAM roles, if there are any: not allowed: ListRoles; ")
    assert "VPC" in {one.kind for one in found.resources}


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_expired_credentials_end_a_sweep_which_another_resumes(code: str) -> None:
    ours = make(EXPIRED)
    with pytest.raises(CredentialsExpiredError):
        swept(FaultySession(REGION, faults=(Fault("ec2", "DeleteVpc", code),)))
    assert not ours.gone()
    assert swept() == ()
    assert ours.gone()


def test_an_account_that_changes_while_it_is_searched_is_searched_again() -> None:
    ours = make(EXPIRED)
    session = FaultySession(REGION, faults=(Fault("iam", "GetRole", "NoSuchEntity", times=1),))
    assert swept(session) == ()
    assert session.refused == ["GetRole"]
    assert ours.gone()
