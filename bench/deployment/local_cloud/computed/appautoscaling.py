"""What AWS computes for what scales the service."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import named_by_arn
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _scheduled_action(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", origin.physical_name)
    namespace, resource = inputs["serviceNamespace"], inputs["resourceId"]
    path = f"scheduledAction:{origin.digest[:32]}:resource/{namespace}/{resource}:scheduledActionName/{name}"
    return f"{name}-{namespace}-{resource}", {"name": name, "arn": origin.arn("autoscaling", path)}


RESOURCES: Mapping[str, Compute] = {
    "aws:appautoscaling/policy:Policy": named_by_arn("autoscaling", "scalingPolicy:"),
    "aws:appautoscaling/scheduledAction:ScheduledAction": _scheduled_action,
    "aws:appautoscaling/target:Target": lambda origin, inputs: (inputs["resourceId"], {}),
}
