"""The policies of a run: every action exists, none is forgotten, each is limited as far as IAM can, AWS takes them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bench.deployment.aws.policy.actions import ACTIONS_FILE, actions, actions_of_types
from bench.deployment.aws.policy.documents import MAX_CHARACTERS, policies, size
from bench.deployment.aws.policy.needs import NEEDS
from bench.deployment.aws.policy.statements import NAMES, PASSED_TO
from bench.deployment.local_cloud.computed import RESOURCES
from tests.aws_schemas.permissions import is_known, permissions
from tests.pypiserver_stack.support.evaluation import evaluated
from tests.pypiserver_stack.support.every_option import EVALUATIONS

STACKS = ("stress", "HTTPS and a zone", "CloudFront", "three zones without NAT", "watching", "names")
POLICIES_OF_A_ROLE = 10  # as many as AWS attaches without a request for more

WITHOUT_TAGS = {
    "cloudfront:DeleteCachePolicy",
    "cloudfront:DeleteOriginRequestPolicy",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteTags",
    "ecs:DeregisterTaskDefinition",
    "logs:DeleteQueryDefinition",
    "wafv2:DisassociateWebACL",
}
"""Destructive actions that IAM limits neither by a name nor by tags, or whose resources have none."""


def documents(name: str) -> dict[str, dict[str, Any]]:
    return policies(evaluated(*EVALUATIONS[name]).graph)


def granted(name: str) -> list[dict[str, Any]]:
    return [statement for document in documents(name).values() for statement in document["Statement"]]


def test_the_file_is_what_its_sources_say() -> None:
    assert json.loads(ACTIONS_FILE.read_text("utf-8")) == permissions()


def test_every_type_has_its_actions() -> None:
    assert actions_of_types().keys() == RESOURCES.keys()
    without = {type_ for type_, needed in actions_of_types().items() if not needed}
    assert without == {
        "aws:acm/certificateValidation:CertificateValidation",
        "random:index/randomPassword:RandomPassword",
    }


def test_every_action_exists() -> None:
    assert len(actions()) > 200
    everything = {*actions(), *(action for name in STACKS for one in granted(name) for action in one["Action"])}
    assert [action for action in sorted(everything) if not is_known(action)] == []
    assert not is_known("ecs:CreateServise")


@pytest.mark.parametrize("name", STACKS)
def test_aws_takes_the_documents(name: str) -> None:
    found = documents(name)
    assert len(found) <= POLICIES_OF_A_ROLE
    assert all(size(document) <= MAX_CHARACTERS for document in found.values())
    assert found == documents(name)
    assert all(re.fullmatch(r"[\w+=,.@-]{1,128}", title) for title in found)


@pytest.mark.parametrize("name", STACKS)
def test_every_action_of_every_resource_is_granted(name: str) -> None:
    allowed = {action for one in granted(name) for action in one["Action"]}
    for resource in evaluated(*EVALUATIONS[name]).graph:
        assert set(actions_of_types().get(resource.type, ())) <= allowed
    for needed in NEEDS.values():
        assert set(needed) - allowed <= {"route53:ChangeResourceRecordSets"}
    assert "*" not in "".join(allowed)


def test_what_a_stack_does_not_have_is_not_granted() -> None:
    allowed = {action for one in granted("stress") for action in one["Action"]}
    assert not {"wafv2:CreateWebACL", "route53:ChangeResourceRecordSets"} & allowed
    assert "cloudfront:CreateDistribution" not in allowed
    assert "wafv2:CreateWebACL" in {action for one in granted("CloudFront") for action in one["Action"]}


@pytest.mark.parametrize("name", STACKS)
def test_what_destroys_is_limited_by_name_or_by_tag(name: str) -> None:
    unlimited = {
        action
        for one in granted(name)
        for action in one["Action"]
        if one["Resource"] == ["*"] and "Condition" not in one
    }
    destructive = {one for one in unlimited if re.search(r":(Delete|Dereg|Detach|Disas|Release|Revoke|Stop|Term)", one)}
    assert destructive <= WITHOUT_TAGS


def test_roles_are_passed_to_the_services_of_a_deployment_alone() -> None:
    (passing,) = (one for one in granted("names") if "iam:PassRole" in one["Action"])
    assert passing["Resource"] == ["arn:aws:iam::*:role/wheels-*"]
    assert passing["Condition"] == {
        "StringEquals": {"iam:PassedToService": [f"{service}.amazonaws.com" for service in PASSED_TO]}
    }
    roles = (role for stack in STACKS for role in evaluated(*EVALUATIONS[stack]).graph.of_type("aws:iam/role:Role"))
    trusted = "".join(role.inputs["assumeRolePolicy"] for role in roles)
    assert set(re.findall(r'"([\w-]+)\.amazonaws\.com"', trusted)) == set(PASSED_TO)


@pytest.mark.parametrize("name", STACKS)
def test_the_names_of_the_resources_match(name: str) -> None:
    """A policy by name would be of no use if a resource were called otherwise."""
    graph = evaluated(*EVALUATIONS[name]).graph
    prefix = graph.one("aws:ecs/cluster:Cluster").name
    for resource in graph:
        called = resource.outputs.get("name") or resource.outputs.get("bucket")
        if resource.type.startswith("aws:") and called and not resource.type.startswith("aws:route53/"):
            assert str(called).startswith(f"{prefix}-"), resource.urn


def test_records_are_changed_in_the_zone_of_the_stack_alone() -> None:
    (changing,) = (one for one in granted("HTTPS and a zone") if "route53:ChangeResourceRecordSets" in one["Action"])
    assert changing["Resource"] == ["arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"]


def test_values_that_may_be_secret_are_read_by_name_alone() -> None:
    limits = {action: one["Resource"] for one in granted("stress") for action in one["Action"]}
    assert limits["secretsmanager:GetSecretValue"] == ["arn:aws:secretsmanager:*:*:secret:pypiserver-*"]
    assert limits["ssm:GetParameter"] == ["arn:aws:ssm:*::parameter/aws/service/*"]
    assert all("pypiserver-*" in resource for resource in limits["logs:GetLogEvents"])
    assert "s3:GetObject" not in limits


def test_every_name_in_an_arn_is_known() -> None:
    """Of the ARNs that a policy narrows by a name."""
    used = {part for action in actions().values() for arn in action.arns for part in re.findall(r"\$\{(\w+)\}", arn)}
    assert NAMES.keys() <= used | {"Name"}
