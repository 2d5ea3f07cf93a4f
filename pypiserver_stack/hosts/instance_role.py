"""Role of the instances: they join the cluster, take sessions and report their metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.policies import ServiceRole, allowing
from pypiserver_stack.common.tags import Tags
from pypiserver_stack.settings import SettingsError
from pypiserver_stack.settings.groups.hosts import HostSettings
from pypiserver_stack.settings.policy_document import LIMIT_CHARACTERS
from pypiserver_stack.settings.problems import Problem
from pypiserver_stack.settings.types import PARTITIONS

EXTRA_POLICY = "instance_extra_policy"


def refuse_large_policy(name: str, settings: HostSettings) -> None:
    """Refuse an `instance_extra_policy` that IAM does not take beside the stack's own, before any resource exists.

    Raises:
        SettingsError: it does not.
    """
    if isinstance(settings.instance_extra_policy, str):
        _fitting(settings.instance_extra_policy, name)


def instance_profile(
    name: str, settings: HostSettings, cluster: aws.ecs.Cluster, parent: pulumi.Resource, tags: Tags
) -> aws.iam.InstanceProfile:
    """The profile of the instances of one cluster.

    Neither AmazonEC2ContainerServiceforEC2Role nor AmazonSSMManagedInstanceCore: the one reaches every cluster and
    repository of the account, the other reads every SSM parameter that no key of its own protects.
    """
    role = ServiceRole(f"{name}-instance", "ec2.amazonaws.com", parent, tags)
    for policy, statements in _own_policies(cluster.arn, cluster.arn.apply(_instances_of)).items():
        role.allow(f"{name}-{policy}", *statements)
    if settings.instance_extra_policy is not None:
        extra: pulumi.Output[str] = pulumi.Output.from_input(settings.instance_extra_policy)
        role.allow_document(f"{name}-extra", extra.apply(lambda document: _fitting(document, name)))
    return aws.iam.InstanceProfile(
        name,
        role=role.role.name,
        tags=tags(name),
        # An instance without its policies cannot join the cluster, and cannot leave it either.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=role.policies),
    )


def _own_policies(
    cluster_arn: pulumi.Input[str], instances_arn: pulumi.Input[str]
) -> Mapping[str, tuple[dict[str, Any], ...]]:
    """Statements by policy; `instances_arn` is a pattern of the ARNs of the cluster's instances."""
    return {
        "join-cluster": (
            {
                "Action": [
                    "ecs:RegisterContainerInstance",
                    "ecs:DeregisterContainerInstance",
                    "ecs:SubmitAttachmentStateChanges",
                    "ecs:SubmitContainerStateChange",
                    "ecs:SubmitTaskStateChange",
                ],
                "Resource": cluster_arn,
            },
            {
                "Action": ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"],
                "Resource": instances_arn,
                "Condition": {"ArnEquals": {"ecs:cluster": cluster_arn}},
            },
            # Tells where the endpoint is; AWS has no narrower resource for it.
            {"Action": "ecs:DiscoverPollEndpoint", "Resource": "*"},
        ),
        "session-manager": (
            {
                # Channels have no resource that a policy could name, and an instance reports itself alone: AWS holds
                # the caller's identity against it. Without ssm:GetParameter, which Run Command and sessions need not.
                "Action": [
                    "ssm:UpdateInstanceInformation",
                    "ssmmessages:CreateControlChannel",
                    "ssmmessages:CreateDataChannel",
                    "ssmmessages:OpenControlChannel",
                    "ssmmessages:OpenDataChannel",
                    "ec2messages:AcknowledgeMessage",
                    "ec2messages:DeleteMessage",
                    "ec2messages:FailMessage",
                    "ec2messages:GetEndpoint",
                    "ec2messages:GetMessages",
                    "ec2messages:SendReply",
                ],
                "Resource": "*",
            },
        ),
        "report-metrics": (
            # Metrics have no ARN; the namespace is what there is to narrow it by.
            {
                "Action": "cloudwatch:PutMetricData",
                "Resource": "*",
                "Condition": {"StringEquals": {"cloudwatch:namespace": "CWAgent"}},
            },
            # The CloudWatch agent learns the name of its Auto Scaling group from a tag; no Describe call takes a
            # resource.
            {"Action": "ec2:DescribeTags", "Resource": "*"},
        ),
    }


def _instances_of(cluster_arn: str) -> str:
    return cluster_arn.replace(":cluster/", ":container-instance/") + "/*"


def _fitting(document: str, name: str) -> str:
    """A policy document that fits into the role beside the stack's own; a `SettingsError` where it does not."""
    cluster_arn = _longest_cluster_arn(name)
    own = sum(
        _size_characters(json.dumps(allowing(*statements)))
        for statements in _own_policies(cluster_arn, _instances_of(cluster_arn)).values()
    )
    size = _size_characters(document)
    if size > LIMIT_CHARACTERS - own:
        allowed = (
            f"at most {LIMIT_CHARACTERS - own} characters without white space, for IAM takes {LIMIT_CHARACTERS} in all "
            f"inline policies of a role, and the stack's own need {own}: name fewer actions and resources"
        )
        raise SettingsError([Problem(EXTRA_POLICY, f"a document of {size} characters", allowed)])
    return document


def _longest_cluster_arn(name: str) -> str:
    """An ARN as long as the cluster's may be: Pulumi appends eight characters to the name."""
    partition, region = max(PARTITIONS, key=len), "r" * 16
    return f"arn:{partition}:ecs:{region}:123456789012:cluster/{name}-0123456"


def _size_characters(document: str) -> int:
    return len("".join(document.split()))
