"""Scaling of a service in the stand-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.deployment.local_cloud import Record
from tests.aws_stand_in import missing_operations
from tests.aws_stand_in.mirror import Aws, Mirror, capitals, given

_TARGET = ("serviceNamespace", "resourceId", "scalableDimension")


def _scalable(record: Record) -> dict[str, Any]:
    return given(record, *_TARGET)


def _register(aws: Aws, record: Record) -> Mapping[str, Any]:
    made = aws("application-autoscaling").register_scalable_target(
        **_scalable(record), **given(record, "minCapacity", "maxCapacity"), Tags=record.inputs.get("tags", {})
    )
    missing_operations.target_tags[made["ScalableTargetARN"]] = dict(record.inputs.get("tags", {}))
    return {}


def _policy(aws: Aws, record: Record) -> Mapping[str, Any]:
    arn = aws("application-autoscaling").put_scaling_policy(
        PolicyName=record.outputs["name"],
        PolicyType=record.inputs["policyType"],
        **_scalable(record),
        TargetTrackingScalingPolicyConfiguration=capitals(record.inputs["targetTrackingScalingPolicyConfiguration"]),
    )["PolicyARN"]
    return {"id": arn, "arn": arn}


def _scheduled(aws: Aws, record: Record) -> Mapping[str, Any]:
    aws("application-autoscaling").put_scheduled_action(
        ScheduledActionName=record.outputs["name"],
        **_scalable(record),
        **given(record, "schedule", "timezone", "scalableTargetAction"),
    )
    return {}


MIRRORS: Mapping[str, Mirror] = {
    "aws:appautoscaling/target:Target": Mirror(
        _register,
        lambda aws, record: aws("application-autoscaling").deregister_scalable_target(**_scalable(record)),
        lambda aws, record: aws("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="ecs", ResourceIds=[record.inputs["resourceId"]]
        )["ScalableTargets"],
        _register,
    ),
    "aws:appautoscaling/policy:Policy": Mirror(
        _policy,
        lambda aws, record: aws("application-autoscaling").delete_scaling_policy(
            PolicyName=record.outputs["name"], **_scalable(record)
        ),
        # moto heeds no names.
        lambda aws, record: any(
            policy["PolicyName"] == record.outputs["name"]
            for policy in aws("application-autoscaling").describe_scaling_policies(
                ServiceNamespace="ecs", ResourceId=record.inputs["resourceId"]
            )["ScalingPolicies"]
        ),
    ),
    "aws:appautoscaling/scheduledAction:ScheduledAction": Mirror(
        _scheduled,
        lambda aws, record: aws("application-autoscaling").delete_scheduled_action(
            ScheduledActionName=record.outputs["name"], **_scalable(record)
        ),
        lambda aws, record: any(
            action["ScheduledActionName"] == record.outputs["name"]
            for action in aws("application-autoscaling").describe_scheduled_actions(
                ServiceNamespace="ecs", ResourceId=record.inputs["resourceId"]
            )["ScheduledActions"]
        ),
    ),
}
