"""Cluster, tasks, hosts and their scaling: what the provider would compute."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.origin import (
    Compute,
    Computed,
    Inputs,
    Origin,
    arn,
    named,
    named_by_arn,
    template,
)


def _service(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    return named_by_arn("ecs", f"service/{inputs['cluster'].rsplit('/', 1)[-1]}/{{name}}")(origin, inputs)


def _task_definition(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    path = f"task-definition/{inputs['family']}:{origin.number}"
    return inputs["family"], {"arn": origin.arn("ecs", path), "revision": origin.number}


RESOURCES: Mapping[str, Compute] = {
    "aws:ecs/capacityProvider:CapacityProvider": named_by_arn("ecs", "capacity-provider/{name}"),
    "aws:ecs/cluster:Cluster": named_by_arn("ecs", "cluster/{name}"),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": template("{clusterName}"),
    "aws:ecs/service:Service": _service,
    "aws:ecs/taskDefinition:TaskDefinition": _task_definition,
    "aws:autoscaling/group:Group": named(arn("autoscaling", "autoScalingGroup:autoScalingGroupName/{name}")),
    "aws:appautoscaling/policy:Policy": named_by_arn("autoscaling", "scalingPolicy:{name}"),
    "aws:appautoscaling/scheduledAction:ScheduledAction": template(
        "{name}-{serviceNamespace}-{resourceId}",
        name="{name}",
        arn=arn(
            "autoscaling",
            "scheduledAction:{digest:.32}:resource/{serviceNamespace}/{resourceId}:scheduledActionName/{name}",
        ),
    ),
    "aws:appautoscaling/target:Target": template("{resourceId}"),
}
