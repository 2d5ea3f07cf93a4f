"""Kinds that keep something: file system, backups, buckets."""

from __future__ import annotations

from collections.abc import Iterator

from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.kind import ResourceKind
from bench.deployment.aws.sweep.lists import Lists
from bench.deployment.aws.sweep.resource import Presence, RunResource, Sighting, key_value_tags
from bench.deployment.aws.sweep.states import presence_by_state
from sizing.cost import HOURS_PER_MONTH, prices

_DELETED_AT_ONCE = 1000


def _file_systems(lists: Lists) -> Iterator[Sighting]:
    price = prices()["files_gb_month"].usd / HOURS_PER_MONTH
    for found in lists.aws.listed("efs", "describe_file_systems", "FileSystems"):
        yield Sighting(
            found["FileSystemId"],
            key_value_tags(found["Tags"]),
            made_at=found["CreationTime"],
            usd_per_hour=price * found["SizeInBytes"]["Value"] / 1e9,
        )


def _look_at_file_system(aws: ServiceClients, system: RunResource) -> Presence:
    (found,) = aws("efs").describe_file_systems(FileSystemId=system.id)["FileSystems"]
    return presence_by_state(found["LifeCycleState"], gone=("deleted",))


def _access_points(lists: Lists) -> Iterator[Sighting]:
    for system in lists.of("file system"):
        for point in lists.aws.listed("efs", "describe_access_points", "AccessPoints", FileSystemId=system.id):
            yield Sighting(point["AccessPointId"], system.tags)


def _look_at_access_point(aws: ServiceClients, point: RunResource) -> Presence:
    (found,) = aws("efs").describe_access_points(AccessPointId=point.id)["AccessPoints"]
    return presence_by_state(found["LifeCycleState"], gone=("deleted",))


def _mount_targets(lists: Lists) -> Iterator[Sighting]:
    for system in lists.of("file system"):
        for target in lists.aws.listed("efs", "describe_mount_targets", "MountTargets", FileSystemId=system.id):
            yield Sighting(target["MountTargetId"], system.tags)


def _look_at_mount_target(aws: ServiceClients, target: RunResource) -> Presence:
    (found,) = aws("efs").describe_mount_targets(MountTargetId=target.id)["MountTargets"]
    return presence_by_state(found["LifeCycleState"], gone=("deleted",))


def _backup_plans(lists: Lists) -> Iterator[Sighting]:
    for plan in lists.aws.listed("backup", "list_backup_plans", "BackupPlansList"):
        tags = lists.aws("backup").list_tags(ResourceArn=plan["BackupPlanArn"])["Tags"]
        yield Sighting(plan["BackupPlanId"], tags)


def _look_at_plan(aws: ServiceClients, plan: RunResource) -> bool:
    listed = aws.listed("backup", "list_backup_plans", "BackupPlansList")
    return any(one["BackupPlanId"] == plan.id for one in listed)


def _selections(lists: Lists) -> Iterator[Sighting]:
    for plan in lists.of("backup plan"):
        arguments = {"BackupPlanId": plan.id}
        for found in lists.aws.listed("backup", "list_backup_selections", "BackupSelectionsList", **arguments):
            yield Sighting(found["SelectionId"], plan.tags, parent=plan.id)


def _look_at_selection(aws: ServiceClients, selection: RunResource) -> bool:
    arguments = {"BackupPlanId": selection.parent}
    listed = aws.listed("backup", "list_backup_selections", "BackupSelectionsList", **arguments)
    return any(one["SelectionId"] == selection.id for one in listed)


def _vaults(lists: Lists) -> Iterator[Sighting]:
    for vault in lists.aws.listed("backup", "list_backup_vaults", "BackupVaultList"):
        tags = lists.aws("backup").list_tags(ResourceArn=vault["BackupVaultArn"])["Tags"]
        yield Sighting(vault["BackupVaultName"], tags)


def _look_at_vault(aws: ServiceClients, vault: RunResource) -> bool:
    listed = aws.listed("backup", "list_backup_vaults", "BackupVaultList")
    return any(one["BackupVaultName"] == vault.id for one in listed)


