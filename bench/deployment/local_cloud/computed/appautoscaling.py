"""What AWS computes for what scales the service."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.identity import Compute, Computed, Identity, Inputs
from bench.deployment.local_cloud.computed.ids import named_by_arn


def _scheduled_action(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    namespace, resource = inputs["serviceNamespace"], inputs["resourceId"]
    path = f"scheduledAction:{identity.digest[:32]}:resource/{namespace}/{resource}:scheduledActionName/{name}"
    return f"{name}-{namespace}-{resource}", {"name": name, "arn": identity.arn("autoscaling", path)}


RESOURCES: Mapping[str, Compute] = {
    "aws:appautoscaling/policy:Policy": named_by_arn("autoscaling", "scalingPolicy:"),
    "aws:appautoscaling/scheduledAction:ScheduledAction": _scheduled_action,
    "aws:appautoscaling/target:Target": lambda identity, inputs: (inputs["resourceId"], {}),
}
