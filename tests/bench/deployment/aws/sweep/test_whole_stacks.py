"""Everything that the program makes is swept away without its state, and nothing else is."""

from __future__ import annotations

import pytest

from bench.deployment.aws.policy.needs import SWEEP
from bench.deployment.aws.sweep.kinds.identity import TRUSTED
from bench.deployment.aws.sweep.run import remove_run
from bench.deployment.local_cloud import REGION
from tests.aws_stand_in.clients import client
from tests.aws_stand_in.inventory import inventory
from tests.aws_stand_in.mirrored_cloud import MirroredCloud
from tests.bench.deployment.aws.sweep.support import (
    CURRENT,
    EXPIRED,
    InstantClock,
    RecordingSession,
    stand_up,
    swept,
    usual_session,
)
from tests.pypiserver_stack.support.evaluation import evaluated
from tests.pypiserver_stack.support.every_option import EVALUATIONS

ALARMS = EVALUATIONS["watching"][1]
SCALING = EVALUATIONS["scaling"][1]

STACKS = {
    "stress": ("stress", ()),
    "HTTPS, a zone, NAT, backup, alarms and scaling": (
        "HTTPS and a zone",
        ("nat_gateways=one_per_zone", "flow_logs_enabled=true", *ALARMS, *SCALING),
    ),
    "CloudFront": ("CloudFront", ()),
    "three zones without NAT, protected": (
        "three zones without NAT",
        ("deletion_protection=true", "secret_recovery_window_days=30"),
    ),
}


def foreign() -> None:
    """What others have in the account: some of it with tags, none of it with those of a run."""
    MirroredCloud().invoke("aws:route53/getZone:getZone", {"zoneId": "Z0123456789ABCDEFGHIJ"})
    client("s3").create_bucket(Bucket="theirs", CreateBucketConfiguration={"LocationConstraint": REGION})
    client("logs").create_log_group(logGroupName="/aws/ecs/containerinsights/theirs/performance")
    client("iam").create_role(
        RoleName="pypiserver-theirs",
        AssumeRolePolicyDocument='{"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}}',
        Tags=[{"Key": "pypiserver-bench:run", "Value": "without an expiry"}],
    )
    client("sns").create_topic(Name="pypiserver-theirs", Tags=[{"Key": "service", "Value": "pypiserver"}])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.thorough] if name != "stress" else []) for name in STACKS]
)
def test_nothing_of_an_expired_run_remains_and_all_else_does(name: str) -> None:
    foreign()
    stack, overrides = STACKS[name]
    others = inventory()
    cloud = stand_up(stack, EXPIRED, *overrides)
    assert len(inventory() - others) > 50
    session = RecordingSession(REGION)
    assert swept(session) == ()
    assert cloud.leftovers == ()
    assert inventory() == others
    assert session.called <= set(SWEEP)


def test_a_run_is_removed_before_its_expiry_where_it_is_named() -> None:
    expired, current = stand_up("stress", EXPIRED), stand_up("names", CURRENT)
    before = expired.leftovers
    removed = list[str]()
    assert remove_run(usual_session(), CURRENT.run, clock=InstantClock(), note=removed.append) == ()
    assert current.leftovers == ()
    assert expired.leftovers == before
    assert "removed VPC" in " ".join(removed)


def test_a_sweep_of_nothing_removes_nothing() -> None:
    cloud = stand_up("stress", CURRENT)
    before = cloud.leftovers
    assert swept() == ()
    assert remove_run(usual_session(), "no-such-run", clock=InstantClock()) == ()
    assert cloud.leftovers == before


def test_the_roles_of_a_deployment_trust_the_services_that_are_looked_for() -> None:
    roles = [role for name in EVALUATIONS for role in evaluated(*EVALUATIONS[name]).graph.of_type("aws:iam/role:Role")]
    assert roles
    for role in roles:
        assert any(f'"{service}.amazonaws.com"' in role.inputs["assumeRolePolicy"] for service in TRUSTED), role.name
