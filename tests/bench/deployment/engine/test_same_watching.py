"""With everything that watches a deployment switched on, both engines make the same resources too."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack
from tests.bench.deployment.engine.whole_stack import fast_engine

ROOT = Path(__file__).resolve().parents[4]
ENTROPY = b"the same for both"

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]


def test_everything_is_watched_and_people_are_told(tmp_path: Path) -> None:
    overrides = [
        "profile=medium",
        "alarm_emails=ops@wheels.example,night+shift@wheels.example",
        "alarm_topic_arns=arn:aws:sns:us-west-2:123456789012:pager",
        "efs_throughput_mode=bursting",
    ]
    config, _ = load_stack(ROOT, "stress", overrides)
    engine = fast_engine(LocalCloud(entropy=ENTROPY), tmp_path / "work")
    deployment = engine.up(config)
    wanted = EmbeddedEngine(LocalCloud(entropy=ENTROPY), ROOT).up(config)
    assert deployment.graph.resources == wanted.graph.resources
    assert deployment == wanted
    assert engine.preview(config) == {"same": len(wanted.graph) + 1}
    assert engine.down() == ()
