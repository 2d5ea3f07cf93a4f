"""What every resource is given is what AWS takes, as far as CloudFormation's schemas and cfn-lint's rules know it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from bench.deployment.graph import Resource
from bench.deployment.local_cloud import REGION
from bench.deployment.local_cloud.computed import RESOURCES
from pypiserver_stack.settings import Settings
from tests.aws_schemas.linted import Finding, findings
from tests.aws_schemas.table import MAPPED, NOT_IN_CLOUDFORMATION
from tests.pypiserver_stack.support.evaluation import evaluated
from tests.pypiserver_stack.support.every_option import EVALUATIONS, OPTIONS

FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
GROUP = "aws:lb/targetGroup:TargetGroup"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
TASK = "aws:ecs/taskDefinition:TaskDefinition"


def test_every_setting_is_among_the_options() -> None:
    named = {override.partition("=")[0] for overrides in OPTIONS.values() for override in overrides}
    assert named | {"profile"} == set(Settings.model_fields)


def test_every_type_is_in_a_table() -> None:
    assert not MAPPED.keys() & NOT_IN_CLOUDFORMATION.keys()
    used = {resource.type for name in EVALUATIONS for resource in evaluated(*EVALUATIONS[name]).graph if resource.id}
    assert used | set(RESOURCES) <= MAPPED.keys() | NOT_IN_CLOUDFORMATION.keys()


def test_every_resource_is_what_aws_takes() -> None:
    known = set[str]()
    found = {name: findings(evaluated(*EVALUATIONS[name]).graph, known) for name in EVALUATIONS}
    assert len(known) > 200
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("type_", MAPPED)
def test_nothing_is_left_out_that_cloudformation_has(type_: str) -> None:
    mapped = MAPPED[type_]
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, mapped.type).schema
    # What is read only cannot be given.
    known = {f"/properties/{name}" for name in schema["properties"]} - {*schema.get("readOnlyProperties", ())}
    omitted = {f"/properties/{name[0].upper()}{name[1:]}" for name in mapped.omitted}
    assert mapped.below or not omitted & known


def one(type_: str) -> Resource:
    return evaluated().graph.of_type(type_)[0]


def given(type_: str, **inputs: Any) -> Resource:
    """A resource with other inputs; None takes one away."""
    resource = one(type_)
    together = {key: value for key, value in {**resource.inputs, **inputs}.items() if value is not None}
    return replace(resource, inputs=together)


def policy(action: str) -> Resource:
    statement = {"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::example"}
    return given("aws:iam/rolePolicy:RolePolicy", policy=json.dumps({"Version": "2012-10-17", "Statement": statement}))


def container(**parts: Any) -> Resource:
    (only,) = json.loads(one(TASK).inputs["containerDefinitions"])
    return given(TASK, containerDefinitions=json.dumps([{**only, **parts}]))


WRONG = {
    "a value that is none of those": (given(FILE_SYSTEM, throughputMode="elastc"), "ThroughputMode"),
    "a property that is not there": (given(FILE_SYSTEM, throughputModes="elastic"), "ThroughputModes"),
    "a number out of bounds": (given(GROUP, port=70000), "Port"),
    "too many of them": (given(BALANCER, subnets=["subnet-0123456789abcdef0"]), "Subnets"),
    "another kind of value": (given(GROUP, port="eighty"), "Port"),
    "one that is needed": (given("aws:lb/listener:Listener", loadBalancerArn=None), ""),
    "letters that AWS does not take": (
        given("aws:ec2/securityGroup:SecurityGroup", description="AWS's"),
        "GroupDescription",
    ),
    "an id of something else": (given(RULE, securityGroupId="subnet-0123456789abcdef0"), "GroupId"),
    "in the text of a document": (container(memory="lots"), "ContainerDefinitions/0/Memory"),
    "a document's unknown part": (container(comand=["sh"]), "ContainerDefinitions/0/Comand"),
    "an action that is not there": (policy("s3:GetObjekt"), "PolicyDocument/Statement/Action"),
    "two that exclude each other": (given(RULE, cidrIpv4="10.0.0.0/8"), "CidrIp"),
}


@pytest.mark.parametrize(("resource", "path"), WRONG.values(), ids=WRONG)
def test_what_aws_refuses_is_found(resource: Resource, path: str) -> None:
    assert path in {finding.path for finding in findings([resource])}


def test_a_name_that_is_too_long_is_found() -> None:
    long = replace(one("aws:iam/role:Role"), outputs={"name": "r" * 65})
    assert [finding.path for finding in findings([long])] == ["RoleName"]


def test_a_type_that_nobody_wrote_down_is_no_type() -> None:
    with pytest.raises(KeyError, match="Unheard"):
        findings([replace(one(FILE_SYSTEM), type="aws:efs/unheard:Unheard")])


def test_a_finding_says_which_resource_it_is() -> None:
    (finding,) = findings([given(FILE_SYSTEM, performanceMode="best")])
    assert isinstance(finding, Finding)
    assert finding.resource == f"{FILE_SYSTEM} pypiserver"
