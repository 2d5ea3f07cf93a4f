"""Roles, keys and secrets in the stand-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.deployment.local_cloud import Record
from tests.aws_stand_in.mirror import Aws, Mirror, given, tag_list


def _role(aws: Aws, record: Record) -> Mapping[str, Any]:
    role = aws("iam").create_role(
        RoleName=record.id, AssumeRolePolicyDocument=record.inputs["assumeRolePolicy"], Tags=tag_list(record)
    )
    return {"arn": role["Role"]["Arn"]}


def _role_policy(record: Record) -> dict[str, str]:
    role, name = record.id.split(":")
    return {"RoleName": role, "PolicyName": name}


def _put_role_policy(aws: Aws, record: Record) -> Mapping[str, Any]:
    aws("iam").put_role_policy(**_role_policy(record), PolicyDocument=record.inputs["policy"])
    return {}


def _profile(aws: Aws, record: Record) -> Mapping[str, Any]:
    iam = aws("iam")
    made = iam.create_instance_profile(InstanceProfileName=record.id, Tags=tag_list(record))["InstanceProfile"]
    iam.add_role_to_instance_profile(InstanceProfileName=record.id, RoleName=record.inputs["role"])
    return {"arn": made["Arn"]}


def _remove_profile(aws: Aws, record: Record) -> None:
    iam = aws("iam")
    iam.remove_role_from_instance_profile(InstanceProfileName=record.id, RoleName=record.inputs["role"])
    iam.delete_instance_profile(InstanceProfileName=record.id)


def _key(aws: Aws, record: Record) -> Mapping[str, Any]:
    tags = [{"TagKey": key, "TagValue": value} for key, value in record.inputs.get("tags", {}).items()]
    key = aws("kms").create_key(**given(record, "description", "policy"), Tags=tags)["KeyMetadata"]
    return {"id": key["KeyId"], "keyId": key["KeyId"], "arn": key["Arn"]}


def _secret(aws: Aws, record: Record) -> Mapping[str, Any]:
    made = aws("secretsmanager").create_secret(
        Name=record.outputs["name"], **given(record, "description"), Tags=tag_list(record)
    )
    return {"id": made["ARN"], "arn": made["ARN"]}


def _remove_secret(aws: Aws, record: Record) -> None:
    days = record.inputs["recoveryWindowInDays"]
    how = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
    aws("secretsmanager").delete_secret(SecretId=record.id, **how)


def _secret_version(aws: Aws, record: Record) -> Mapping[str, Any]:
    secret = record.inputs["secretId"]
    version = aws("secretsmanager").put_secret_value(SecretId=secret, SecretString=record.inputs["secretString"])
    return {"id": f"{secret}|{version['VersionId']}", "versionId": version["VersionId"], "arn": secret}


def _forget_version(aws: Aws, record: Record) -> None:
    """AWS deletes the version once no stage names it; the current one goes with its secret."""
    secrets = aws("secretsmanager")
    version = record.outputs["versionId"]
    described = secrets.describe_secret(SecretId=record.inputs["secretId"])
    for stage in described["VersionIdsToStages"].get(version, ()):
        if stage != "AWSCURRENT":
            secrets.update_secret_version_stage(
                SecretId=record.inputs["secretId"], VersionStage=stage, RemoveFromVersionId=version
            )


def _secret_policy(aws: Aws, record: Record) -> Mapping[str, Any]:
    aws("secretsmanager").put_resource_policy(
        SecretId=record.inputs["secretArn"], ResourcePolicy=record.inputs["policy"]
    )
    return {"id": record.inputs["secretArn"]}


MIRRORS: Mapping[str, Mirror] = {
    "aws:iam/role:Role": Mirror(
        _role,
        lambda aws, record: aws("iam").delete_role(RoleName=record.id),
        lambda aws, record: aws("iam").get_role(RoleName=record.id)["Role"],
    ),
    "aws:iam/rolePolicy:RolePolicy": Mirror(
        _put_role_policy,
        lambda aws, record: aws("iam").delete_role_policy(**_role_policy(record)),
        lambda aws, record: aws("iam").get_role_policy(**_role_policy(record))["PolicyDocument"],
        _put_role_policy,
    ),
    "aws:iam/instanceProfile:InstanceProfile": Mirror(
        _profile,
        _remove_profile,
        lambda aws, record: aws("iam").get_instance_profile(InstanceProfileName=record.id)["InstanceProfile"],
    ),
    "aws:kms/key:Key": Mirror(
        _key,
        lambda aws, record: aws("kms").schedule_key_deletion(
            KeyId=record.id, PendingWindowInDays=record.inputs["deletionWindowInDays"]
        ),
        lambda aws, record: aws("kms").describe_key(KeyId=record.id)["KeyMetadata"]["KeyState"] != "PendingDeletion",
    ),
    "aws:secretsmanager/secret:Secret": Mirror(
        _secret,
        _remove_secret,
        lambda aws, record: "DeletedDate" not in aws("secretsmanager").describe_secret(SecretId=record.id),
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Mirror(
        _secret_version,
        _forget_version,
        lambda aws, record: (
            record.outputs["versionId"]
            in aws("secretsmanager").describe_secret(SecretId=record.inputs["secretId"])["VersionIdsToStages"]
        ),
    ),
    "aws:secretsmanager/secretPolicy:SecretPolicy": Mirror(
        _secret_policy,
        lambda aws, record: aws("secretsmanager").delete_resource_policy(SecretId=record.id),
        lambda aws, record: aws("secretsmanager").get_resource_policy(SecretId=record.id).get("ResourcePolicy"),
        _secret_policy,
    ),
}
