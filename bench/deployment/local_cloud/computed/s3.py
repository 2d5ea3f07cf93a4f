"""What AWS computes for buckets."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


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
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket,
    "aws:s3/bucketPolicy:BucketPolicy": _of_bucket,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_bucket,
}
