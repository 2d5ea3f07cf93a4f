"""The bucket of the access logs: private, encrypted, over TLS alone, and for a time."""

from __future__ import annotations

import json

import pytest

from tests.pypiserver_stack.support.evaluation import evaluated, inputs


def test_nobody_is_let_in_by_list_or_policy() -> None:
    assert {
        key: value
        for key, value in inputs("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").items()
        if key != "bucket"
    } == {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    ownership = inputs("aws:s3/bucketOwnershipControls:BucketOwnershipControls")
    assert ownership["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


def test_it_is_encrypted_as_a_balancer_can_write_to_it() -> None:
    (rule,) = inputs("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}


def test_the_balancers_of_this_account_write_and_nobody_comes_without_tls() -> None:
    found = evaluated().graph
    arn = found.one("aws:s3/bucket:Bucket").outputs["arn"]
    writes, refusal = json.loads(found.one("aws:s3/bucketPolicy:BucketPolicy").inputs["policy"])["Statement"]
    assert (writes["Effect"], writes["Action"]) == ("Allow", "s3:PutObject")
    assert writes["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert writes["Resource"] == f"{arn}/AWSLogs/123456789012/*"
    assert (refusal["Effect"], refusal["Principal"], refusal["Action"]) == ("Deny", "*", "s3:*")
    assert refusal["Resource"] == [arn, f"{arn}/*"]
    assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_every_part_is_the_buckets() -> None:
    found = evaluated().graph
    bucket = found.one("aws:s3/bucket:Bucket")
    parts = [resource for resource in found if resource.type.startswith("aws:s3/bucket") and resource is not bucket]
    assert len(parts) == 5
    assert {part.inputs["bucket"] for part in parts} == {bucket.outputs["bucket"]}


def test_the_balancer_writes_once_it_may() -> None:
    found = evaluated().graph
    balancer = found.one("aws:lb/loadBalancer:LoadBalancer")
    assert balancer.inputs["accessLogs"] == {"bucket": found.one("aws:s3/bucket:Bucket").id, "enabled": True}
    assert found.one("aws:s3/bucketPolicy:BucketPolicy").urn in balancer.dependencies


@pytest.mark.parametrize("days", [365, 30])
def test_they_expire(days: int) -> None:
    overrides = () if days == 365 else (f"access_log_retention_days={days}",)
    (rule,) = inputs("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", *overrides)["rules"]
    assert (rule["status"], rule["expiration"]) == ("Enabled", {"days": days})
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 1}


def test_they_go_with_the_stack_only_where_it_says_so() -> None:
    assert inputs("aws:s3/bucket:Bucket")["forceDestroy"] is True
    assert inputs("aws:s3/bucket:Bucket", "access_log_force_destroy=false")["forceDestroy"] is False
