"""A stack whose zone is in another account: the provider that reaches it, through the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.engine.automation import AutomationEngine
from bench.engine.embedded import EmbeddedEngine
from bench.local_cloud.resources import LocalCloud
from bench.stack_config import load_stack
from tests.bench.command_line import ROOT

ENTROPY = b"the same for both"
SETTINGS = (
    "zone_id=Z0123456789ABCDEFGHIJ",
    "dns_names=pypi,wheels",
    "dns_role_arn=arn:aws:iam::210987654321:role/dns",
    "waf_enabled=true",
)


@pytest.mark.engine
@pytest.mark.usefixtures("pulumi_on_path")
def test_the_real_engine_makes_the_same_of_it(tmp_path: Path) -> None:
    config, _ = load_stack(ROOT, "stress", SETTINGS)
    cloud = LocalCloud(entropy=ENTROPY)
    engine = AutomationEngine(cloud, ROOT, tmp_path / "work")
    deployment = engine.up(config)
    assert deployment == EmbeddedEngine(LocalCloud(entropy=ENTROPY), ROOT).up(config)
    resources = len(deployment.graph) + 2  # the stack, and the provider, which no graph holds
    assert engine.changes == {"create": resources}
    assert engine.preview(config) == {"same": resources}
    assert engine.down() == ()
    assert not cloud.records
