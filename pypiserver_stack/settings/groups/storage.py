"""Settings of the file system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from pypiserver_stack.settings.problems import Problem
from pypiserver_stack.settings.types import Group, KmsKeyArn, RoleArn


def _whole_number(value: object) -> object:
    """Configuration has text for everything."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


class StorageSettings(Group):
    """File system."""

    efs_throughput_mode: Literal["elastic", "bursting", "provisioned"] = "elastic"
    """Grant and price of EFS throughput. elastic: by use. bursting: with the size, and from credits. provisioned:
    always the same."""
    efs_provisioned_throughput_mibps: Annotated[float, Field(ge=1, le=3414)] | None = None
    """Throughput in MiB/s with efs_throughput_mode provisioned; its upper end is the region's."""
    efs_infrequent_access_after_days: Annotated[
        Literal["never", 1, 7, 14, 30, 60, 90, 180, 270, 365], BeforeValidator(_whole_number)
    ] = 30
    """Days after which a file that nobody has read moves to the Infrequent Access class, which costs less to keep and
    more to read; the first read moves it back. never: files stay where they are."""
    efs_kms_key_arn: KmsKeyArn | None = None
    """Your own KMS key for the file system and its backups; none: the keys that AWS manages for EFS and AWS Backup. A
    file system keeps its key for life."""
    efs_maintenance_role_arn: RoleArn | None = None
    """Role that may mount the whole file system, as root and over TLS, while restored or imported packages are put into
    place; none: nobody may."""
    access_point_path: str = Field(
        default="/packages",
        pattern=r"^(/|(/[A-Za-z0-9_-][A-Za-z0-9._-]*){1,4})$",
        max_length=100,
        json_schema_extra={"takes": "/, or a path of one to four folders and at most 100 characters such as /packages"},
    )
    """Folder of the file system that is the index, made for uid and gid 9898 when missing. /: the root, for a file
    system that is imported with its packages there."""

    def contradictions(self) -> Iterator[Problem]:
        """The figure of provisioned throughput belongs to that mode alone, and that mode needs it."""
        mode, throughput = self.efs_throughput_mode, self.efs_provisioned_throughput_mibps
        if mode == "provisioned" and throughput is None:
            figure = "efs_provisioned_throughput_mibps"
            yield self.refused("efs_throughput_mode", f"needs {figure}", figure)
        if mode != "provisioned" and throughput is not None:
            allowed = f"only with efs_throughput_mode provisioned, which is {mode}"
            yield self.refused("efs_provisioned_throughput_mibps", allowed, "efs_throughput_mode")
