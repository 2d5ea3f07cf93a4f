"""Bucket of the access logs of the balancer, and of CloudFront where it is enabled."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.policies import policy_document
from pypiserver_stack.common.tags import Tags
from pypiserver_stack.settings.groups.balancer import BalancerSettings
from pypiserver_stack.settings.groups.cloudfront import CLOUDFRONT_REGION

# Takes the place of an account for each region, of which AWS's own advice is to use it no longer.
LOG_DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"
CLOUDFRONT_LOG_DELIVERY = "delivery.logs.amazonaws.com"


class AccessLogs(pulumi.ComponentResource):
    """A private bucket, encrypted, reached over TLS alone, whose objects expire.

    `policy` is to be depended on by what writes to it.
    """

    def __init__(
        self,
        name: str,
        settings: BalancerSettings,
        tags: Tags,
        *,
        cloudfront_enabled: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:AccessLogs", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.bucket = aws.s3.Bucket(name, force_destroy=settings.access_log_force_destroy, tags=tags(name), opts=child)
        bucket = self.bucket.bucket
        block = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        # S3 refuses one of two changes of a bucket's access that arrive at once: each waits for the one before it.
        ownership = aws.s3.BucketOwnershipControls(
            name,
            bucket=bucket,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "AES256"  # a balancer cannot write where the key is one of KMS
                    }
                }
            ],
            opts=child,
        )
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=bucket,
            rules=[
                {
                    "id": "expire",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": settings.access_log_retention_days},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
                }
            ],
            opts=child,
        )
        self.policy = aws.s3.BucketPolicy(
            name,
            bucket=bucket,
            policy=self._document(cloudfront_enabled),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[ownership]),
        )
        self.register_outputs({"bucket": bucket})

    def _document(self, cloudfront_enabled: bool) -> pulumi.Output[str]:
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id
        objects = pulumi.Output.concat(self.bucket.arn, "/*")
        return policy_document(
            {
                "Sid": "BalancerWrites",
                "Effect": "Allow",
                "Principal": {"Service": LOG_DELIVERY},
                "Action": "s3:PutObject",
                # The path names the account whose balancer writes: another account's is refused.
                "Resource": pulumi.Output.concat(self.bucket.arn, "/AWSLogs/", account, "/*"),
            },
            *([self._cloudfront_writes(account)] if cloudfront_enabled else []),
            {
                "Sid": "NobodyWithoutTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [self.bucket.arn, objects],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        )

    def _cloudfront_writes(self, account: pulumi.Output[str]) -> dict[str, object]:
        """By the newer of its two ways, which needs no access control lists: this bucket has none."""
        sources = pulumi.Output.concat("arn:aws:logs:", CLOUDFRONT_REGION, ":", account, ":delivery-source:*")
        return {
            "Sid": "CloudFrontWrites",
            "Effect": "Allow",
            "Principal": {"Service": CLOUDFRONT_LOG_DELIVERY},
            "Action": "s3:PutObject",
            "Resource": pulumi.Output.concat(self.bucket.arn, "/AWSLogs/", account, "/*"),
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account, "s3:x-amz-acl": "bucket-owner-full-control"},
                "ArnLike": {"aws:SourceArn": sources},
            },
        }
