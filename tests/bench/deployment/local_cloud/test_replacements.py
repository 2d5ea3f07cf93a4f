"""What another value of means another resource, and two resources of one URN while one takes the other's place."""

from __future__ import annotations

import json

import pytest

from bench.deployment.local_cloud import LocalCloud
from bench.deployment.local_cloud.provider import REPLACEMENTS, keeps_its_name, replaced_for
from tests.aws_schemas.replacements import PROVIDER_REPLACES, PROVIDER_UPDATES, replacements

FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
ROLE = "aws:iam/role:Role"
PROVIDER = "aws:ecs/capacityProvider:CapacityProvider"


def urn(type_: str) -> str:
    return f"urn:pulumi:dev::small::{type_}::it"


def test_the_file_is_what_the_schemas_say() -> None:
    """Else: `python -m tests.aws_schemas.replacements`."""
    assert json.loads(REPLACEMENTS.read_text()) == replacements()


def test_the_providers_cases_are_none_that_the_schemas_have_anyway() -> None:
    known = json.loads(REPLACEMENTS.read_text())
    for type_, paths in PROVIDER_REPLACES.items():
        assert paths <= {*known[type_]}
    for type_, paths in PROVIDER_UPDATES.items():
        assert not paths & {*known[type_]}


@pytest.mark.parametrize(
    ("type_", "old", "new", "paths"),
    [
        (FILE_SYSTEM, {"throughputMode": "elastic"}, {"throughputMode": "bursting"}, ()),
        (FILE_SYSTEM, {"kmsKeyId": "a"}, {"kmsKeyId": "b", "encrypted": True}, ("encrypted", "kmsKeyId")),
        (FILE_SYSTEM, {"creationToken": "a"}, {"creationToken": "b"}, ("creationToken",)),
        (FILE_SYSTEM, {"creationToken": "a"}, {}, ()),
        (TASK, {"tags": {"a": "1"}, "cpu": "1"}, {"cpu": "1"}, ()),
        (
            PROVIDER,
            {"autoScalingGroupProvider": {"autoScalingGroupArn": "a", "managedDraining": "ENABLED"}},
            {"autoScalingGroupProvider": {"autoScalingGroupArn": "b", "managedDraining": "DISABLED"}},
            ("autoScalingGroupProvider.autoScalingGroupArn",),
        ),
    ],
)
def test_what_is_replaced_for_what(type_: str, old: object, new: object, paths: tuple[str, ...]) -> None:
    assert replaced_for(type_, old, new) == paths  # type: ignore[arg-type]


def test_a_name_that_stays_is_free_first() -> None:
    assert keeps_its_name(ROLE, {"name": "a", "path": "/"}, {"name": "a", "path": "/b/"})
    assert not keeps_its_name(ROLE, {"name": "a"}, {"name": "b"})
    assert not keeps_its_name(ROLE, {"path": "/"}, {"path": "/b/"})


def test_the_new_one_has_other_ids_and_outlives_the_old_one() -> None:
    cloud, where = LocalCloud(), urn(FILE_SYSTEM)
    old = cloud.create(where, FILE_SYSTEM, {})
    new = cloud.create(where, FILE_SYSTEM, {"encrypted": True})
    assert (old.id, old.outputs["arn"]) != (new.id, new.outputs["arn"])
    assert cloud.leftovers == (where, where)
    cloud.delete(where, old.id)
    assert cloud.records == {where: new}
    assert not cloud.replaced
    cloud.delete(where, old.id)
    assert cloud.records == {where: new}
    cloud.delete(where, new.id)
    assert not cloud.leftovers


def test_revisions_of_a_task_definition_are_told_apart() -> None:
    cloud, where = LocalCloud(), urn(TASK)
    old = cloud.create(where, TASK, {"family": "f"})
    new = cloud.create(where, TASK, {"family": "f"})
    assert old.id == new.id
    assert [record.outputs["arn"].rsplit(":", 1)[1] for record in (old, new)] == ["1", "2"]
    cloud.delete(where, old.id)
    assert cloud.leftovers == (where,)
    assert cloud.read(where) == new


def test_what_is_made_again_has_other_ids() -> None:
    cloud, where = LocalCloud(), urn(FILE_SYSTEM)
    first = cloud.create(where, FILE_SYSTEM, {})
    cloud.delete(where, first.id)
    assert cloud.create(where, FILE_SYSTEM, {}).id != first.id
    assert LocalCloud().create(where, FILE_SYSTEM, {}).id == first.id
