"""The networks that no stack has, on the real engine: known only after they are made, and known before."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.deployment.engine import StackConfig
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack
from tests.bench.deployment.engine.whole_stack import changes, fast_engine
from tests.pypiserver_stack.network.test_reachability import ECR_IMAGE, GIVEN
from tests.pypiserver_stack.support.evaluation import ROOT

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
    engine = fast_engine(LocalCloud(entropy=b"the same for both"), tmp_path / "work")
    wanted = EmbeddedEngine(LocalCloud(entropy=b"the same for both"), ROOT).up(config)
    resources = len(wanted.graph) + 1  # and the stack
    assert engine.preview(config) == {"create": resources}
    assert engine.up(config).graph.resources == wanted.graph.resources
    assert engine.preview(config) == {"same": resources}
    assert engine.down() == ()


def test_another_way_out_replaces_nothing(tmp_path: Path) -> None:
    engine = fast_engine(LocalCloud(), tmp_path / "work")
    engine.up(load_stack(ROOT, "stress")[0])
    before = engine.changes["create"]
    engine.up(load_stack(ROOT, "stress", ["nat_gateways=one_per_zone"])[0])
    # A gateway and its address; the route of the second zone now leads there.
    assert engine.changes == {"create": 2, "update": 1, "same": before - 1}
    assert engine.down() == ()


def given(zones: str) -> StackConfig:
    """Subnets of these zones; the balancer's in all three."""
    instances = ",".join(f"subnet-0123456789abcde0{'abc'.index(zone)}" for zone in zones)
    balancer = ",".join(f"subnet-0123456789abcde3{i}" for i in range(3))
    overrides = (f"instance_subnet_ids={instances}", f"balancer_subnet_ids={balancer}")
    return load_stack(ROOT, "stress", overrides)[0]


def test_a_zone_keeps_its_mount_target_whichever_others_there_are(tmp_path: Path) -> None:
    """A file system takes one in each zone: a second one, before the first is gone, is refused."""
    engine = fast_engine(LocalCloud(), tmp_path / "work")
    engine.up(given("abc"))

    def mount_targets_changed(zones: str) -> dict[str, str]:
        previewed = engine._operate(lambda: changes(engine._open(given(zones)).preview))
        assert "Group" in previewed, "the subnets are others"
        return {label: kind for label, kind in previewed.items() if label.startswith("MountTarget")}

    assert mount_targets_changed("cab") == {}
    assert mount_targets_changed("bc") == {"MountTarget us-west-2a": "delete"}
    assert mount_targets_changed("ac") == {"MountTarget us-west-2b": "delete"}
