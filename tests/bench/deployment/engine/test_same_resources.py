"""The property that the local run stands on: the same resources, whichever engine evaluates the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.deployment.engine import Deployment, StackConfig
from bench.deployment.engine.automation import AutomationEngine
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.engine.workspace import Workspace
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack
from sizing.profiles import PROFILES
from tests.bench.deployment.engine.whole_stack import fast_engine

ROOT = Path(__file__).resolve().parents[4]
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
# Both clouds must generate the same passwords.
ENTROPY = b"the same for both"

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]


def embedded(project: Path, config: StackConfig) -> Deployment:
    return EmbeddedEngine(LocalCloud(entropy=ENTROPY), project).up(config)


def test_small_project(project: Path, config: StackConfig, tmp_path: Path) -> None:
    engine = AutomationEngine(LocalCloud(entropy=ENTROPY), project, Workspace.within(tmp_path / "work"))
    deployment = engine.up(config)
    assert deployment.graph.resources == embedded(project, config).graph.resources
    assert deployment == embedded(project, config)
    assert engine.down() == ()


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_through_its_whole_life(stack: str, tmp_path: Path) -> None:
    cloud = LocalCloud(entropy=ENTROPY)
    config, _ = load_stack(ROOT, stack)
    engine = fast_engine(cloud, tmp_path / "work")

    deployment = engine.up(config)
    wanted = embedded(ROOT, config)
    assert deployment.graph.resources == wanted.graph.resources
    assert deployment == wanted
    resources = len(wanted.graph) + 1  # and the stack
    assert engine.changes == {"create": resources}
    records = cloud.records

    assert engine.preview(config) == {"same": resources}
    assert engine.up(config) == deployment
    assert engine.changes == {"same": resources}
    engine.refresh()
    assert engine.changes == {"same": resources}
    assert cloud.records == records

    assert engine.down() == ()
    assert not cloud.records


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile(profile: str, tmp_path: Path) -> None:
    # A stack of its own for each: what an update is told to ignore stays as the profile before had it.
    config, _ = load_stack(ROOT, "stress", [f"profile={profile}"])
    engine = fast_engine(LocalCloud(entropy=ENTROPY), tmp_path / "work")
    deployment = engine.up(config)
    wanted = embedded(ROOT, config)
    assert deployment.graph.resources == wanted.graph.resources
    assert deployment == wanted
    assert engine.down() == ()
