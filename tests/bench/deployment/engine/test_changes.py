"""What a change of a setting changes, on the real engine over the whole program: the tables of docs/changes.md."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.deployment.engine import StackConfig
from bench.deployment.engine.automation import AutomationEngine
from pypiserver_stack.settings import Settings, read_settings
from tests.bench.deployment.engine.changes import PAGE, DocumentedChange, tables
from tests.bench.deployment.engine.failing_cloud import FailingCloud
from tests.bench.deployment.engine.whole_stack import WHOLE, changes, fast_engine, label, whole

TOGETHER, ALONE = tables()
# Of these the page says in words what a change of them does.
IN_WORDS = {"service_name"}


@pytest.fixture(scope="module")
def cloud() -> FailingCloud:
    """One that refuses what AWS would, and nothing else."""
    return FailingCloud()


@pytest.fixture(scope="module")
def engine(
    cloud: FailingCloud, pulumi_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AutomationEngine]:
    """An engine with the whole stack, which is gone afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{pulumi_folder}{os.pathsep}{os.environ['PATH']}")
        engine = fast_engine(cloud, tmp_path_factory.mktemp("work"))
    engine.up(whole())
    yield engine
    # Without protection, it can be taken away.
    engine.up(whole())
    assert engine.down() == ()


def previewed(engine: AutomationEngine, config: StackConfig) -> dict[str, str]:
    return engine._operate(lambda: changes(engine._open(config).preview))


def updated(engine: AutomationEngine, config: StackConfig) -> dict[str, str]:
    return engine._operate(lambda: changes(engine._open(config).up))


def config(*made: DocumentedChange) -> StackConfig:
    """The whole stack with changes made."""
    return whole(
        *(setting for change in made for setting in change.after), without={key for one in made for key in one.settings}
    )


def settings(config: StackConfig) -> Settings:
    return read_settings({key.removeprefix("pypiserver:"): value for key, value in config.values.items()})


def test_the_page_describes_the_stack_that_is_changed() -> None:
    assert "\n".join(("```", *WHOLE, "```")) in PAGE.read_text("utf-8")


def test_the_page_has_every_setting() -> None:
    listed = {key for change in (*TOGETHER, *ALONE) for key in change.settings}
    assert listed | IN_WORDS == set(Settings.model_fields)


@pytest.mark.parametrize("change", [*TOGETHER, *ALONE], ids=lambda change: " ".join(sorted(change.settings)))
def test_a_change_begins_with_what_is_so(change: DocumentedChange) -> None:
    assert settings(whole(*change.before, without=change.settings)) == settings(whole())
    assert settings(config(change)) != settings(whole())


@pytest.mark.engine
@pytest.mark.thorough
@pytest.mark.parametrize("change", [*TOGETHER, *ALONE], ids=lambda change: " ".join(sorted(change.settings)))
def test_a_setting_changes_what_it_concerns(
    change: DocumentedChange, engine: AutomationEngine, cloud: FailingCloud
) -> None:
    existing = {label(urn) for urn in cloud.records}
    assert previewed(engine, config(change)) == change.concerns(existing)
    assert not cloud.replaced


@pytest.mark.engine
def test_many_settings_change_what_they_concern(engine: AutomationEngine, cloud: FailingCloud) -> None:
    """All changes that can be made together, in one update, which does what its preview says."""
    existing = {label(urn) for urn in cloud.records}
    concerned: dict[str, set[str]] = {}
    for change in TOGETHER:
        for resource, kind in change.concerns(existing).items():
            concerned.setdefault(resource, set()).add(kind)
    # Only the most that is done to a resource shows.
    order = ["update", "replace", "create", "delete"]
    wanted = {resource: max(kinds, key=order.index) for resource, kinds in concerned.items()}
    changed = config(*TOGETHER)
    assert previewed(engine, changed) == wanted
    assert updated(engine, changed) == wanted


@pytest.mark.engine
def test_a_network_and_a_balancer_take_the_place_of_others(engine: AutomationEngine, cloud: FailingCloud) -> None:
    """Where AWS takes only one, the old one goes first: the cloud refuses two."""
    # What is deployed, not what is configured, says whether it is protected.
    engine.up(whole())
    addresses = {record.id for record in cloud.records.values() if record.type == "aws:ec2/eip:Eip"}
    changed = updated(engine, whole("vpc_cidr=10.20.0.0/16", "balancer_scheme=internal"))
    assert {changed[one] for one in ("NatGateway 0", "MountTarget 0", "Listener", "LoadBalancer")} == {"replace"}
    assert {record.id for record in cloud.records.values() if record.type == "aws:ec2/eip:Eip"} >= addresses
    assert not cloud.replaced
