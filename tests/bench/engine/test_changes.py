"""The real engine over the whole program: a setting changes exactly what it concerns; what failed can be retried."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi.automation import Stack

from bench.engine.automation import AutomationEngine
from bench.failures import BenchError
from bench.local_cloud.resources import Fault, LocalCloud
from bench.stack_config import load_stack

ROOT = Path(__file__).resolve().parents[3]
CHANGES = {
    "idle_timeout_s=50": {("aws:lb/loadBalancer:LoadBalancer", "update")},
    "log_retention_days=30": {("aws:cloudwatch/logGroup:LogGroup", "update")},
    "efs_throughput_mode=bursting": {
        ("aws:efs/fileSystem:FileSystem", "update"),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", "create"),
        ("aws:cloudwatch/dashboard:Dashboard", "update"),
    },
    "timing_headers=false": {
        ("aws:ecs/taskDefinition:TaskDefinition", "replace"),
        ("aws:ecs/service:Service", "update"),
    },
}
"""Setting to what it changes in the stress stack: type and kind of change."""

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]


def changed(stack: Stack) -> set[tuple[str, str]]:
    """What an update changes in the cloud; all that a replacement consists of is one change."""
    steps: set[tuple[str, str]] = set()

    def note(event: object) -> None:
        step = getattr(getattr(event, "resource_pre_event", None), "metadata", None)
        if step is not None and step.type.startswith(("aws:", "random:")):
            operation = str(getattr(step.op, "value", step.op))
            if operation in ("create", "update", "delete", "replace"):
                steps.add((step.type, operation))

    stack.up(color="never", on_event=note)
    return steps


def test_a_setting_changes_what_it_concerns(tmp_path: Path) -> None:
    engine = AutomationEngine(LocalCloud(), ROOT, tmp_path / "work")
    engine.up(load_stack(ROOT, "stress")[0])
    found, settings = {}, list[str]()
    for setting in CHANGES:
        settings.append(setting)
        config = load_stack(ROOT, "stress", settings)[0]
        found[setting] = engine._operate(lambda config=config: changed(engine._open(config)))  # type: ignore[misc]
    assert found == CHANGES
    assert engine.down() == ()


# From the first that is made to the last, what others need and what needs them.
@pytest.mark.parametrize(
    "type_",
    [
        "aws:efs/fileSystem:FileSystem",
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws:ecs/service:Service",
    ],
)
def test_after_a_create_that_failed_nothing_is_left_and_it_can_be_tried_again(type_: str, tmp_path: Path) -> None:
    cloud = LocalCloud([Fault("create", type=type_, error="the limit is reached")])
    engine = AutomationEngine(cloud, ROOT, tmp_path / "work")
    config = load_stack(ROOT, "stress")[0]
    with pytest.raises(BenchError, match="the limit is reached"):
        engine.up(config)
    assert engine.down() == ()
    assert not cloud.leftovers
    again = AutomationEngine(cloud, ROOT, tmp_path / "again")
    again.up(config)
    assert again.down() == ()
