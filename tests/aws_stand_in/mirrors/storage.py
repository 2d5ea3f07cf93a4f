"""File system, backups and buckets in the stand-in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bench.deployment.local_cloud import REGION, Record
from tests.aws_stand_in.mirror import Aws, Mirror, capitals, given, nothing, tag_list


def _file_system(aws: Aws, record: Record) -> Mapping[str, Any]:
    made = aws("efs").create_file_system(
        CreationToken=record.origin.physical_name,
        **given(record, "encrypted", "throughputMode", "performanceMode", "provisionedThroughputInMibps", "kmsKeyId"),
        Tags=tag_list(record),
    )
    id_ = made["FileSystemId"]
    return {"id": id_, "arn": made["FileSystemArn"], "dnsName": f"{id_}.efs.{REGION}.amazonaws.com"}


def _access_point(aws: Aws, record: Record) -> Mapping[str, Any]:
    made = aws("efs").create_access_point(
        ClientToken=record.origin.physical_name,
        **given(record, "fileSystemId", "posixUser", "rootDirectory"),
        Tags=tag_list(record),
    )
    return {"id": made["AccessPointId"], "arn": made["AccessPointArn"]}


def _mount_target(aws: Aws, record: Record) -> Mapping[str, Any]:
    made = aws("efs").create_mount_target(**given(record, "fileSystemId", "subnetId", "securityGroups"))
    return {"id": made["MountTargetId"]}


def _file_system_policy(aws: Aws, record: Record) -> Mapping[str, Any]:
    aws("efs").put_file_system_policy(FileSystemId=record.inputs["fileSystemId"], Policy=record.inputs["policy"])
    return {"id": record.inputs["fileSystemId"]}


def _file_systems(aws: Aws, id_: str) -> Any:
    return aws("efs").describe_file_systems(FileSystemId=id_)["FileSystems"]


def _vault(aws: Aws, record: Record) -> Mapping[str, Any]:
    name = record.outputs["name"]
    arn = aws("backup").create_backup_vault(BackupVaultName=name, BackupVaultTags=record.inputs.get("tags", {}))
    return {"arn": arn["BackupVaultArn"]}


def _plan(aws: Aws, record: Record) -> Mapping[str, Any]:
    rules = [
        {"RuleName": rule["ruleName"], "TargetBackupVaultName": rule["targetVaultName"]}
        for rule in record.inputs["rules"]
    ]
    plan = aws("backup").create_backup_plan(
        BackupPlan={"BackupPlanName": record.outputs["name"], "Rules": rules},
        BackupPlanTags=record.inputs.get("tags", {}),
    )
    return {"id": plan["BackupPlanId"], "arn": plan["BackupPlanArn"]}


def _selection(aws: Aws, record: Record) -> Mapping[str, Any]:
    made = aws("backup").create_backup_selection(
        BackupPlanId=record.inputs["planId"],
        BackupSelection={"SelectionName": record.outputs["name"], **given(record, "iamRoleArn", "resources")},
    )
    return {"id": made["SelectionId"]}


def _selections(aws: Aws, record: Record) -> list[str]:
    listed = aws("backup").list_backup_selections(BackupPlanId=record.inputs["planId"])["BackupSelectionsList"]
    return [one["SelectionId"] for one in listed if one["SelectionId"] == record.id]


def _bucket(aws: Aws, record: Record) -> Mapping[str, Any]:
    s3 = aws("s3")
    s3.create_bucket(Bucket=record.id, CreateBucketConfiguration={"LocationConstraint": REGION})
    if tags := tag_list(record):
        s3.put_bucket_tagging(Bucket=record.id, Tagging={"TagSet": tags})
    return {}


def _lifecycle(record: Record) -> dict[str, Any]:
    rules = [
        {
            "ID": rule["id"],
            "Status": rule["status"],
            "Filter": capitals(rule["filter"]),
            "Expiration": capitals(rule["expiration"]),
        }
        for rule in record.inputs["rules"]
    ]
    return {"LifecycleConfiguration": {"Rules": rules}}


_BLOCKS = ("blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets")


def _of_bucket(put: Any, remove: Any, look: Any) -> Mirror:
    """A part of a bucket's configuration."""

    def make(aws: Aws, record: Record) -> Mapping[str, Any]:
        put(aws("s3"), record)
        return {}

    return Mirror(
        make,
        lambda aws, record: remove(aws("s3"), record.inputs["bucket"]),
        lambda aws, record: look(aws("s3"), record.inputs["bucket"]),
        make,
    )


