"""What AWS computes for the file system."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import hex_id, with_arn
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _file_system(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"fs-0{origin.digest[:16]}"
    return id_, {
        "arn": origin.arn("elasticfilesystem", f"file-system/{id_}"),
        "dnsName": f"{id_}.efs.{origin.region}.amazonaws.com",
    }


RESOURCES: Mapping[str, Compute] = {
    "aws:efs/accessPoint:AccessPoint": with_arn("fsap", "elasticfilesystem", "access-point"),
    "aws:efs/fileSystem:FileSystem": _file_system,
    "aws:efs/fileSystemPolicy:FileSystemPolicy": lambda origin, inputs: (inputs["fileSystemId"], {}),
    "aws:efs/mountTarget:MountTarget": hex_id("fsmt"),
}
