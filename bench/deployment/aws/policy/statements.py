"""Statements of IAM: what each action is limited to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from bench.deployment.aws.policy.actions import IamAction, actions
from bench.deployment.aws.run_tags import RUN

Statement = dict[str, Any]

PASSED_TO = ("backup", "ec2", "ecs-tasks", "vpc-flow-logs")
"""Services that get a role of the deployment."""
SERVICE_LINKED = (
    *("autoscaling", "backup", "ecs", "ecs.application-autoscaling", "elasticloadbalancing", "spot", "wafv2"),
    *("delivery.logs", "elasticfilesystem"),
)
"""Services whose own role an empty account lacks."""

# In an ARN, what stands for a name that begins with the deployment's.
NAMES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            *("BackupVaultName", "BucketName", "CapacityProviderName", "ClusterName", "DashboardName"),
            *("GroupFriendlyName", "InstanceProfileNameWithPath", "LoadBalancerName", "RoleNameWithPath", "SecretId"),
            *("ServiceName", "TargetGroupName", "TaskDefinitionFamilyName", "TopicName", "Name"),
            *("DeliverySourceName", "DeliveryDestinationName"),
        ),
        ("{prefix}-*",),
    ),
    # Target tracking and Container Insights name what they make after the service or the cluster.
    "AlarmName": ("{prefix}-*", "TargetTracking-*{prefix}-*"),
    "LogGroupName": ("{prefix}-*", "/aws/ecs/containerinsights/{prefix}-*"),
}
# Beside named resources a deployment has these without a name; all others an action may be about are not its own.
_OWN_IDS = re.compile(r"\$\{(BackupPlanId|DeliveryName|AccessPointId|FileSystemId)\}")
_SENSITIVE = frozenset({"logs:GetLogEvents", "secretsmanager:GetSecretValue"})
_DESTRUCTIVE = re.compile(
    r":(Delete|Deregister|Detach|Disassociate|Release|Revoke|Schedule|Stop|Terminate)(?!NetworkInterface)"
)
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_KEY_USE = frozenset({"kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:RetireGrant"})
_OF_RUNS = {"Null": {f"aws:ResourceTag/{RUN}": "false"}}


def statements(names: Collection[str], prefix: str, zones: Collection[str]) -> list[Statement]:
    """Statements that allow actions, as narrowly as IAM lets them be: by name, else by the tag of a run.

    Args:
        names: actions such as `ecs:CreateService`.
        prefix: beginning of the names of all resources.
        zones: ids of the hosted zones that records are made in; without any, none may be changed.
    """
    grouped: dict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
    for name in sorted(set(names) - {_COMMAND} - ({_RECORDS} if not zones else set())):
        resources, condition = _scope(actions()[name], prefix, zones)
        grouped[resources, condition].append(name)
    found = [
        _statement(granted, resources, _CONDITIONS[condition])
        for (resources, condition), granted in sorted(grouped.items())
    ]
    return [*found, *_of_roles(prefix), *_of_tags(), *_of_commands()]


_CONDITIONS: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "of runs": _OF_RUNS,
    "through services": {"StringLike": {"kms:ViaService": "*.amazonaws.com"}},
    "for services": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
}
_ANY = ("*",)
_RECORDS = "route53:ChangeResourceRecordSets"
_PARAMETER = "ssm:GetParameter"
_COMMAND = "ssm:SendCommand"


def _scope(action: IamAction, prefix: str, zones: Collection[str]) -> tuple[tuple[str, ...], str]:
    """The resources of an action, and the name of its condition."""
    if action.name == _RECORDS:
        return tuple(f"arn:aws:route53:::hostedzone/{zone}" for zone in sorted(zones)), ""
    if action.name == _PARAMETER:
        # AWS's own, which name the images: those of the account may be secrets.
        return ("arn:aws:ssm:*::parameter/aws/service/*",), ""
    if action.name in _KEY_USE:
        return _ANY, "through services"
    if action.name == "kms:CreateGrant":
        return _ANY, "for services"
    if action.level in ("Read", "List") and action.name not in _SENSITIVE:
        return _ANY, ""
    if any(_name(arn) for arn in action.arns):
        own = (arn for arn in action.arns if _name(arn) or _OWN_IDS.search(arn))
        return tuple(sorted({filled for arn in own for filled in _filled(arn, prefix)})), ""
    return _ANY, "of runs" if action.tagged and _DESTRUCTIVE.search(action.name) else ""


def _name(template: str) -> str:
    """The first placeholder of an ARN that stands for a name."""
    return next((part for part in _PLACEHOLDER.findall(template) if part in NAMES), "")


def _filled(template: str, prefix: str) -> list[str]:
    """ARNs with the first name and wildcards in place of the placeholders: what is below a name is a deployment's."""
    name = _name(template)
    texts = [template.replace(f"${{{name}}}", pattern.format(prefix=prefix)) for pattern in NAMES.get(name, ("",))]
    return [_PLACEHOLDER.sub("*", text.replace("${Partition}", "aws")) for text in texts]


def _statement(granted: list[str], resources: tuple[str, ...], condition: Mapping[str, Any]) -> Statement:
    statement: Statement = {"Effect": "Allow", "Action": granted, "Resource": list(resources)}
    return {**statement, "Condition": condition} if condition else statement


def _of_roles(prefix: str) -> list[Statement]:
    passed = {"StringEquals": {"iam:PassedToService": [f"{name}.amazonaws.com" for name in PASSED_TO]}}
    linked = {"StringEquals": {"iam:AWSServiceName": [f"{name}.amazonaws.com" for name in SERVICE_LINKED]}}
    return [
        _statement(["iam:PassRole"], (f"arn:aws:iam::*:role/{prefix}-*",), passed),
        _statement(["iam:CreateServiceLinkedRole"], ("arn:aws:iam::*:role/aws-service-role/*",), linked),
    ]


def _of_tags() -> list[Statement]:
    """EC2's tags: while something is made, afterwards on what is a run's, and on the default group of a VPC."""
    made = {"Null": {"ec2:CreateAction": "false"}}
    default_group = {"Null": {f"aws:RequestTag/{RUN}": "false"}}
    return [
        _statement(["ec2:CreateTags"], _ANY, made),
        _statement(["ec2:CreateTags", "ec2:DeleteTags"], _ANY, _OF_RUNS),
        _statement(["ec2:CreateTags"], ("arn:aws:ec2:*:*:security-group/*",), default_group),
    ]


def _of_commands() -> list[Statement]:
    """Commands of the diagnosis, on instances of runs alone."""
    return [
        _statement([_COMMAND], ("arn:aws:ssm:*:*:document/AWS-RunShellScript",), {}),
        _statement([_COMMAND], ("arn:aws:ec2:*:*:instance/*",), {"StringLike": {f"ssm:resourceTag/{RUN}": "*"}}),
    ]
