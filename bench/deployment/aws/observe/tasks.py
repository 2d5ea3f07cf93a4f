"""Tasks of the service as ECS describes them: where they run, and why they stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bench.deployment.aws.observe.handles import StackHandles
from bench.deployment.aws.session import AwsSession

_TASKS_A_CALL = 100
# How ECS says that nothing went wrong: scaling in, and a deployment that replaces tasks.
_PLANNED = "Scaling activity initiated by"
_OUT_OF_MEMORY = "OutOfMemory"


@dataclass(frozen=True)
class EcsTask:
    """A task of the service."""

    id: str
    name: str
    """Its X-Served-By: the host name that Docker gives a container, 12 characters of the container's id."""
    instance_arn: str
    """ECS's container instance; empty where the task is not placed yet."""
    zone: str
    task_definition_arn: str
    image: str
    image_digest: str
    """Digest of the image that was pulled; empty where none was yet."""
    created_unix_s: float


@dataclass(frozen=True)
class StoppedTask:
    """A task that has stopped, or is about to."""

    task: EcsTask
    stopped_unix_s: float
    code: str
    """ECS's stopCode, such as `EssentialContainerExited`."""
    reason: str
    """ECS's stoppedReason and the containers' reasons and exit codes."""
    is_planned: bool
    """Whether the service wanted fewer tasks, or another revision of them."""
    ran_out_of_memory: bool
    """Whether ECS says so: it knows only of the container's first process."""
    has_run: bool
    """Whether its container ran, and may have written to the log."""

    def __str__(self) -> str:
        return f"task {self.task.id}: {self.code}: {self.reason}"


def running_tasks(session: AwsSession, handles: StackHandles) -> list[EcsTask]:
    """The tasks that ECS keeps running, in the order of their ids."""
    tasks = _described(session, handles, "RUNNING")
    return sorted((_task(task, handles) for task in tasks), key=lambda task: task.id)


def stopped_tasks(session: AwsSession, handles: StackHandles, since_unix_s: float) -> list[StoppedTask]:
    """The tasks that stopped since then, newest first. ECS lists them for about an hour."""
    stops = [_stopped(task, handles) for task in _described(session, handles, "STOPPED")]
    recent = [stop for stop in stops if stop.stopped_unix_s >= since_unix_s]
    return sorted(recent, key=lambda stop: -stop.stopped_unix_s)


def _described(
    session: AwsSession, handles: StackHandles, status: Literal["RUNNING", "STOPPED"]
) -> Iterator[Mapping[str, Any]]:
    ecs = session.client("ecs")
    pages = ecs.get_paginator("list_tasks").paginate(
        cluster=handles.cluster, serviceName=handles.service, desiredStatus=status
    )
    arns = [arn for page in pages for arn in page["taskArns"]]
    for start in range(0, len(arns), _TASKS_A_CALL):
        yield from ecs.describe_tasks(cluster=handles.cluster, tasks=arns[start : start + _TASKS_A_CALL])["tasks"]


def _task(task: Mapping[str, Any], handles: StackHandles) -> EcsTask:
    task_id = task["taskArn"].split("/")[-1]
    container: Mapping[str, Any] = next((one for one in task["containers"] if one["name"] == handles.container), {})
    return EcsTask(
        id=task_id,
        name=container.get("runtimeId", task_id)[:12],
        instance_arn=task.get("containerInstanceArn", ""),
        zone=task.get("availabilityZone", ""),
        task_definition_arn=task["taskDefinitionArn"],
        image=container.get("image", ""),
        image_digest=container.get("imageDigest", ""),
        created_unix_s=task["createdAt"].timestamp() if "createdAt" in task else 0.0,
    )


def _stopped(task: Mapping[str, Any], handles: StackHandles) -> StoppedTask:
    reason = task.get("stoppedReason", "no reason given")
    containers = task["containers"]
    ends = [f"container {one['name']}: {end}" for one in containers if (end := _end_of(one))]
    stopped_at = task.get("stoppedAt") or task.get("stoppingAt") or task.get("createdAt")
    return StoppedTask(
        task=_task(task, handles),
        stopped_unix_s=stopped_at.timestamp() if stopped_at else 0.0,
        code=task.get("stopCode", "no stop code"),
        reason="; ".join([reason, *ends]),
        is_planned=reason.startswith(_PLANNED),
        ran_out_of_memory=any(_OUT_OF_MEMORY in one.get("reason", "") for one in containers),
        has_run=any("exitCode" in one for one in containers),
    )


def _end_of(container: Mapping[str, Any]) -> str:
    code = f"exit code {container['exitCode']}" if "exitCode" in container else ""
    return ", ".join(filter(None, [code, container.get("reason")]))
