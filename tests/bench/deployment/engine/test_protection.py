"""The real engine and what is protected: what would replace it is refused, and a destroy leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.common.failures import BenchError
from bench.deployment.engine import StackConfig
from bench.deployment.engine.automation import AutomationEngine
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack
from tests.bench.deployment.engine.changes import tables
from tests.bench.deployment.engine.whole_stack import fast_engine

ROOT = Path(__file__).resolve().parents[4]
FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
VPC = "aws:ec2/vpc:Vpc"
PROTECTED = {FILE_SYSTEM, BALANCER, TARGET_GROUP, VPC}
REPLACING = [change for table in tables() for change in table if ("FileSystem", "replace") in change.resources]
"""The changes of docs/changes.md that AWS makes another file system for."""
OTHERS: dict[str, tuple[str, ...]] = {
    BALANCER: ("balancer_scheme=internet-facing", "allowed_cidrs=203.0.113.0/24"),
    VPC: ("vpc_cidr=10.20.0.0/16",),
    TARGET_GROUP: (
        "instance_subnet_ids=subnet-0123456789abcde00,subnet-0123456789abcde01",
        "balancer_subnet_ids=subnet-0123456789abcde30,subnet-0123456789abcde31",
    ),
}
"""What else is protected, and a change that would replace it."""

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]


def config(*overrides: str) -> StackConfig:
    return load_stack(ROOT, "stress", overrides)[0]


@pytest.fixture
def cloud() -> LocalCloud:
    return LocalCloud()


@pytest.fixture
def engine(cloud: LocalCloud, tmp_path: Path) -> Iterator[AutomationEngine]:
    """An engine whose stack is gone afterwards."""
    engine = fast_engine(cloud, tmp_path / "work")
    yield engine
    # Without protection: it can be taken away.
    engine.up(config())
    assert engine.down() == ()


def destroy(engine: AutomationEngine) -> None:
    """As a person does it at the command line: `down` goes on after an error, to leave as little as it can."""
    stack = engine._stack
    assert stack is not None
    engine._operate(lambda: stack.destroy(color="never"))


def test_while_they_are_protected_nothing_replaces_or_deletes_them(cloud: LocalCloud, engine: AutomationEngine) -> None:
    protected = "deletion_protection=true"
    engine.up(config(protected))
    records = cloud.records

    for change in REPLACING:
        for attempt in (engine.preview, engine.up):
            with pytest.raises(BenchError, match=f"unable to replace resource .*{FILE_SYSTEM}"):
                attempt(config(protected, *change.after))
            assert cloud.records == records
    # Before these an update without a preview may have made something.
    for type_, overrides in OTHERS.items():
        with pytest.raises(BenchError, match=f"unable to replace resource .*{type_}"):
            engine.preview(config(protected, *overrides))
    # Under another name everything is made again, and the old ones would go at last.
    with pytest.raises(BenchError, match="cannot be deleted"):
        engine.preview(config(protected, "service_name=wheels"))
    assert cloud.records == records
    with pytest.raises(BenchError, match="cannot be deleted"):
        destroy(engine)
    assert [r for r in cloud.records.values() if r.type in PROTECTED] == [
        r for r in records.values() if r.type in PROTECTED
    ]

    # Everything else is made again around it, and what AWS changes in place is changed.
    changed = engine.up(config(protected, "efs_throughput_mode=bursting"))
    assert changed.graph.one(FILE_SYSTEM).inputs["throughputMode"] == "bursting"
    assert engine.changes["update"] == 1


def test_without_protection_they_are_replaced(cloud: LocalCloud, engine: AutomationEngine) -> None:
    """So that the other test can fail: the change that is refused there is one that replaces."""
    engine.up(config())
    assert REPLACING
    for changed in (*(change.after for change in REPLACING), *OTHERS.values()):
        assert engine.preview(config(*changed))["replace"] >= 1
