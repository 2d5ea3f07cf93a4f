"""What AWS would compute: where each type is written down."""

from __future__ import annotations

import importlib

import pytest

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud import LocalCloud, computed


@pytest.mark.parametrize("type_", computed.RESOURCES)
def test_each_type_is_in_the_file_of_its_service(type_: str) -> None:
    types = importlib.import_module(f"{computed.__name__}.{computed.home(type_)}").RESOURCES
    assert type_ in types
    assert list(types) == sorted(types)


def test_what_is_missing_is_said_with_the_file_that_it_belongs_in() -> None:
    cloud = LocalCloud()
    with pytest.raises(CloudError, match=r"aws:sqs/queue:Queue: add it to bench/deployment/.+/computed/sqs\.py"):
        cloud.create("urn:pulumi:dev::small::aws:sqs/queue:Queue::jobs", "aws:sqs/queue:Queue", {})
    with pytest.raises(CloudError, match=r"aws:s3/getBucket:getBucket: add one to bench/.+/computed/func"):
        cloud.invoke("aws:s3/getBucket:getBucket", {})
