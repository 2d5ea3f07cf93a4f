"""What AWS would compute: the entry of each type."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import pytest

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud import LocalCloud, computed

AREAS = [
    import_module(f"{computed.__name__}.{area}") for area in ("compute", "monitoring", "network", "security", "storage")
]


def service(type_: str) -> str:
    """The service of a type: `efs` of `aws:efs/fileSystem:FileSystem`."""
    return type_.split("/")[0]


@pytest.mark.parametrize("area", AREAS)
def test_the_types_of_a_service_are_in_one_file(area: ModuleType) -> None:
    others = {service(type_) for other in AREAS if other is not area for type_ in other.RESOURCES}
    assert not others & {service(type_) for type_ in area.RESOURCES}


def test_each_type_is_known() -> None:
    assert sum(len(area.RESOURCES) for area in AREAS) == len(computed.RESOURCES)


def test_what_is_missing_is_named_with_the_place_that_it_belongs_in() -> None:
    cloud = LocalCloud()
    with pytest.raises(CloudError, match=r"aws:sqs/queue:Queue: add it to a file of bench/deployment/.+/computed$"):
        cloud.create("urn:pulumi:dev::small::aws:sqs/queue:Queue::jobs", "aws:sqs/queue:Queue", {})
    with pytest.raises(CloudError, match=r"aws:s3/getBucket:getBucket: add one to bench/.+/computed/func"):
        cloud.invoke("aws:s3/getBucket:getBucket", {})
