"""File system, backups and buckets: what the provider would compute."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import hex_id, named, uuid_of, with_arn
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _file_system(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"fs-0{origin.digest[:16]}"
    return id_, {
        "arn": origin.arn("elasticfilesystem", f"file-system/{id_}"),
        "dnsName": f"{id_}.efs.{origin.region}.amazonaws.com",
    }


def _backup_plan(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = uuid_of(origin)
    arn = origin.arn("backup", f"backup-plan:{id_}")
    return id_, {"name": inputs.get("name", origin.physical_name), "arn": arn}


def _backup_selection(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    return uuid_of(origin), {"name": inputs.get("name", origin.physical_name)}


def _bucket(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("bucket", origin.physical_name)
    return name, {
        "bucket": name,
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{origin.region}.amazonaws.com",
    }


def _of_bucket(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    """A part of a bucket's configuration, known by the bucket's name."""
    return inputs["bucket"], {}


RESOURCES: Mapping[str, Compute] = {
    "aws:efs/accessPoint:AccessPoint": with_arn("fsap", "elasticfilesystem", "access-point"),
    "aws:efs/fileSystem:FileSystem": _file_system,
    "aws:efs/fileSystemPolicy:FileSystemPolicy": lambda origin, inputs: (inputs["fileSystemId"], {}),
    "aws:efs/mountTarget:MountTarget": hex_id("fsmt"),
    "aws:backup/plan:Plan": _backup_plan,
    "aws:backup/selection:Selection": _backup_selection,
    "aws:backup/vault:Vault": named("backup", "backup-vault:"),
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket,
    "aws:s3/bucketPolicy:BucketPolicy": _of_bucket,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_bucket,
}
