"""How the service scales and is deployed, as recorded in its resources, and that an update leaves the scale alone."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bench.common.failures import UnavailableError, UsageError
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.local_cloud import LocalCloud, computed
from bench.deployment.stack_config import load_stack
from tests.bench.deployment.engine.whole_stack import fast_engine
from tests.pypiserver_stack.support.evaluation import ROOT, evaluated, inputs

SERVICE = "aws:ecs/service:Service"
GROUP = "aws:autoscaling/group:Group"
TARGET = "aws:appautoscaling/target:Target"
SCHEDULE = [
    {"name": "monday", "schedule": "cron(0 8 ? * MON *)", "timezone": "Europe/Berlin", "task_min_count": 20},
    {"name": "evening", "schedule": "at(2030-01-31T18:00:00)", "task_min_count": 12, "task_max_count": 24},
]


def policies(*overrides: str) -> dict[str, dict[str, Any]]:
    found = evaluated("stress", overrides).graph.of_type("aws:appautoscaling/policy:Policy")
    return {policy.name: policy.inputs["targetTrackingScalingPolicyConfiguration"] for policy in found}


def test_cpu_alone_by_default() -> None:
    assert policies() == {
        "pypiserver-cpu": {
            "targetValue": 60,
            "predefinedMetricSpecification": {"predefinedMetricType": "ECSServiceAverageCPUUtilization"},
            "scaleOutCooldown": 60,
            "scaleInCooldown": 300,
        }
    }


def test_every_target_and_the_cooldowns_are_settings() -> None:
    overrides = (
        "scaling_cpu_percent=50",
        "scaling_memory_percent=75",
        "scaling_requests_per_task_per_min=900",
        "scale_out_cooldown_s=30",
        "scale_in_cooldown_s=600",
    )
    found = policies(*overrides)
    assert {name: policy["targetValue"] for name, policy in found.items()} == {
        "pypiserver-cpu": 50,
        "pypiserver-memory": 75,
        "pypiserver-requests": 900,
    }
    assert {(policy["scaleOutCooldown"], policy["scaleInCooldown"]) for policy in found.values()} == {(30, 600)}
    graph = evaluated("stress", overrides).graph
    balancer, group = (graph.one(f"aws:lb/{kind}") for kind in ("loadBalancer:LoadBalancer", "targetGroup:TargetGroup"))
    assert found["pypiserver-requests"]["predefinedMetricSpecification"] == {
        "predefinedMetricType": "ALBRequestCountPerTarget",
        "resourceLabel": f"{balancer.outputs['arnSuffix']}/{group.outputs['arnSuffix']}",
    }
    assert balancer.outputs["arn"].endswith(f"loadbalancer/{balancer.outputs['arnSuffix']}")
    (requests,) = (r for r in graph.of_type("aws:appautoscaling/policy:Policy") if r.name == "pypiserver-requests")
    assert graph.one("aws:lb/listener:Listener").urn in requests.dependencies


def test_known_peaks() -> None:
    graph = evaluated("stress", (f"scheduled_scaling={json.dumps(SCHEDULE)}",)).graph
    actions = {r.name: r.inputs for r in graph.of_type("aws:appautoscaling/scheduledAction:ScheduledAction")}
    target = graph.one(TARGET).inputs
    assert {action["resourceId"] for action in actions.values()} == {target["resourceId"]}
    monday, evening = actions["pypiserver-monday"], actions["pypiserver-evening"]
    assert (monday["schedule"], monday["timezone"]) == ("cron(0 8 ? * MON *)", "Europe/Berlin")
    assert (evening["schedule"], evening["timezone"]) == ("at(2030-01-31T18:00:00)", "UTC")
    assert monday["scalableTargetAction"] == {"minCapacity": 20}
    assert evening["scalableTargetAction"] == {"minCapacity": 12, "maxCapacity": 24}


def test_what_concerns_one_target_is_made_one_after_the_other() -> None:
    overrides = (
        "scaling_memory_percent=80",
        "scaling_requests_per_task_per_min=600",
        f"scheduled_scaling={json.dumps(SCHEDULE)}",
    )
    graph = evaluated("stress", overrides).graph
    policies, actions = (f"aws:appautoscaling/{kind}" for kind in ("policy:Policy", "scheduledAction:ScheduledAction"))
    of_the_target = [one for one in graph if one.type in (policies, actions)]
    assert len(of_the_target) == 5
    for before, after in pairwise(of_the_target):
        assert before.urn in after.dependencies


def test_more_than_the_hosts_hold_is_refused() -> None:
    beyond = json.dumps([SCHEDULE[0] | {"task_min_count": 25}])
    with pytest.raises(UsageError, match=r"monday: task_min_count 25.*at most task_max_count, which is 24"):
        evaluated("stress", (f"scheduled_scaling={beyond}",))


def test_how_tasks_are_replaced() -> None:
    service = inputs(SERVICE)
    assert (service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (50, 200)
    assert service["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert service["orderedPlacementStrategies"] == [
        {"type": "spread", "field": "attribute:ecs.availability-zone"},
        {"type": "binpack", "field": "memory"},
    ]
    assert (service["healthCheckGracePeriodSeconds"], service["waitForSteadyState"]) == (60, True)
    assert service["availabilityZoneRebalancing"] == "ENABLED"
    changed = inputs(
        SERVICE,
        "deployment_minimum_healthy_percent=25",
        "deployment_maximum_percent=100",
        "health_check_grace_period_s=90",
        "wait_for_steady_state=false",
    )
    assert (changed["deploymentMinimumHealthyPercent"], changed["deploymentMaximumPercent"]) == (25, 100)
    assert (changed["healthCheckGracePeriodSeconds"], changed["waitForSteadyState"]) == (90, False)
    assert changed["availabilityZoneRebalancing"] == "DISABLED"  # AWS refuses it where no task may be added


@pytest.mark.parametrize(
    ("profile", "minimum", "maximum", "would_do"),
    [("light", 50, 150, 200), ("tested", 100, 100, 109), ("tested", 95, 108, 109)],
)
def test_percentages_that_let_nothing_be_replaced_are_refused(
    profile: str, minimum: int, maximum: int, would_do: int
) -> None:
    # A host more than the tasks need, so that room is not what lacks.
    wanted = (f"profile={profile}", "instance_max_count=5", f"deployment_minimum_healthy_percent={minimum}")
    with pytest.raises(UsageError, match=f"no task could ever be replaced: {would_do} would do"):
        evaluated("stress", (*wanted, f"deployment_maximum_percent={maximum}"))
    evaluated("stress", (*wanted, f"deployment_maximum_percent={would_do}"))


def test_an_update_fails_when_its_deployment_was_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def rolled_back(origin: computed.Origin, given: computed.Inputs) -> tuple[str, computed.Computed]:
        id_, outputs = computed.RESOURCES[TARGET](origin, {"resourceId": "service"})
        return id_, outputs | {"name": "service", "arn": "arn", "taskDefinition": "the-one-before"}

    monkeypatch.setattr(computed, "RESOURCES", {**computed.RESOURCES, SERVICE: rolled_back})
    config, _ = load_stack(ROOT, "stress")
    with pytest.raises(UnavailableError, match="was rolled back to the-one-before"):
        EmbeddedEngine(LocalCloud(), ROOT).up(config)
    waits_for_nothing, _ = load_stack(ROOT, "stress", ["wait_for_steady_state=false"])
    assert EmbeddedEngine(LocalCloud(), ROOT).up(waits_for_nothing).outputs["task_definition_arn"] == "the-one-before"


@pytest.mark.engine
def test_an_update_of_something_else_leaves_the_scale_alone(
    tmp_path: Path, pulumi_cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{pulumi_cli}{os.pathsep}{os.environ['PATH']}")
    cloud = LocalCloud()
    engine = fast_engine(cloud, tmp_path / "work")
    config, _ = load_stack(ROOT, "stress")
    engine.up(config)
    (service,), (group,) = ([r for r in cloud.records.values() if r.type == kind] for kind in (SERVICE, GROUP))
    cloud.update(service.urn, {**service.inputs, "desiredCount": 20})
    cloud.update(group.urn, {**group.inputs, "desiredCapacity": 4})
    engine.refresh()

    changed, _ = load_stack(ROOT, "stress", ["health_check_grace_period_s=90", "environment=another"])
    engine.up(changed)
    after = cloud.records
    assert after[service.urn].inputs["healthCheckGracePeriodSeconds"] == 90
    assert after[service.urn].inputs["desiredCount"] == 20
    assert {"key": "environment", "value": "another", "propagateAtLaunch": True} in after[group.urn].inputs["tags"]
    assert after[group.urn].inputs["desiredCapacity"] == 4
    assert engine.down() == ()
