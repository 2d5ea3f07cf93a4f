"""Cluster, tasks, hosts and their scaling: what the provider would compute."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import named, named_by_arn
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _service(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", origin.physical_name)
    arn = origin.arn("ecs", f"service/{inputs['cluster'].rsplit('/', 1)[-1]}/{name}")
    return arn, {"name": name, "arn": arn}


def _task_definition(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    arn = origin.arn("ecs", f"task-definition/{inputs['family']}:{origin.number}")
    return inputs["family"], {"arn": arn, "revision": origin.number}


def _scheduled_action(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", origin.physical_name)
    namespace, resource = inputs["serviceNamespace"], inputs["resourceId"]
    path = f"scheduledAction:{origin.digest[:32]}:resource/{namespace}/{resource}:scheduledActionName/{name}"
    return f"{name}-{namespace}-{resource}", {"name": name, "arn": origin.arn("autoscaling", path)}


RESOURCES: Mapping[str, Compute] = {
    "aws:ecs/capacityProvider:CapacityProvider": named_by_arn("ecs", "capacity-provider/"),
    "aws:ecs/cluster:Cluster": named_by_arn("ecs", "cluster/"),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": lambda origin, inputs: (inputs["clusterName"], {}),
    "aws:ecs/service:Service": _service,
    "aws:ecs/taskDefinition:TaskDefinition": _task_definition,
    "aws:autoscaling/group:Group": named("autoscaling", "autoScalingGroup:autoScalingGroupName/"),
    "aws:appautoscaling/policy:Policy": named_by_arn("autoscaling", "scalingPolicy:"),
    "aws:appautoscaling/scheduledAction:ScheduledAction": _scheduled_action,
    "aws:appautoscaling/target:Target": lambda origin, inputs: (inputs["resourceId"], {}),
}
