"""The types before the balancer, and the bucket of its logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.aws_schemas.compute import PROVIDERS_OWN
from tests.aws_schemas.mapped import REGION, Mapped, Value, document

_OF_BUCKET = {"bucket": "There it is a property of the bucket."}


def _encryption(rules: list[Mapping[str, Any]]) -> Value:
    defaults = [rule["applyServerSideEncryptionByDefault"] for rule in rules]
    names = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
    return {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {names[key]: value for key, value in default.items()}}
            for default in defaults
        ]
    }


EDGE = {
    "aws:s3/bucket:Bucket": Mapped(
        "AWS::S3::Bucket",
        names={"bucket": "BucketName", "name": "BucketName"},
        omitted={"forceDestroy": PROVIDERS_OWN},
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Mapped(
        "AWS::S3::Bucket",
        below="LifecycleConfiguration",
        names={
            "rules.expiration": "^",
            "rules.expiration.days": "ExpirationInDays",
            "rules.abortIncompleteMultipartUpload": "AbortIncompleteMultipartUpload",
        },
        omitted={**_OF_BUCKET, "rules.filter": "An empty one says that the rule is for every object."},
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Mapped(
        "AWS::S3::Bucket",
        names={"rule": "OwnershipControls"},
        values={"rule": lambda rule: {"Rules": [{"ObjectOwnership": rule["objectOwnership"]}]}},
        omitted=_OF_BUCKET,
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Mapped(
        "AWS::S3::BucketPolicy", names={"policy": "PolicyDocument"}, values={"policy": document}
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Mapped(
        "AWS::S3::Bucket",
        below="PublicAccessBlockConfiguration",
        omitted={**_OF_BUCKET, "skipDestroy": PROVIDERS_OWN},
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Mapped(
        "AWS::S3::Bucket",
        names={"rules": "BucketEncryption"},
        values={"rules": _encryption},
        omitted=_OF_BUCKET,
    ),
    "aws:wafv2/webAcl:WebAcl": Mapped(
        "AWS::WAFv2::WebACL",
        names={
            "name": "Name",
            "rules.visibilityConfig.cloudwatchMetricsEnabled": "CloudWatchMetricsEnabled",
            "visibilityConfig.cloudwatchMetricsEnabled": "CloudWatchMetricsEnabled",
            "rules.statement.rateBasedStatement.evaluationWindowSec": "EvaluationWindowSec",
        },
        omitted=REGION,
    ),
    "aws:wafv2/webAclAssociation:WebAclAssociation": Mapped(
        "AWS::WAFv2::WebACLAssociation", names={"webAclArn": "WebACLArn"}
    ),
}
