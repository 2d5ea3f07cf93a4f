"""What ECS and Auto Scaling would do once a service is there: instances join, tasks run on them, targets register."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import boto3

from bench.deployment.graph import Graph
from bench.deployment.local_cloud import Record

# Of the ephemeral ports that Docker gives to tasks.
_FIRST_PORT = 32768


@contextmanager
def running_service(record_count: int) -> Iterator[None]:
    """A service that moto makes in this context has so many running tasks."""
    variable = "MOTO_ECS_SERVICE_RUNNING"
    os.environ[variable] = str(record_count)
    try:
        yield
    finally:
        del os.environ[variable]


def join(graph: Graph, service: Record) -> None:
    """Have the instances of the group join the cluster, and as many tasks run as the service wants."""
    cluster, count = service.inputs["cluster"], service.inputs["desiredCount"]
    (group,) = graph.of_type("aws:autoscaling/group:Group")
    groups = boto3.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group.id])
    instances = [one["InstanceId"] for one in groups["AutoScalingGroups"][0]["Instances"]]
    ecs = boto3.client("ecs")
    hosts = [
        ecs.register_container_instance(
            cluster=cluster, instanceIdentityDocument=json.dumps({"instanceId": instance, "document": instance})
        )["containerInstance"]["containerInstanceArn"]
        for instance in instances
    ]
    for number in range(count):
        ecs.start_task(
            cluster=cluster,
            taskDefinition=service.inputs["taskDefinition"],
            containerInstances=[hosts[number % len(hosts)]],
            startedBy="ecs-svc",
        )
    boto3.client("elbv2").register_targets(
        TargetGroupArn=service.inputs["loadBalancers"][0]["targetGroupArn"],
        # moto keeps one target an id, where AWS has one for each port of an instance.
        Targets=[
            {"Id": f"{instances[number % len(instances)]}-{number}", "Port": _FIRST_PORT + number}
            for number in range(count)
        ],
    )


def leave(service: Record) -> None:
    """Have its tasks end. The instances stay until the group goes."""
    ecs, cluster = boto3.client("ecs"), service.inputs["cluster"]
    for task in ecs.list_tasks(cluster=cluster)["taskArns"]:
        ecs.stop_task(cluster=cluster, task=task, reason="Scaling activity initiated by deployment")
