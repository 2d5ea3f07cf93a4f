"""The real engine and what others did to the whole deployment: a refresh sees it, and an update makes it good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.deployment.local_cloud import LocalCloud
from tests.bench.deployment.engine.whole_stack import changes, fast_engine, whole

ALTERED: dict[str, tuple[str, dict[str, Any]]] = {
    "TargetGroup": ("aws:lb/targetGroup:TargetGroup", {"deregistrationDelay": 300}),
    "SecurityGroupIngressRule balancer-to-instances": (
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {"fromPort": 0, "toPort": 65535},
    ),
    "FileSystem": ("aws:efs/fileSystem:FileSystem", {"throughputMode": "bursting"}),
}
REMOVED = {
    "Policy cpu": "aws:appautoscaling/policy:Policy",
    "MountTarget 1": "aws:efs/mountTarget:MountTarget",
    "BucketPublicAccessBlock access-logs": "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
}

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]


def urn(cloud: LocalCloud, label: str, type_: str) -> str:
    name = f"pypiserver-{label.partition(' ')[2]}".removesuffix("-")
    (found,) = (urn for urn in cloud.records if urn.endswith(f"{type_}::{name}"))
    return found


def test_what_was_altered_or_removed_outside_is_put_right(tmp_path: Path) -> None:
    cloud, config = LocalCloud(), whole()
    engine = fast_engine(cloud, tmp_path / "work")
    engine.up(config)
    inputs = {urn: record.inputs for urn, record in cloud.records.items()}
    for label, (type_, other) in ALTERED.items():
        altered = urn(cloud, label, type_)
        cloud.update(altered, {**inputs[altered], **other})
    for label, type_ in REMOVED.items():
        cloud.delete(urn(cloud, label, type_))

    engine.refresh()
    assert {kind: engine.changes[kind] for kind in ("update", "delete")} == {"update": 3, "delete": 3}
    made_good = engine.drive(lambda stack: changes(stack.up))
    assert made_good == {**dict.fromkeys(ALTERED, "update"), **dict.fromkeys(REMOVED, "create")}
    assert {urn: record.inputs for urn, record in cloud.records.items()} == inputs
    assert engine.down() == ()
