"""What AWS computes for the cluster and what runs on it."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import named_by_arn
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _service(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", origin.physical_name)
    arn = origin.arn("ecs", f"service/{inputs['cluster'].rsplit('/', 1)[-1]}/{name}")
    return arn, {"name": name, "arn": arn}


def _task_definition(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    arn = origin.arn("ecs", f"task-definition/{inputs['family']}:{origin.number}")
    return inputs["family"], {"arn": arn, "revision": origin.number}


RESOURCES: Mapping[str, Compute] = {
    "aws:ecs/capacityProvider:CapacityProvider": named_by_arn("ecs", "capacity-provider/"),
    "aws:ecs/cluster:Cluster": named_by_arn("ecs", "cluster/"),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": lambda origin, inputs: (inputs["clusterName"], {}),
    "aws:ecs/service:Service": _service,
    "aws:ecs/taskDefinition:TaskDefinition": _task_definition,
}
