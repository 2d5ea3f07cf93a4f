"""EFS file system of the packages."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.settings.groups.storage import StorageSettings

# The image's own user. EFS maps every caller of the access point to it, whoever it is on the host.
UID = GID = 9898


class Storage(pulumi.ComponentResource):
    """An encrypted EFS file system, its access point, and one mount target in each zone."""

    def __init__(
        self,
        name: str,
        settings: StorageSettings,
        tags: Tags,
        *,
        subnet_ids: Mapping[str, pulumi.Input[str]],
        security_group_id: pulumi.Input[str],
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        Args:
            subnet_ids: of the mount targets, by zone. Under another key a mount target is made before the old one goes,
                and a zone takes no second one.
            protect: whether Pulumi refuses to delete the file system.
        """
        super().__init__("pypiserver:index:Storage", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.file_system = aws.efs.FileSystem(
            name,
            encrypted=True,
            kms_key_id=settings.efs_kms_key_arn,
            performance_mode="generalPurpose",
            throughput_mode=settings.efs_throughput_mode,
            provisioned_throughput_in_mibps=settings.efs_provisioned_throughput_mibps,
            lifecycle_policies=_lifecycle_policies(settings),
            tags=tags(name),
            # Nothing makes its packages again. With this an update that would replace it fails before it does anything,
            # and a destroy leaves it.
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        self.access_point = aws.efs.AccessPoint(
            name,
            file_system_id=self.file_system.id,
            posix_user={"uid": UID, "gid": GID},
            root_directory=_root_directory(settings.access_point_path),
            tags=tags(name),
            opts=child,
        )
        self.mount_targets = [
            aws.efs.MountTarget(
                f"{name}-{zone}",
                file_system_id=self.file_system.id,
                subnet_id=subnet_id,
                security_groups=[security_group_id],
                # A file system takes one in each zone, and all of them in one VPC: the old one has to go first.
                opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
            )
            for zone, subnet_id in subnet_ids.items()
        ]
        self.maintenance_role_arn = settings.efs_maintenance_role_arn
        self.register_outputs({"file_system_id": self.file_system.id})


def _lifecycle_policies(settings: StorageSettings) -> list[aws.efs.FileSystemLifecyclePolicyArgsDict]:
    # EFS takes one transition in each policy. The way back stays open when the way there is closed: files may be there.
    back: aws.efs.FileSystemLifecyclePolicyArgsDict = {"transition_to_primary_storage_class": "AFTER_1_ACCESS"}
    days = settings.efs_infrequent_access_after_days
    if days == "never":
        return [back]
    return [{"transition_to_ia": f"AFTER_{days}_DAY" if days == 1 else f"AFTER_{days}_DAYS"}, back]


def _root_directory(path: str) -> aws.efs.AccessPointRootDirectoryArgsDict:
    # EFS makes a folder that is missing, and never changes the owner of one that is there. The root always is.
    if path == "/":
        return {"path": path}
    return {"path": path, "creation_info": {"owner_uid": UID, "owner_gid": GID, "permissions": "0755"}}
