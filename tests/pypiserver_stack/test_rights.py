"""What roles may do: named actions that exist, on named resources; that actions exist is among cfn-lint's rules."""

from __future__ import annotations

import pytest

from tests.pypiserver_stack.support.evaluation import evaluated
from tests.pypiserver_stack.support.every_option import EVALUATIONS
from tests.pypiserver_stack.support.invariants import statements

_NO_RESOURCE = "AWS knows no resource of it."
ANY_RESOURCE = {
    "cloudwatch:PutMetricData": _NO_RESOURCE,
    "ec2:DescribeTags": _NO_RESOURCE,
    **dict.fromkeys(
        [
            f"ec2messages:{call}"
            for call in (
                "AcknowledgeMessage",
                "DeleteMessage",
                "FailMessage",
                "GetEndpoint",
                "GetMessages",
                "SendReply",
            )
        ],
        _NO_RESOURCE,
    ),
    "ecr:GetAuthorizationToken": _NO_RESOURCE,
    "ecs:DiscoverPollEndpoint": _NO_RESOURCE,
    "ssm:UpdateInstanceInformation": "Its resource is the instance, whose id nobody knows when its role is made.",
    **dict.fromkeys(
        [
            f"ssmmessages:{call}"
            for call in ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
        ],
        _NO_RESOURCE,
    ),
    "tag:GetResources": _NO_RESOURCE,
}
"""Actions that a role may do to every resource, and why."""

WILDCARDS = {
    ("aws:kms/key:Key", "kms:*"): "To the account itself: a key that nobody may manage is lost.",
    ("aws:kms/key:Key", "kms:GenerateDataKey*"): "CloudWatch's documentation asks for it, to publish to a topic.",
}
"""Actions with a wildcard, by the type whose policy has them, and why."""

ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"


def listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", EVALUATIONS)
def test_no_action_has_a_wildcard_and_no_resource_without_a_reason(name: str) -> None:
    for resource in evaluated(*EVALUATIONS[name]).graph:
        for statement in statements(resource):
            if statement["Effect"] == "Deny":
                continue
            actions = listed(statement["Action"])
            broad = {(resource.type, action) for action in actions if "*" in action}
            assert broad <= WILDCARDS.keys(), resource.urn
            if resource.type == ROLE_POLICY and "*" in listed(statement["Resource"]):
                assert set(actions) <= ANY_RESOURCE.keys(), resource.urn


def test_every_reason_is_needed() -> None:
    on_everything = {
        action
        for name in EVALUATIONS
        for policy in evaluated(*EVALUATIONS[name]).graph.of_type(ROLE_POLICY)
        for statement in statements(policy)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }
    assert on_everything == ANY_RESOURCE.keys()
