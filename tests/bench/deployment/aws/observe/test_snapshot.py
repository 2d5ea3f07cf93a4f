"""Facts about a stack before a load."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.deployment.aws.observe.snapshot import snapshot
from bench.deployment.stack_config import PROJECT_FOLDER, load_stack
from tests.bench.deployment.aws.recorded_aws import DENIED, Answer, RecordedAws
from tests.bench.deployment.aws.scripted_stack import ACCOUNT, ScriptedStack, running_task, target
from tests.bench.deployment.aws.stack import handles
from tests.evaluation_cache import deployment_of

ARNS = [f"{ACCOUNT}:container-instance/x/{name}" for name in ("aaaa", "bbbb")]


def _instance(arn: str, instance_id: str, zone: str) -> dict[str, Any]:
    attributes = {
        "ecs.availability-zone": zone,
        "ecs.instance-type": "c6a.xlarge",
        "ecs.ami-id": "ami-0123",
        "ecs.capability.logging-driver.awslogs": None,
    }
    return {
        "containerInstanceArn": arn,
        "ec2InstanceId": instance_id,
        "versionInfo": {"agentVersion": "1.99.0", "dockerVersion": "DockerVersion: 25.0.8"},
        "attributes": [
            {"name": name, **({} if value is None else {"value": value})} for name, value in attributes.items()
        ],
    }


def _definition(parameters: Mapping[str, Any]) -> dict[str, Any]:
    graph = deployment_of(load_stack(PROJECT_FOLDER, "stress")[0]).graph
    inputs = graph.one("aws:ecs/taskDefinition:TaskDefinition").inputs
    (container,) = json.loads(inputs["containerDefinitions"])
    files = next(one for one in container["environment"] if one["name"] == "SERVER_FILES")
    if parameters["taskDefinition"].endswith("other:1"):
        files = {**files, "value": "of another checkout"}
    environment = [{"name": "TOKEN", "value": "s3cret"}, files]
    return {"taskDefinition": {"containerDefinitions": [{"name": "pypiserver", "environment": environment}]}}


@pytest.fixture
def stack() -> ScriptedStack:
    tasks = [
        running_task(handles(), f"{number:02x}", containerInstanceArn=ARNS[number % 3 == 0]) for number in range(12)
    ]
    return ScriptedStack(handles(), running=tasks)


def _answers(stack: ScriptedStack) -> dict[str, Answer]:
    instances = [_instance(ARNS[0], "i-a", "us-west-2a"), _instance(ARNS[1], "i-b", "us-west-2b")]
    return {
        **stack.answers,
        "ecs:ListContainerInstances": {"containerInstanceArns": ARNS},
        "ecs:DescribeContainerInstances": {"containerInstances": instances},
        "ecs:DescribeTaskDefinition": _definition,
        "efs:DescribeFileSystems": {
            "FileSystems": [
                {
                    "OwnerId": "123456789012",
                    "CreationToken": "x",
                    "FileSystemId": "fs-1",
                    "CreationTime": datetime.now(UTC),
                    "LifeCycleState": "available",
                    "NumberOfMountTargets": 2,
                    "PerformanceMode": "generalPurpose",
                    "ThroughputMode": "elastic",
                    "SizeInBytes": {"Value": 512 * 2**20},
                    "Tags": [],
                }
            ]
        },
        "cloudwatch:GetMetricStatistics": lambda parameters: {
            "Datapoints": [
                {"Timestamp": datetime.now(UTC) - timedelta(minutes=10), "Minimum": 1.0},
                {"Timestamp": datetime.now(UTC) - timedelta(minutes=5), "Minimum": 3.0 * 2**30},
            ]
            if parameters["MetricName"] == "BurstCreditBalance" or parameters["Dimensions"][0]["Value"] == "i-a"
            else []
        },
    }


def test_facts_of_a_healthy_stack(monkeypatch: pytest.MonkeyPatch, stack: ScriptedStack) -> None:
    facts = dict(snapshot(RecordedAws(monkeypatch, _answers(stack)).session, handles()))
    definition = handles().task_definition_arn.split("/")[-1]
    assert facts == {
        "targets": "12 healthy",
        "tasks": "8 on i-a in us-west-2a, 4 on i-b in us-west-2b",
        "task definition": f"12 {definition}",
        "image": "12 pypiserver/pypiserver:v2.4.2@sha256:0123",
        "server files": f"sha256 {handles().server_files_sha256[:12]}, as deployed",
        "instances": "1 c6a.xlarge in us-west-2a, 1 c6a.xlarge in us-west-2b",
        "image of the instances": "2 ami-0123",
        "ECS agent and Docker": "2 1.99.0 and 25.0.8",
        "file system": "elastic throughput, generalPurpose, 512 MB metered",
    }


def test_targets_that_are_not_healthy_say_why(monkeypatch: pytest.MonkeyPatch, stack: ScriptedStack) -> None:
    stack.targets = [target("healthy")] * 10 + [target("unhealthy", "Target.ResponseCodeMismatch", "codes [502]")] * 2
    facts = dict(snapshot(RecordedAws(monkeypatch, _answers(stack)).session, handles()))
    assert facts["targets"] == "10 healthy, 2 unhealthy: Target.ResponseCodeMismatch: codes [502]"


def test_files_of_another_checkout_are_told(monkeypatch: pytest.MonkeyPatch, stack: ScriptedStack) -> None:
    stack.running[3]["taskDefinitionArn"] = f"{ACCOUNT}:task-definition/other:1"
    facts = dict(snapshot(RecordedAws(monkeypatch, _answers(stack)).session, handles()))
    assert facts["server files"].startswith("not those that were deployed: sha256 ")
    assert "1 other:1" in facts["task definition"]


def test_credits_are_those_of_modes_that_have_them(monkeypatch: pytest.MonkeyPatch, stack: ScriptedStack) -> None:
    burstable = handles(instance_type="t3.large", efs_throughput_mode="bursting")
    facts = dict(snapshot(RecordedAws(monkeypatch, _answers(stack)).session, burstable))
    assert facts["EFS burst credits"] == "3 GB"
    assert facts["CPU credits"] == f"i-a: {3 * 2**30}, i-b: not published yet"


def test_every_instance_of_a_large_cluster_is_described(monkeypatch: pytest.MonkeyPatch, stack: ScriptedStack) -> None:
    described: list[int] = []

    def describe(parameters: Mapping[str, Any]) -> dict[str, Any]:
        arns = parameters["containerInstances"]
        described.append(len(arns))
        return {"containerInstances": [_instance(arn, f"i-{arn[-3:]}", "us-west-2a") for arn in arns]}

    arns = [f"{ACCOUNT}:container-instance/x/{number:03d}" for number in range(230)]
    answers = {
        **_answers(stack),
        "ecs:ListContainerInstances": {"containerInstanceArns": arns},
        "ecs:DescribeContainerInstances": describe,
    }
    facts = dict(snapshot(RecordedAws(monkeypatch, answers).session, handles()))
    assert facts["instances"] == "230 c6a.xlarge in us-west-2a"
    assert described == [100, 100, 30]


def test_nothing_that_a_person_put_into_the_environment_is_quoted(
    monkeypatch: pytest.MonkeyPatch, stack: ScriptedStack
) -> None:
    facts = snapshot(RecordedAws(monkeypatch, _answers(stack)).session, handles())
    assert "s3cret" not in repr(facts)


@pytest.mark.parametrize(
    ("operation", "action", "names"),
    [
        ("ecs:ListTasks", "ecs:ListTasks", {"tasks", "server files"}),
        (
            "ecs:ListContainerInstances",
            "ecs:ListContainerInstances",
            {"instances"},
        ),
        ("elbv2:DescribeTargetHealth", "elasticloadbalancing:DescribeTargetHealth", {"targets"}),
        ("efs:DescribeFileSystems", "elasticfilesystem:DescribeFileSystems", {"file system"}),
        ("ecs:DescribeTaskDefinition", "ecs:DescribeTaskDefinition", {"server files"}),
    ],
)
def test_a_fact_that_nobody_may_see_says_so(
    monkeypatch: pytest.MonkeyPatch, stack: ScriptedStack, operation: str, action: str, names: set[str]
) -> None:
    facts = dict(snapshot(RecordedAws(monkeypatch, {**_answers(stack), operation: DENIED}).session, handles()))
    assert {name for name, value in facts.items() if value == f"not known: no permission for {action}"} == names
