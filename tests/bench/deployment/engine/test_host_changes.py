"""What a change of the hosts changes, by the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack
from tests.bench.deployment.engine.whole_stack import fast_engine

ROOT = Path(__file__).resolve().parents[4]
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP = "aws:autoscaling/group:Group"

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]


def test_a_changed_file_changes_the_template_and_rolls_the_group(tmp_path: Path) -> None:
    cloud = LocalCloud()
    engine = fast_engine(cloud, tmp_path / "work")
    before = engine.up(load_stack(ROOT, "stress")[0])
    records = cloud.records

    motd = 'host_extra_files=[{"path": "/etc/motd", "content": "welcome"}]'
    after = engine.up(load_stack(ROOT, "stress", [motd])[0])
    assert engine.changes == {"same": len(before.graph) - 1, "update": 2}
    changed = {record.type for urn, record in cloud.records.items() if record != records[urn]}
    assert changed == {TEMPLATE, GROUP}
    versions = [d.graph.one(GROUP).inputs["launchTemplate"]["version"] for d in (before, after)]
    assert versions == ["1", "2"]

    engine.up(load_stack(ROOT, "stress", [motd])[0])
    assert engine.changes == {"same": len(before.graph) + 1}
    assert engine.down() == ()
