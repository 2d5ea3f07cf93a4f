"""A stack on AWS in a state that a test sets, as ECS, the balancer, the group and CloudWatch Logs tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bench.deployment.aws.observe.handles import StackHandles
from tests.bench.deployment.aws.recorded_aws import Answer, AwsRefusal

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ACCOUNT = "arn:aws:ecs:us-west-2:123456789012"


def stopped_task(
    handles: StackHandles,
    task_id: str,
    *,
    code: str = "EssentialContainerExited",
    why: str = "Essential container in task exited",
    at: datetime = NOW,
    **container: Any,
) -> dict[str, Any]:
    """A task as DescribeTasks has it once it stopped; `container` is what its container has besides its name."""
    return {
        "taskArn": f"{ACCOUNT}:task/{handles.cluster}/{task_id}",
        "taskDefinitionArn": handles.task_definition_arn,
        "lastStatus": "STOPPED",
        "stopCode": code,
        "stoppedReason": why,
        "stoppedAt": at,
        "containers": [{"name": handles.container, **container}],
    }


def running_task(handles: StackHandles, task_id: str, **more: Any) -> dict[str, Any]:
    return {
        "taskArn": f"{ACCOUNT}:task/{handles.cluster}/{task_id}",
        "taskDefinitionArn": handles.task_definition_arn,
        "lastStatus": "RUNNING",
        "availabilityZone": "us-west-2a",
        "containerInstanceArn": f"{ACCOUNT}:container-instance/{handles.cluster}/aaaa",
        "containers": [
            {
                "name": handles.container,
                "image": "pypiserver/pypiserver:v2.4.2",
                "imageDigest": "sha256:0123",
                "runtimeId": f"{task_id}{'f' * 60}",
            }
        ],
        **more,
    }


def target(state: str, reason: str | None = None, description: str | None = None) -> dict[str, Any]:
    given = {"State": state, "Reason": reason, "Description": description}
    return {"TargetHealth": {key: value for key, value in given.items() if value is not None}}


@dataclass
class ScriptedStack:
    """The state. As it is made, it is healthy."""

    handles: StackHandles
    instances: int = 2
    tasks: int = 12
    desired: int = 12
    targets: list[dict[str, Any]] = field(default_factory=lambda: [target("healthy")] * 12)
    rollout: dict[str, Any] = field(default_factory=lambda: {"rolloutState": "COMPLETED"})
    task_definition_arn: str = ""
    service_status: str = "ACTIVE"
    events: list[str] = field(default_factory=list)
    running: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[dict[str, Any]] = field(default_factory=list)
    activities: list[dict[str, Any]] = field(default_factory=list)
    logs: dict[str, list[str]] = field(default_factory=dict)
    """By name of the stream."""

    @property
    def answers(self) -> dict[str, Answer]:
        return {
            "ecs:DescribeClusters": lambda _: {
                "clusters": [{"status": "ACTIVE", "registeredContainerInstancesCount": self.instances}]
            },
            "ecs:DescribeServices": lambda _: {"services": [self._service()]},
            "ecs:ListTasks": self._list_tasks,
            "ecs:DescribeTasks": self._describe_tasks,
            "elbv2:DescribeTargetHealth": lambda _: {"TargetHealthDescriptions": self.targets},
            "autoscaling:DescribeScalingActivities": lambda _: {"Activities": self.activities},
            "logs:GetLogEvents": self._log_events,
        }

    def _service(self) -> dict[str, Any]:
        deployment = {
            "status": "PRIMARY",
            "taskDefinition": self.task_definition_arn or self.handles.task_definition_arn,
            **self.rollout,
        }
        return {
            "status": self.service_status,
            "desiredCount": self.desired,
            "runningCount": self.tasks,
            "deployments": [deployment],
            "events": [{"message": message, "createdAt": NOW} for message in self.events],
        }

    def _list_tasks(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        listed = self.running if parameters["desiredStatus"] == "RUNNING" else self.stopped
        # Pages of ten, as a long list comes in several.
        first = int(parameters.get("nextToken", "0"))
        answer: dict[str, Any] = {"taskArns": [one["taskArn"] for one in listed[first : first + 10]]}
        if first + 10 < len(listed):
            answer["nextToken"] = str(first + 10)
        return answer

    def _describe_tasks(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        assert len(parameters["tasks"]) <= 100
        return {"tasks": [one for one in (*self.running, *self.stopped) if one["taskArn"] in parameters["tasks"]]}

    def _log_events(self, parameters: Mapping[str, Any]) -> Mapping[str, Any] | AwsRefusal:
        assert parameters["logGroupName"] == self.handles.log_group
        if parameters["logStreamName"] not in self.logs:
            return AwsRefusal("ResourceNotFoundException")
        lines = self.logs[parameters["logStreamName"]][-parameters["limit"] :]
        return {"events": [{"message": line, "timestamp": 0, "ingestionTime": 0} for line in lines]}


def activity(status: str, message: str = "", at: datetime = NOW) -> dict[str, Any]:
    return {
        "ActivityId": "0",
        "AutoScalingGroupName": "group",
        "Description": "Launching a new EC2 instance",
        "Cause": "an instance was started",
        "StartTime": at,
        "StatusCode": status,
        "StatusMessage": message,
    }
