"""Which inputs a resource is replaced for: from cfn-lint's schemas, and where the Pulumi provider differs.

`python -m tests.aws_schemas.replacements` writes the file that the local cloud's provider decides by.
"""

from __future__ import annotations

import importlib
import json
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from pulumi import _types

from bench.deployment.local_cloud import REGION
from bench.deployment.local_cloud.computed import RESOURCES
from bench.deployment.local_cloud.provider import REPLACEMENTS
from tests.aws_schemas.table import MAPPED

_RULE_SOURCE = {"cidrIpv4", "cidrIpv6", "fromPort", "ipProtocol", "prefixListId", "referencedSecurityGroupId", "toPort"}

PROVIDER_REPLACES = {
    "aws:acm/certificate:Certificate": {"validationMethod"},
    "aws:acm/certificateValidation:CertificateValidation": {"certificateArn", "validationRecordFqdns"},
    "aws:appautoscaling/scheduledAction:ScheduledAction": {"name"},
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {"vpcId"},
    "aws:ec2/eip:Eip": {"domain"},
    "aws:efs/fileSystem:FileSystem": {"creationToken"},
    "aws:efs/fileSystemPolicy:FileSystemPolicy": {"fileSystemId"},
    "aws:route53/record:Record": {"name"},
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {"bucket"},
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {"bucket"},
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {"bucket"},
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {"bucket"},
    "aws:secretsmanager/secretVersion:SecretVersion": {"secretId", "secretString"},
    "aws:sns/topicPolicy:TopicPolicy": {"arn"},
    # The provider never changes a password that it has made.
    "random:index/randomPassword:RandomPassword": {
        *("keepers", "length", "lower", "minLower", "minNumeric", "minSpecial", "minUpper", "number", "numeric"),
        *("overrideSpecial", "special", "upper"),
    },
}
"""What the provider makes another resource for, where CloudFormation's type has no such property or changes it."""

PROVIDER_UPDATES = {
    "aws:ec2/routeTableAssociation:RouteTableAssociation": {"routeTableId"},
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _RULE_SOURCE,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _RULE_SOURCE,
}
"""What the provider changes in place, by calls that CloudFormation does not make."""


def replacements() -> dict[str, list[str]]:
    """For each Pulumi type the paths of its inputs, with dots, that another value of means another resource."""
    return {
        type_: sorted((_create_only(type_) | PROVIDER_REPLACES.get(type_, set())) - PROVIDER_UPDATES.get(type_, set()))
        for type_ in sorted(RESOURCES)
    }


def _create_only(type_: str) -> set[str]:
    mapped = MAPPED.get(type_)
    if mapped is None:
        return set()
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, mapped.type).schema
    found = set()
    for name in _inputs_of(type_):
        place = mapped.place(name)
        if not place:
            continue
        for fixed in schema.get("createOnlyProperties", ()):
            if fixed == place or place.startswith(f"{fixed}/"):
                found.add(name)
            elif fixed.startswith(f"{place}/"):
                found.add(
                    ".".join((name, *(part[0].lower() + part[1:] for part in fixed[len(place) + 1 :].split("/"))))
                )
    # What is fixed as a whole is fixed in its parts.
    return {path for path in found if not any(path.startswith(f"{other}.") for other in found)}


def _inputs_of(type_: str) -> list[str]:
    """The names of all inputs that a type of pulumi_aws takes."""
    _, module, name = type_.split(":")
    arguments: Any = getattr(importlib.import_module(f"pulumi_aws.{module.split('/')[0]}"), f"{name}Args")
    return list(_types.input_type_py_to_pulumi_names(arguments).values())


if __name__ == "__main__":
    REPLACEMENTS.write_text(json.dumps(replacements(), indent=2) + "\n")