MIRRORS: Mapping[str, Mirror] = {
    "aws:efs/fileSystem:FileSystem": Mirror(
        _file_system,
        lambda aws, record: aws("efs").delete_file_system(FileSystemId=record.id),
        lambda aws, record: _file_systems(aws, record.id),
    ),
    "aws:efs/accessPoint:AccessPoint": Mirror(
        _access_point,
        lambda aws, record: aws("efs").delete_access_point(AccessPointId=record.id),
        lambda aws, record: aws("efs").describe_access_points(AccessPointId=record.id)["AccessPoints"],
    ),
    "aws:efs/mountTarget:MountTarget": Mirror(
        _mount_target,
        lambda aws, record: aws("efs").delete_mount_target(MountTargetId=record.id),
        lambda aws, record: aws("efs").describe_mount_targets(MountTargetId=record.id)["MountTargets"],
    ),
    # moto cannot delete it: it goes with its file system.
    "aws:efs/fileSystemPolicy:FileSystemPolicy": Mirror(
        _file_system_policy,
        nothing,
        lambda aws, record: (
            _file_systems(aws, record.id) and aws("efs").describe_file_system_policy(FileSystemId=record.id)["Policy"]
        ),
    ),
    "aws:backup/vault:Vault": Mirror(
        _vault,
        lambda aws, record: aws("backup").delete_backup_vault(BackupVaultName=record.id),
        lambda aws, record: any(
            vault["BackupVaultName"] == record.id for vault in aws("backup").list_backup_vaults()["BackupVaultList"]
        ),
    ),
    "aws:backup/plan:Plan": Mirror(
        _plan,
        lambda aws, record: aws("backup").delete_backup_plan(BackupPlanId=record.id),
        lambda aws, record: any(
            plan["BackupPlanId"] == record.id for plan in aws("backup").list_backup_plans()["BackupPlansList"]
        ),
    ),
    "aws:backup/selection:Selection": Mirror(
        _selection,
        lambda aws, record: aws("backup").delete_backup_selection(
            BackupPlanId=record.inputs["planId"], SelectionId=record.id
        ),
        _selections,
    ),
    "aws:s3/bucket:Bucket": Mirror(
        _bucket,
        lambda aws, record: aws("s3").delete_bucket(Bucket=record.id),
        lambda aws, record: aws("s3").head_bucket(Bucket=record.id),
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket(
        lambda s3, record: s3.put_bucket_lifecycle_configuration(Bucket=record.inputs["bucket"], **_lifecycle(record)),
        lambda s3, bucket: s3.delete_bucket_lifecycle(Bucket=bucket),
        lambda s3, bucket: s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket(
        lambda s3, record: s3.put_bucket_ownership_controls(
            Bucket=record.inputs["bucket"], OwnershipControls={"Rules": [capitals(record.inputs["rule"])]}
        ),
        lambda s3, bucket: s3.delete_bucket_ownership_controls(Bucket=bucket),
        lambda s3, bucket: s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"],
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _of_bucket(
        lambda s3, record: s3.put_bucket_policy(Bucket=record.inputs["bucket"], Policy=record.inputs["policy"]),
        lambda s3, bucket: s3.delete_bucket_policy(Bucket=bucket),
        lambda s3, bucket: json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]),
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket(
        lambda s3, record: s3.put_public_access_block(
            Bucket=record.inputs["bucket"], PublicAccessBlockConfiguration=given(record, *_BLOCKS)
        ),
        lambda s3, bucket: s3.delete_public_access_block(Bucket=bucket),
        lambda s3, bucket: s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_bucket(
        lambda s3, record: s3.put_bucket_encryption(
            Bucket=record.inputs["bucket"],
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
        ),
        lambda s3, bucket: s3.delete_bucket_encryption(Bucket=bucket),
        lambda s3, bucket: s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"],
    ),
}
