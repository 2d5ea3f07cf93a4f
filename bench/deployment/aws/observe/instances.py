"""Instances of the cluster, as ECS describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.deployment.aws.observe.handles import StackHandles
from bench.deployment.aws.session import AwsSession

_INSTANCES_A_CALL = 100


@dataclass(frozen=True)
class ClusterInstance:
    """An instance that is registered with the cluster."""

    arn: str
    """Of ECS's container instance."""
    id: str
    """EC2's id."""
    zone: str
    type: str
    image_id: str
    agent_version: str
    docker_version: str


def cluster_instances(session: AwsSession, handles: StackHandles) -> list[ClusterInstance]:
    """The registered instances, in the order of their ids."""
    ecs = session.client("ecs")
    pages = ecs.get_paginator("list_container_instances").paginate(cluster=handles.cluster)
    arns = [arn for page in pages for arn in page["containerInstanceArns"]]
    described: list[Any] = []
    for start in range(0, len(arns), _INSTANCES_A_CALL):
        part = arns[start : start + _INSTANCES_A_CALL]
        answer = ecs.describe_container_instances(cluster=handles.cluster, containerInstances=part)
        described += answer["containerInstances"]
    return sorted(map(_instance, described), key=lambda instance: instance.id)


def _instance(described: Any) -> ClusterInstance:
    attributes = {one["name"]: one.get("value", "") for one in described.get("attributes", ())}
    versions = described.get("versionInfo", {})
    return ClusterInstance(
        arn=described["containerInstanceArn"],
        id=described["ec2InstanceId"],
        zone=attributes.get("ecs.availability-zone", ""),
        type=attributes.get("ecs.instance-type", ""),
        image_id=attributes.get("ecs.ami-id", ""),
        agent_version=versions.get("agentVersion", ""),
        docker_version=versions.get("dockerVersion", "").removeprefix("DockerVersion: "),
    )
