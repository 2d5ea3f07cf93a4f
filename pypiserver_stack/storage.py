"""The file system that every task reads packages from and writes uploads to."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from pypiserver_stack.settings import Settings
from pypiserver_stack.tags import Tags

# The image's own user. EFS maps every caller of the access point to it, whoever it is on the host.
UID = GID = 9898


class Storage(pulumi.ComponentResource):
    """An encrypted EFS file system, its access point, and one mount target in each zone."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        subnet_ids: Sequence[pulumi.Input[str]],
        security_group_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:Storage", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = Tags(settings)
        self.file_system = aws.efs.FileSystem(
            name,
            encrypted=True,
            performance_mode="generalPurpose",
            throughput_mode=settings.efs_throughput_mode,
            tags=tags(name),
            opts=child,
        )
        self.access_point = aws.efs.AccessPoint(
            name,
            file_system_id=self.file_system.id,
            posix_user=aws.efs.AccessPointPosixUserArgs(uid=UID, gid=GID),
            root_directory=aws.efs.AccessPointRootDirectoryArgs(
                path="/packages",
                creation_info=aws.efs.AccessPointRootDirectoryCreationInfoArgs(
                    owner_uid=UID, owner_gid=GID, permissions="0755"
                ),
            ),
            tags=tags(name),
            opts=child,
        )
        self.mount_targets = [
            aws.efs.MountTarget(
                f"{name}-{i}",
                file_system_id=self.file_system.id,
                subnet_id=subnet_id,
                security_groups=[security_group_id],
                opts=child,
            )
            for i, subnet_id in enumerate(subnet_ids)
        ]
        self.register_outputs({"file_system_id": self.file_system.id})
