"""An existing file system is taken over as docs/storage.md says, and only changed in place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack
from tests.bench.deployment.engine.whole_stack import fast_engine

ROOT = Path(__file__).resolve().parents[4]
FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
TAKEN = ("pypiserver:index:PypiServer", "pypiserver:index:Storage", FILE_SYSTEM)
URN = f"urn:pulumi:stress::pypiserver::{TAKEN[0]}${TAKEN[1]}${FILE_SYSTEM}::pypiserver"
AS_THE_MODULE_MADE_IT = {
    "creationToken": "terraform-20240101",
    "encrypted": True,
    "performanceMode": "generalPurpose",
    "throughputMode": "bursting",
    "tags": {"created_by": "terraform"},
}

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]


def test_a_file_system_is_imported_and_then_changed_in_place(tmp_path: Path) -> None:
    cloud = LocalCloud()
    existing = cloud.create(URN, FILE_SYSTEM, AS_THE_MODULE_MADE_IT)
    engine = fast_engine(cloud, tmp_path / "work")
    config = load_stack(ROOT, "stress", ["access_point_path=/"])[0]
    file = tmp_path / "import.json"

    def take_over() -> None:
        stack = engine._open(config)
        stack.preview(color="never", import_file=str(file))
        wanted = [resource for resource in json.loads(file.read_text())["resources"] if resource["type"] in TAKEN]
        assert len(wanted) == len(TAKEN)
        for resource in wanted:
            if "id" in resource:
                resource["id"] = existing.id
        stack.import_resources(resources=wanted, generate_code=False, protect=True)

    engine._operate(take_over)
    assert list(cloud.records.values()) == [existing]

    deployment = engine.up(config)

    file_system = deployment.graph.one(FILE_SYSTEM)
    assert file_system.id == existing.id
    assert file_system.inputs["throughputMode"] == "elastic"
    assert {kind: count for kind, count in engine.changes.items() if kind != "create"} == {"same": 3, "update": 1}
    assert deployment.graph.one("aws:efs/accessPoint:AccessPoint").inputs["rootDirectory"] == {"path": "/"}
    assert engine.down() == ()