def _recovery_points(lists: Lists) -> Iterator[Sighting]:
    price = prices()["backup_gb_month"].usd / HOURS_PER_MONTH
    for vault in lists.of("backup vault"):
        for point in lists.aws.listed(
            "backup", "list_recovery_points_by_backup_vault", "RecoveryPoints", BackupVaultName=vault.id
        ):
            yield Sighting(
                point["RecoveryPointArn"],
                vault.tags,
                parent=vault.id,
                usd_per_hour=price * point.get("BackupSizeInBytes", 0) / 1e9,
            )


def _look_at_recovery_point(aws: ServiceClients, point: RunResource) -> Presence:
    arguments = {"BackupVaultName": point.parent}
    listed = aws.listed("backup", "list_recovery_points_by_backup_vault", "RecoveryPoints", **arguments)
    found = next((one for one in listed if one["RecoveryPointArn"] == point.id), None)
    return presence_by_state(found.get("Status", ""), gone=("expired",)) if found else Presence.GONE


def _remove_recovery_point(aws: ServiceClients, point: RunResource) -> None:
    aws("backup").delete_recovery_point(BackupVaultName=point.parent, RecoveryPointArn=point.id)


def _buckets(lists: Lists) -> Iterator[Sighting]:
    for arn, tags in lists.arns("s3", ""):
        yield Sighting(arn.rpartition(":")[2], tags)


def _remove_bucket(aws: ServiceClients, bucket: RunResource) -> None:
    """With every version of every object in it."""
    s3 = aws("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket.id):
        versions = [
            {"Key": one["Key"], "VersionId": one["VersionId"]}
            for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
        ]
        for start in range(0, len(versions), _DELETED_AT_ONCE):
            s3.delete_objects(
                Bucket=bucket.id, Delete={"Objects": versions[start : start + _DELETED_AT_ONCE], "Quiet": True}
            )
    s3.delete_bucket(Bucket=bucket.id)


FILE_SYSTEM = ResourceKind(
    "file system",
    _file_systems,
    _look_at_file_system,
    lambda aws, system: aws("efs").delete_file_system(FileSystemId=system.id),
    "aws efs delete-file-system --file-system-id {id}",
)
ACCESS_POINT = ResourceKind(
    "access point",
    _access_points,
    _look_at_access_point,
    lambda aws, point: aws("efs").delete_access_point(AccessPointId=point.id),
    "aws efs delete-access-point --access-point-id {id}",
)
MOUNT_TARGET = ResourceKind(
    "mount target",
    _mount_targets,
    _look_at_mount_target,
    lambda aws, target: aws("efs").delete_mount_target(MountTargetId=target.id),
    "aws efs delete-mount-target --mount-target-id {id}",
)
BACKUP_PLAN = ResourceKind(
    "backup plan",
    _backup_plans,
    _look_at_plan,
    lambda aws, plan: aws("backup").delete_backup_plan(BackupPlanId=plan.id),
    "aws backup delete-backup-plan --backup-plan-id {id}",
)
BACKUP_SELECTION = ResourceKind(
    "backup selection",
    _selections,
    _look_at_selection,
    lambda aws, selection: aws("backup").delete_backup_selection(
        BackupPlanId=selection.parent, SelectionId=selection.id
    ),
    "aws backup delete-backup-selection --backup-plan-id {parent} --selection-id {id}",
)
BACKUP_VAULT = ResourceKind(
    "backup vault",
    _vaults,
    _look_at_vault,
    lambda aws, vault: aws("backup").delete_backup_vault(BackupVaultName=vault.id),
    "aws backup delete-backup-vault --backup-vault-name {id}",
)
RECOVERY_POINT = ResourceKind(
    "recovery point",
    _recovery_points,
    _look_at_recovery_point,
    _remove_recovery_point,
    "aws backup delete-recovery-point --backup-vault-name {parent} --recovery-point-arn {id}",
)
BUCKET = ResourceKind(
    "bucket",
    _buckets,
    # It answers with headers alone, also to one who may not look into it.
    lambda aws, bucket: aws("s3").head_bucket(Bucket=bucket.id),
    _remove_bucket,
    "aws s3 rb --force s3://{id}",
)
