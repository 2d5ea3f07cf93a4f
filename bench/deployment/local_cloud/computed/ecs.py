"""What AWS computes for the cluster and what runs on it."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.identity import Compute, Computed, Identity, Inputs
from bench.deployment.local_cloud.computed.ids import named_by_arn


def _service(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    arn = identity.arn("ecs", f"service/{inputs['cluster'].rsplit('/', 1)[-1]}/{name}")
    return arn, {"name": name, "arn": arn}


def _task_definition(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    arn = identity.arn("ecs", f"task-definition/{inputs['family']}:{identity.number}")
    return inputs["family"], {"arn": arn, "revision": identity.number}


RESOURCES: Mapping[str, Compute] = {
    "aws:ecs/capacityProvider:CapacityProvider": named_by_arn("ecs", "capacity-provider/"),
    "aws:ecs/cluster:Cluster": named_by_arn("ecs", "cluster/"),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": lambda identity, inputs: (inputs["clusterName"], {}),
    "aws:ecs/service:Service": _service,
    "aws:ecs/taskDefinition:TaskDefinition": _task_definition,
}
