"""File system, backups and buckets: what the provider would compute."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin, arn, named, template


def _bucket(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    return template(
        "{bucket}",
        bucket="{id}",
        arn="arn:aws:s3:::{id}",
        bucketDomainName="{id}.s3.amazonaws.com",
        bucketRegionalDomainName="{id}.s3.{region}.amazonaws.com",
    )(origin, {"bucket": origin.physical_name, **inputs})


RESOURCES: Mapping[str, Compute] = {
    "aws:efs/accessPoint:AccessPoint": template(
        "fsap-0{digest:.16}", arn=arn("elasticfilesystem", "access-point/{id}")
    ),
    "aws:efs/fileSystem:FileSystem": template(
        "fs-0{digest:.16}",
        arn=arn("elasticfilesystem", "file-system/{id}"),
        dnsName="{id}.efs.{region}.amazonaws.com",
    ),
    "aws:efs/fileSystemPolicy:FileSystemPolicy": template("{fileSystemId}"),
    "aws:efs/mountTarget:MountTarget": template("fsmt-0{digest:.16}"),
    "aws:backup/plan:Plan": template("{uuid}", name="{name}", arn=arn("backup", "backup-plan:{id}")),
    "aws:backup/selection:Selection": template("{uuid}", name="{name}"),
    "aws:backup/vault:Vault": named(arn("backup", "backup-vault:{name}")),
    "aws:s3/bucket:Bucket": _bucket,
    # The parts of a bucket's configuration are known by the bucket's name.
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": template("{bucket}"),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": template("{bucket}"),
    "aws:s3/bucketPolicy:BucketPolicy": template("{bucket}"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": template("{bucket}"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": template("{bucket}"),
}
