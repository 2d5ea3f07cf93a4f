"""Handles of a stack's resources: the names and ids that calls to AWS take, from the resolved graph."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256

from bench.deployment.graph import Graph, Resource
from pypiserver_stack.settings.groups.hosts import BURSTABLE
from pypiserver_stack.tasks.server_files import FILES_VARIABLE
from sizing import catalogue


@dataclass(frozen=True)
class StackHandles:
    """What identifies the resources of one stack, and the modes that decide which metrics exist."""

    region: str
    cluster: str
    """Name of the ECS cluster."""
    container_insights: str
    """`enhanced`, `enabled` or `disabled`."""
    service: str
    """Name of the ECS service."""
    task_count: int
    """Tasks that the service starts with."""
    task_definition_arn: str
    """The revision that was deployed."""
    server_files_sha256: str
    """Digest of the files that the task definition carries; empty where it carries none."""
    container: str
    """Name of the container that the balancer sends requests to."""
    task_vcpus: float
    """vCPUs that a task reserves."""
    task_reservation_mb: int
    """Memory that a task reserves."""
    log_group: str
    log_stream_prefix: str
    load_balancer_arn: str
    target_group_arn: str
    file_system_id: str
    efs_throughput_mode: str
    """`elastic`, `bursting` or `provisioned`."""
    efs_performance_mode: str
    """`generalPurpose` or `maxIO`."""
    auto_scaling_group: str
    instance_count: int
    """Fewest instances of the group."""
    instance_type: str
    instance_memory_mb: int | None
    """None where the catalogue does not have the type."""

    @property
    def load_balancer(self) -> str:
        """Suffix of its ARN, `app/NAME/ID`: the value of CloudWatch's dimension LoadBalancer."""
        return self.load_balancer_arn.split(":loadbalancer/")[1]

    @property
    def target_group(self) -> str:
        """Suffix of its ARN, `targetgroup/NAME/ID`: the value of CloudWatch's dimension TargetGroup."""
        return self.target_group_arn.split(":")[-1]

    @property
    def task_family(self) -> str:
        return self.task_definition_arn.split("/")[-1].split(":")[0]

    @property
    def cpu(self) -> str:
        """`burstable` where the instances earn and spend CPU credits, else `fixed`."""
        return "burstable" if BURSTABLE.match(self.instance_type) else "fixed"

    def log_stream(self, task_id: str) -> str:
        """Log stream of a task's container, as the awslogs driver names it."""
        return f"{self.log_stream_prefix}/{self.container}/{task_id}"


def read_handles(graph: Graph) -> StackHandles:
    """The handles of the only service in the resolved graph of a deployment.

    Raises:
        GraphError: the graph has not exactly one of something.
    """
    service = graph.one("aws:ecs/service:Service")
    cluster = graph.one("aws:ecs/cluster:Cluster")
    definition = graph.one("aws:ecs/taskDefinition:TaskDefinition", arn=service.outputs["taskDefinition"])
    wanted = service.inputs["loadBalancers"][0]
    container = next(
        one for one in json.loads(definition.inputs["containerDefinitions"]) if one["name"] == wanted["containerName"]
    )
    files = next((one["value"] for one in container.get("environment", ()) if one["name"] == FILES_VARIABLE), None)
    logs = container["logConfiguration"]["options"]
    file_system = graph.one("aws:efs/fileSystem:FileSystem")
    group = graph.one("aws:autoscaling/group:Group")
    instance_type = graph.one("aws:ec2/launchTemplate:LaunchTemplate").inputs["instanceType"]
    known = catalogue().get(instance_type)
    return StackHandles(
        region=cluster.outputs["arn"].split(":")[3],
        cluster=cluster.outputs["name"],
        container_insights=_container_insights(cluster),
        service=service.outputs["name"],
        task_count=service.inputs["desiredCount"],
        task_definition_arn=definition.outputs["arn"],
        server_files_sha256=sha256(files.encode()).hexdigest() if files else "",
        container=container["name"],
        task_vcpus=container["cpu"] / 1024,
        task_reservation_mb=container["memoryReservation"],
        log_group=logs["awslogs-group"],
        log_stream_prefix=logs["awslogs-stream-prefix"],
        load_balancer_arn=graph.one("aws:lb/loadBalancer:LoadBalancer").outputs["arn"],
        target_group_arn=wanted["targetGroupArn"],
        file_system_id=file_system.id,
        efs_throughput_mode=file_system.outputs["throughputMode"],
        efs_performance_mode=file_system.outputs["performanceMode"],
        auto_scaling_group=group.outputs["name"],
        instance_count=group.inputs["minSize"],
        instance_type=instance_type,
        instance_memory_mb=known.memory_mb if known else None,
    )


def _container_insights(cluster: Resource) -> str:
    settings = {one["name"]: one["value"] for one in cluster.inputs["settings"]}
    return str(settings["containerInsights"])
