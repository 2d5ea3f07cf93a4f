"""The networks that no stack has, on the real engine: known only after they are made, and known before."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.engine.automation import AutomationEngine
from bench.engine.embedded import EmbeddedEngine
from bench.local_cloud.resources import LocalCloud
from bench.stack_config import load_stack
from tests.pypiserver_stack.evaluation import ROOT
from tests.pypiserver_stack.test_reachability import ECR_IMAGE, GIVEN

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]


@pytest.mark.parametrize(
    "overrides",
    [
        ("nat_gateways=none", "ipv6_enabled=true", "flow_logs_enabled=true", "availability_zone_count=3", ECR_IMAGE),
        (*GIVEN, "ipv6_enabled=true", "resolver_addresses=10.20.0.2"),
    ],
    ids=["no NAT", "given"],
)
def test_every_network_through_its_whole_life(overrides: tuple[str, ...], tmp_path: Path) -> None:
    config, _ = load_stack(ROOT, "stress", overrides)
    engine = AutomationEngine(LocalCloud(entropy=b"the same for both"), ROOT, tmp_path / "work")
    wanted = EmbeddedEngine(LocalCloud(entropy=b"the same for both"), ROOT).up(config)
    resources = len(wanted.graph) + 1  # and the stack
    assert engine.preview(config) == {"create": resources}
    assert engine.up(config).graph.resources == wanted.graph.resources
    assert engine.preview(config) == {"same": resources}
    assert engine.down() == ()


def test_another_way_out_replaces_nothing(tmp_path: Path) -> None:
    engine = AutomationEngine(LocalCloud(), ROOT, tmp_path / "work")
    engine.up(load_stack(ROOT, "stress")[0])
    before = engine.changes["create"]
    engine.up(load_stack(ROOT, "stress", ["nat_gateways=one_per_zone"])[0])
    # A gateway and its address; the route of the second zone now leads there.
    assert engine.changes == {"create": 2, "update": 1, "same": before - 1}
    assert engine.down() == ()
